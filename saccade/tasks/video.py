"""Video: one class for each clip."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.build import AnyBackbone
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import VideoConfig
from saccade.data.batch import Batch
from saccade.data.clips.frames import evenly_spread
from saccade.heads.classify import ClassHead, ClassLogits, pooled
from saccade.losses.classify import cross_entropy
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.result import ClassResult
from saccade.tasks.normalise import Normalise
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


class FrameModel(nn.Module):
    """A model of single frames: what the same pictures say without their order.

    Args:
        backbone: pictures to tokens.
        head: tokens to logits.
    """

    def __init__(self, *, backbone: AnyBackbone, head: ClassHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B K"]:
        """Logits from the mean of the frames' features."""
        tokens = self.backbone(_channels_last(frames.flatten(0, 1)))
        features = pooled(tokens, self.head.pool).unflatten(0, frames.shape[:2])  # B T D
        return self.head.classify(self.head.norm(features.mean(dim=1)))


class Video(nn.Module):
    """Clips to class probabilities, and the loss that teaches it.

    Beside the model of clips a model of single frames may be trained, with weights of its own, on
    the same batches. It answers from the mean of its frames' features, so it knows everything but
    their order: where clips are not told apart much better than so, nothing was learned of motion.

    Args:
        backbone: clips to tokens.
        head: tokens to logits.
        frame_model: the model of single frames; None to go without.
        class_names: the K classes in the order of the logits.
        preprocess: gives mean and standard deviation of the pixels.
        config: how many frames are seen, and how.
        label_smoothing: of the training loss.
    """

    best_figure = "log_loss"
    best_is_low = True
    most_judged: int | None = None
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: AnyBackbone,
        head: ClassHead,
        frame_model: FrameModel | None,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: VideoConfig,
        label_smoothing: float,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.frame_model = frame_model
        self.class_names = class_names
        self.config = config
        self.label_smoothing = label_smoothing
        self.scale = Normalise(preprocess)

    def forward(self, clips: UInt8[Tensor, "B T C H W"]) -> ClassLogits:
        """Logits of clips as bytes."""
        return self.head(self.tokens(clips))

    def tokens(self, clips: UInt8[Tensor, "B T C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of clips as bytes."""
        return self.backbone(self.normalise(clips), trace)

    def seen(self, clips: UInt8[Tensor, "B T C H W"]) -> UInt8[Tensor, "B _t C H W"]:
        """The frames that an answer is made from: of several for each, the middle one."""
        asked = self.config.num_frames
        return clips[:, evenly_spread(clips.shape[1], asked=asked, short_clips="refuse")]

    def normalise(
        self, images: UInt8[Tensor, "B C H W"] | UInt8[Tensor, "B T C H W"]
    ) -> Float[Tensor, "B C H W"] | Float[Tensor, "B _t C H W"]:
        """The frames seen, as numbers around 0; with ``changes``, less what does not move.

        Args:
            images: clips; that pictures are allowed here is for those who explain any task.
        """
        frames = self.scale(self.seen(images))
        if self.config.input == "changes":
            frames = frames - frames.mean(dim=1, keepdim=True)
        return frames

    def frame_logits(self, clips: UInt8[Tensor, "B T C H W"]) -> Float[Tensor, "B K"]:
        """What the model of single frames makes of the frames seen, whatever their order."""
        assert self.frame_model is not None
        return self.frame_model(self.scale(self.seen(clips)))

    @property
    def reads(self) -> Pool:
        """Which tokens the head reads."""
        return self.head.pool

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """The logit of one class for each clip."""
        return self.head(tokens).logits.gather(1, asked[:, None])[:, 0]

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """Cross-entropy, and the share of the batch that was right (before this step).

        The model of single frames learns from one frame of each clip. The two share no weight, so
        the sum teaches each what it would learn alone, up to the clipping of the gradient.
        """
        clips, classes = self._drawn(batch.images), batch.classes
        logits = self(clips).logits
        loss = cross_entropy(logits, classes, label_smoothing=self.label_smoothing)
        top1 = (logits.detach().argmax(dim=1) == batch.labels).float().mean()
        if self.frame_model is None:
            return {"loss": loss, "top1": top1}
        one = clips[torch.arange(len(clips)), _draws(len(clips), clips.shape[1]).to(clips.device)]
        frame_logits = self.frame_model(self.scale(one[:, None]))
        frame_loss = cross_entropy(frame_logits, classes, label_smoothing=self.label_smoothing)
        return {
            "loss": loss + frame_loss,
            "clip_loss": loss.detach(),
            "frame_loss": frame_loss.detach(),
            "top1": top1,
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B K"]:
        """Class probabilities in fp32, each row summing to 1."""
        return self(batch.images).logits.float().softmax(dim=1)

    def metrics(self) -> "VideoMeasure":
        """An empty collector."""
        return VideoMeasure(self)

    def _drawn(self, clips: UInt8[Tensor, "B T C H W"]) -> UInt8[Tensor, "B _t C H W"]:
        """Of several frames for each that is seen, any one: a clip is never seen twice alike."""
        spares = clips.shape[1] // self.config.num_frames
        if spares == 1:
            return clips
        num = len(clips) * self.config.num_frames
        chosen = _draws(num, spares).view(len(clips), -1)
        chosen = chosen + torch.arange(self.config.num_frames) * spares
        return clips[torch.arange(len(clips))[:, None], chosen.to(clips.device)]


class VideoMeasure:
    """Asks a task about batches and keeps what the figures need."""

    def __init__(self, task: Video) -> None:
        self._task = task
        self._metrics = ClassMetrics(task.class_names)
        self._by_frame = ClassMetrics(task.class_names)

    def update(self, batch: Batch) -> None:
        """Predicts one labelled batch."""
        self._metrics.update(self._task.predict(batch), batch.labels)
        if self._task.frame_model is not None:
            probs = self._task.frame_logits(batch.images).float().softmax(dim=1)
            self._by_frame.update(probs, batch.labels)

    def collected(self) -> tuple[ClassMetrics, ClassMetrics]:
        """See ``Measure``."""
        return self._metrics, self._by_frame

    def figures(self) -> dict[str, float]:
        """Top-1 and its companions, and ``frame_average_top1``, as plain numbers."""
        return {name: figure.value for name, figure in self.result().metrics.items()}

    def result(self) -> ClassResult:
        """All there is to say, with intervals."""
        result = self._metrics.result()
        if self._task.frame_model is None:
            return result
        by_frame = self._by_frame.result().metrics["top1"]
        return replace(result, metrics=result.metrics | {"frame_average_top1": by_frame})


def _draws(num: int, below: int) -> Int64[Tensor, " num"]:
    """From torch's generator on the CPU, so that every device draws alike."""
    return torch.randint(below, (num,))


def _channels_last(images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    return images.contiguous(memory_format=torch.channels_last)

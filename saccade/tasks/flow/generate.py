"""Generation: from noise to new pictures, of a class where there are classes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.denoiser import Denoiser
from saccade.config.run import Preprocess
from saccade.config.task import GenerateConfig
from saccade.data.batch import Batch
from saccade.heads.picture import PictureHead
from saccade.losses.flow import clean_picture, flow_losses, mix, velocity
from saccade.metrics.rows import Rows
from saccade.tasks.flow.observer import Observer
from saccade.tasks.flow.pixels import to_bytes, to_range
from saccade.tasks.flow.sampling import (
    JUDGED_TIMES,
    JUDGING_SEED,
    Point,
    heun,
    noise_of,
    times_of,
)
from saccade.transformer.attend import without_autocast

RECALLED_AT = 0.5
"""The time from which ``predict`` gives a picture back."""

OBSERVER_WEIGHT = 0.1
"""Of its loss. Adam's steps for it are as long as for all of it, but the gradient's norm, by which
both are clipped, stays that of the generator."""

OBSERVED = 4
"""One picture in so many of a batch teaches the observer: it learns faster than the denoiser."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recalled:
    """What a generator says about pictures that it is shown.

    Attributes:
        flow_loss: how badly it knows the way back to each from noise; small for pictures like
            those that it learned from.
        noisy: the pictures half way to noise, as bytes.
        restored: what it takes these for.
    """

    flow_loss: Float[Tensor, " B"]
    noisy: UInt8[Tensor, "B C H W"]
    restored: UInt8[Tensor, "B C H W"]


class Generate(nn.Module):
    """A denoiser, the classes it can be asked for, and the observer that judges it.

    Args:
        backbone: noisy pictures to tokens.
        head: tokens to pictures.
        labels: a vector for each class and one, the last, for none; None without classes.
        observer: learns beside it, see there.
        class_names: the K classes; empty without classes.
        preprocess: the size of a picture; its mean and deviation of 0.5 make [-1, 1] of bytes.
        config: all other numbers.
    """

    best_figure = "flow_loss"
    best_is_low = True
    most_judged: int | None
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: Denoiser,
        head: PictureHead,
        labels: nn.Embedding | None,
        observer: Observer,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: GenerateConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.labels = labels
        self.observer = observer
        self.class_names = class_names
        self.preprocess = preprocess
        self.config = config
        self.most_judged = config.num_real

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        return self.preprocess.channels, self.preprocess.height, self.preprocess.width

    def denoise(
        self,
        noisy: Float[Tensor, "B C H W"],
        time: Float[Tensor, " B"],
        labels: Int64[Tensor, " B"],
    ) -> Float[Tensor, "B C H W"]:
        """The network's answer, in fp32: the picture, its velocity or its noise.

        Args:
            noisy: on the line from noise to a picture.
            time: where on it.
            labels: class ids, or K for no class; without meaning where there are no classes.
        """
        asked = None if self.labels is None else self.labels(labels)
        tokens, condition = self.backbone(noisy, time=time, asked=asked)
        height, width = noisy.shape[2:]
        return self.head(tokens, condition, height=height, width=width).float()

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The velocity's error at a random time of each picture; the observer's loss beside it."""
        flow = self.config.flow
        picture = to_range(batch.images)
        noise = flow.noise_scale * torch.randn_like(picture)
        logits = flow.time_mean + flow.time_std * torch.randn(len(batch), device=picture.device)
        time = torch.sigmoid(logits)
        is_dropped = torch.rand(len(batch), device=picture.device) < self.config.label_drop
        labels = self._labels(batch, is_dropped=is_dropped)
        losses = {"flow_loss": self._flow_losses(picture, noise, time, labels).mean()}
        loss = losses["flow_loss"]
        if self.observer.has_learned:
            losses |= self.observer.losses(batch.images[::OBSERVED], batch.labels[::OBSERVED])
            loss = loss + OBSERVER_WEIGHT * losses["observer_loss"]
        return {"loss": loss} | losses

    def judge(self, batch: Batch, *, knows_labels: bool) -> Float[Tensor, " B"]:
        """The loss of each picture, at noise and times that are a function of its id.

        Args:
            batch: pictures.
            knows_labels: whether the class is told, as while training.
        """
        picture, flow = to_range(batch.images), self.config.flow
        noise = self._noise_of(batch.ids, seed=JUDGING_SEED, like=picture)
        times = times_of(
            batch.ids,
            mean=flow.time_mean,
            std=flow.time_std,
            num=JUDGED_TIMES,
            seed=JUDGING_SEED,
        )
        is_dropped = torch.full((len(batch),), not knows_labels, device=picture.device)
        labels = self._labels(batch, is_dropped=is_dropped)
        each = [self._flow_losses(picture, noise, time, labels) for time in times.unbind(dim=1)]
        return torch.stack(each).mean(dim=0)

    @torch.no_grad()
    def predict(self, batch: Batch) -> Recalled:
        """How well it knows each picture, without being told a class; in fp32."""
        with without_autocast(batch.images.device):
            picture, flow = to_range(batch.images), self.config.flow
            noise = self._noise_of(batch.ids, seed=JUDGING_SEED, like=picture)
            time = torch.full((len(batch),), RECALLED_AT, device=picture.device)
            noisy = mix(picture, noise, time)
            restored = clean_picture(
                self.denoise(noisy, time, self._no_labels(len(batch), picture.device)),
                noisy=noisy,
                time=time,
                prediction=flow.prediction,
                smallest_gap=flow.smallest_gap,
            )
            return Recalled(
                flow_loss=self.judge(batch, knows_labels=False),
                noisy=to_bytes(noisy),
                restored=to_bytes(restored),
            )

    @torch.no_grad()
    def sample(
        self,
        ids: Int64[Tensor, " B"],
        labels: Int64[Tensor, " B"],
        *,
        seed: int,
        guidance: float,
        num_steps: int,
    ) -> Iterator[Point]:
        """New pictures, with the way to them; ``to_bytes`` makes pictures of the last point.

        In fp32, whatever autocast says: rounding errors add up over the steps.

        Args:
            ids: numbers of the samples; with the seed they decide the noise, whatever the batch.
            labels: class ids, or K for no class.
            seed: of the noise.
            guidance: how far to go from what would be drawn without a class towards what would be
                with one (arXiv 2207.12598): 0 ignores the class, 1 is as trained, more exaggerates.
            num_steps: of the sampler.
        """
        config = self.config

        def direction(z: Tensor, time: Tensor) -> Tensor:
            moment = time[0].item()
            is_guided = config.guidance_from <= moment <= config.guidance_to
            with without_autocast(z.device):
                if self.labels is None or guidance == 1 or not is_guided:
                    return self._direction(z, time, labels)
                without = self._no_labels(len(z), z.device)
                both = self._direction(
                    torch.cat([z, z]), torch.cat([time, time]), torch.cat([labels, without])
                )
            conditional, unconditional = both.chunk(2)
            return torch.lerp(unconditional, conditional, guidance)

        start = noise_of(ids, shape=self.shape, seed=seed, scale=config.flow.noise_scale)
        yield from heun(direction, start, num_steps=num_steps)

    def metrics(self) -> "FlowMeasure":
        """An empty collector."""
        return FlowMeasure(self)

    def _direction(self, noisy: Tensor, time: Tensor, labels: Tensor) -> Tensor:
        flow = self.config.flow
        return velocity(
            self.denoise(noisy, time, labels),
            noisy=noisy,
            time=time,
            prediction=flow.prediction,
            smallest_gap=flow.smallest_gap,
        )

    def _flow_losses(
        self, picture: Tensor, noise: Tensor, time: Tensor, labels: Tensor
    ) -> Float[Tensor, " B"]:
        flow = self.config.flow
        return flow_losses(
            self.denoise(mix(picture, noise, time), time, labels),
            picture=picture,
            noise=noise,
            time=time,
            prediction=flow.prediction,
            smallest_gap=flow.smallest_gap,
        )

    def _labels(self, batch: Batch, *, is_dropped: Bool[Tensor, " B"]) -> Int64[Tensor, " B"]:
        none = self._no_labels(len(batch), batch.images.device)
        if self.labels is None or not isinstance(batch.targets, Tensor):
            return none
        return torch.where(is_dropped, none, batch.targets)

    def _no_labels(self, count: int, device: torch.device) -> Int64[Tensor, " B"]:
        return torch.full((count,), len(self.class_names), device=device)

    def _noise_of(
        self, ids: Int64[Tensor, " B"], *, seed: int, like: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B C H W"]:
        channels, height, width = like.shape[1:]
        scale = self.config.flow.noise_scale
        return noise_of(ids, shape=(channels, height, width), seed=seed, scale=scale)


class FlowMeasure:
    """The mean loss at fixed noise and times, and how well the observer knows the classes."""

    def __init__(self, task: Generate) -> None:
        self._task = task
        self._losses, self._hits = Rows(), Rows()

    def update(self, batch: Batch) -> None:
        """Judges one batch."""
        self._losses.add(self._task.judge(batch, knows_labels=True))
        if self._task.observer.has_learned:
            answers = self._task.observer.logits(batch.images).argmax(dim=1)
            self._hits.add(answers == batch.labels)

    def collected(self) -> tuple[Rows, Rows]:
        """See ``Measure``."""
        return self._losses, self._hits

    def figures(self) -> dict[str, float]:
        """``flow_loss``; ``observer_top1`` where there are classes."""
        figures = {"flow_loss": self._losses.whole().double().mean().item()}
        if len(self._hits):
            figures["observer_top1"] = self._hits.whole().double().mean().item()
        return figures

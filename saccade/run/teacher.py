"""A trained model that says what it thinks of the pictures another one learns from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from saccade.config.run import Preprocess
from saccade.config.task import TeachConfig
from saccade.data.batch import Batch
from saccade.data.targets import ToldFeatures, ToldLogits
from saccade.heads.classify import pooled
from saccade.run.device import Precision, autocast
from saccade.tasks.classify import Classify
from saccade.tasks.embed import Embed
from saccade.tasks.pretrain.build import AnyPretrain

AnyTeacher = Classify | Embed | AnyPretrain
"""What can teach: classifiers by what they say, and all of these by what they see."""

_LUMA = (0.299, 0.587, 0.114)  # as Pillow makes RGB grey (ITU-R BT.601)


class Teacher:
    """Is asked about each batch after augmentation, and never changes.

    It belongs to no task: what it knows is in no checkpoint and in no average of weights.

    Args:
        task: with its weights, on its device.
        preprocess: how the pictures of its own training were prepared.
        precision: to compute in.
        device: where it is.
        config: which of its words are wanted.
        class_names: those that the student learns, in the student's order, all of them known to
            the teacher; none where only vectors are wanted.
    """

    def __init__(
        self,
        task: AnyTeacher,
        *,
        preprocess: Preprocess,
        precision: Precision,
        device: torch.device,
        config: TeachConfig,
        class_names: Sequence[str],
    ) -> None:
        self.task = task.eval().requires_grad_(requires_grad=False)
        self.preprocess = preprocess
        self.config = config
        self._precision: Precision = precision
        self._device = device
        self._columns = [task.class_names.index(name) for name in class_names]

    @property
    def has_features(self) -> bool:
        """Whether it says what it sees, and not what it would answer."""
        return self.config.method == "features"

    def tell(self, batch: Batch) -> Batch:
        """The same batch with what the teacher says about its pictures."""
        with torch.inference_mode(), autocast(self._device, self._precision):
            images = as_seen_by(batch.images.to(self._device), self.preprocess)
            told = self._features(images) if self.has_features else self._logits(images)
        # A tensor of inference mode cannot take part in a loss; a copy made outside can.
        told = told.clone()
        return replace(
            batch, told=ToldFeatures(vectors=told) if self.has_features else ToldLogits(logits=told)
        )

    def tell_all(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same for one batch after the other."""
        return map(self.tell, batches)

    def _logits(self, images: UInt8[Tensor, "B C H W"]) -> Float32[Tensor, "B K"]:
        assert isinstance(self.task, Classify)
        return self.task(images).logits[:, self._columns].float()

    def _features(self, images: UInt8[Tensor, "B C H W"]) -> Float32[Tensor, "B h w D"]:
        tokens = self.task.tokens(images)
        if self.config.of == "picture":
            vectors = pooled(tokens, self.task.reads)[:, None, None]
        else:
            vectors = tokens.as_map().permute(0, 2, 3, 1)
        return F.normalize(vectors.float(), dim=3)


def width_of(task: AnyTeacher, config: TeachConfig) -> int:
    """Numbers in a vector that this teacher says; 0 where it says none."""
    if config.method != "features":
        return 0
    is_double = task.reads == "class_and_mean" and config.of == "picture"
    return (2 if is_double else 1) * task.backbone.embed_dim


def as_seen_by(
    images: UInt8[Tensor, "B C H W"], preprocess: Preprocess
) -> UInt8[Tensor, "B c height width"]:
    """Pictures in the colours and the size of another preprocessing, rounded once.

    Args:
        images: as bytes, grey or RGB.
        preprocess: its channels, height, width and interpolation are taken; its mean and standard
            deviation belong to the model. Nothing is cut off: both models see the same view.
    """
    channels, size = preprocess.channels, (preprocess.height, preprocess.width)
    if images.shape[1] == channels and images.shape[2:] == size:
        return images
    pixels = images.float()
    if channels == 1 and images.shape[1] == 3:
        luma = torch.tensor(_LUMA, device=images.device)[:, None, None]
        pixels = (pixels * luma).sum(dim=1, keepdim=True)
    if images.shape[2:] != size:
        pixels = _resized(pixels, preprocess)
    return pixels.round().clamp(0, 255).to(torch.uint8).expand(-1, channels, -1, -1)


def _resized(
    pixels: Float[Tensor, "B C H W"], preprocess: Preprocess
) -> Float[Tensor, "B C height width"]:
    """With antialiasing, as everywhere; what torch lacks (lanczos) is closest to bicubic."""
    mode = "bilinear" if preprocess.interpolation == "bilinear" else "bicubic"
    size = (preprocess.height, preprocess.width)
    return F.interpolate(pixels, size=size, mode=mode, antialias=True, align_corners=False)

"""Translation: one picture into another, by a flow and, beside it, by one step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.denoiser import Denoiser
from saccade.config.run import Preprocess
from saccade.config.task import TranslateConfig
from saccade.data.batch import Batch
from saccade.data.targets import PictureTargets
from saccade.heads.picture import PictureHead
from saccade.losses.flow import flow_losses, mix, velocity
from saccade.metrics.rows import Rows
from saccade.tasks.flow.edits import degraded, grey
from saccade.tasks.flow.observer import Observer
from saccade.tasks.flow.pixels import to_bytes, to_range
from saccade.tasks.flow.sampling import (
    JUDGED_TIMES,
    JUDGING_SEED,
    heun,
    last,
    noise_of,
    times_of,
)
from saccade.transformer.attend import without_autocast

_EDIT_SEED = 1
"""Of the noise that an edit adds where it has to be the same each time; not the sampler's."""


class Pair(NamedTuple):
    """A condition and the picture that it is to become."""

    condition: UInt8[Tensor, "B C2 H W"]
    picture: UInt8[Tensor, "B C H W"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Translated:
    """Two answers to each condition.

    Attributes:
        pictures: one that it could have been made from, drawn by the flow.
        regression: the mean of all that it could have been made from, as far as one step tells.
    """

    pictures: UInt8[Tensor, "B C H W"]
    regression: UInt8[Tensor, "B C H W"]


class Regression(nn.Module):
    """The baseline: the flow's network without noise and without time, asked once.

    Args:
        backbone: conditions to tokens.
        head: tokens to pictures.
    """

    def __init__(self, *, backbone: Denoiser, head: PictureHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, condition: Float[Tensor, "B C2 H W"]) -> Float[Tensor, "B C H W"]:
        """The picture, in fp32."""
        time = torch.zeros(len(condition), device=condition.device)
        tokens, inner = self.backbone(condition, time=time)
        height, width = condition.shape[2:]
        return self.head(tokens, inner, height=height, width=width).float()


class Translate(nn.Module):
    """A denoiser that sees a condition beside the noise, and its baseline.

    Both learn from the same batches for the same number of steps. A regression of the mean
    absolute error wins in PSNR, which rewards the blurred mean of all that could be; a flow draws
    one of them, which a PSNR punishes and a distance between sets of pictures does not.

    Args:
        backbone, head: of the flow: condition and noisy picture, as channels, to the picture.
        regression: the baseline.
        observer: a random one: a network that learned classes is blind to what they do not need,
            such as the colour of digits.
        class_names: of the source; nothing is made of them.
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
        regression: Regression,
        observer: Observer,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: TranslateConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.regression = regression
        self.observer = observer
        self.class_names = class_names
        self.preprocess = preprocess
        self.config = config
        self.most_judged = 10 * config.num_judged  # their losses cost a tenth of an answer

    def denoise(
        self,
        noisy: Float[Tensor, "B C H W"],
        time: Float[Tensor, " B"],
        condition: Float[Tensor, "B C2 H W"],
    ) -> Float[Tensor, "B C H W"]:
        """The flow's answer, in fp32."""
        tokens, inner = self.backbone(torch.cat([noisy, condition], dim=1), time=time)
        height, width = noisy.shape[2:]
        return self.head(tokens, inner, height=height, width=width).float()

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The velocity's error at a random time of each pair, and the baseline's."""
        flow = self.config.flow
        shape, device = self._answer_shape(batch), batch.images.device
        noise = flow.noise_scale * torch.randn(shape, device=device)
        pair = self.pair(batch, noise=torch.randn_like(noise))
        logits = flow.time_mean + flow.time_std * torch.randn(len(batch), device=noise.device)
        condition, picture = to_range(pair.condition), to_range(pair.picture)
        losses = {
            "flow_loss": self._flow_losses(picture, noise, logits.sigmoid(), condition).mean(),
            "regression_loss": (self.regression(condition) - picture).abs().mean(),
        }
        return {"loss": losses["flow_loss"] + losses["regression_loss"]} | losses

    def pair(self, batch: Batch, *, noise: Float[Tensor, "B C H W"] | None = None) -> Pair:
        """Condition and picture: as the source has them, or made from the picture alone.

        Args:
            batch: pictures, with or without the pictures that they are to become.
            noise: that an edit may add; None: always the same for a picture.
        """
        if isinstance(batch.targets, PictureTargets):
            return Pair(batch.images, batch.targets.images)
        if noise is None:
            shape = self._answer_shape(batch)[1:]
            noise = noise_of(batch.ids, shape=shape, seed=_EDIT_SEED, scale=1.0)
        return Pair(degraded(batch.images, noise, self.config.edit), batch.images)

    def judge(self, pair: Pair, ids: Int64[Tensor, " B"]) -> Float[Tensor, "B 2"]:
        """Losses of the flow and of the baseline, at noise and times that follow from the id."""
        flow = self.config.flow
        condition, picture = to_range(pair.condition), to_range(pair.picture)
        channels, height, width = picture.shape[1:]
        noise = noise_of(
            ids, shape=(channels, height, width), seed=JUDGING_SEED, scale=flow.noise_scale
        )
        times = times_of(
            ids, mean=flow.time_mean, std=flow.time_std, num=JUDGED_TIMES, seed=JUDGING_SEED
        )
        each = [self._flow_losses(picture, noise, t, condition) for t in times.unbind(dim=1)]
        errors = (self.regression(condition) - picture).abs().mean(dim=(1, 2, 3))
        return torch.stack([torch.stack(each).mean(dim=0), errors], dim=1)

    @torch.no_grad()
    def predict(self, batch: Batch) -> Translated:
        """Translates pictures that a user gives: nothing is taken from them but colour."""
        images = grey(batch.images) if self.config.edit.kind == "colourise" else batch.images
        return self.translate(
            images, batch.ids, seed=JUDGING_SEED, num_steps=self.config.flow.num_steps
        )

    @torch.no_grad()
    def translate(
        self,
        condition: UInt8[Tensor, "B C2 H W"],
        ids: Int64[Tensor, " B"],
        *,
        seed: int,
        num_steps: int,
    ) -> Translated:
        """Both answers to each condition, in fp32.

        Args:
            condition: bytes.
            ids: with the seed they decide the noise, whatever the batch.
            seed: another one is another answer of the flow.
            num_steps: of the sampler.
        """
        flow, inner = self.config.flow, to_range(condition)
        height, width = condition.shape[2:]

        def direction(z: Tensor, time: Tensor) -> Tensor:
            return velocity(
                self.denoise(z, time, inner),
                noisy=z,
                time=time,
                prediction=flow.prediction,
                smallest_gap=flow.smallest_gap,
            )

        shape = (self.preprocess.channels, height, width)
        start = noise_of(ids, shape=shape, seed=seed, scale=flow.noise_scale)
        with without_autocast(condition.device):
            return Translated(
                pictures=to_bytes(last(heun(direction, start, num_steps=num_steps))),
                regression=to_bytes(self.regression(inner)),
            )

    def metrics(self) -> "PairMeasure":
        """An empty collector."""
        return PairMeasure(self)

    def _flow_losses(
        self, picture: Tensor, noise: Tensor, time: Tensor, condition: Tensor
    ) -> Float[Tensor, " B"]:
        flow = self.config.flow
        return flow_losses(
            self.denoise(mix(picture, noise, time), time, condition),
            picture=picture,
            noise=noise,
            time=time,
            prediction=flow.prediction,
            smallest_gap=flow.smallest_gap,
        )

    def _answer_shape(self, batch: Batch) -> tuple[int, int, int, int]:
        _, _, height, width = batch.images.shape
        return len(batch), self.preprocess.channels, height, width


class PairMeasure:
    """The mean losses of the flow and of the baseline, at fixed noise and times."""

    def __init__(self, task: Translate) -> None:
        self._task = task
        self._losses = Rows()

    def update(self, batch: Batch) -> None:
        """Judges one batch."""
        self._losses.add(self._task.judge(self._task.pair(batch), batch.ids))

    def collected(self) -> tuple[Rows]:
        """See ``Measure``."""
        return (self._losses,)

    def figures(self) -> dict[str, float]:
        """``flow_loss`` and ``regression_loss``."""
        flow, regression = self._losses.whole().double().mean(dim=0).tolist()
        return {"flow_loss": flow, "regression_loss": regression}

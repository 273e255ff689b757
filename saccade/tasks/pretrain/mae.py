"""MAE: the encoder sees a quarter of a picture, and a small decoder draws the rest."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.vit import Vit
from saccade.config.model import Pool
from saccade.config.run import Preprocess
from saccade.config.task import PretrainConfig
from saccade.data.batch import Batch
from saccade.heads.classify import pooled
from saccade.heads.mae import PatchDecoder
from saccade.losses.mae import denormalise_patches, hidden_patches
from saccade.metrics.rows import Rows
from saccade.tasks.normalise import Normalise
from saccade.tasks.pretrain.representation import (
    MOST_JUDGED,
    Vectors,
    random_as_before,
    strength,
)
from saccade.tokens.masking import draw_visible, fill, is_hidden, keep
from saccade.tokens.patches import pad_to_multiple, patchify, unpatchify
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace


class Drawing(NamedTuple):
    """What MAE made of pictures, as bytes.

    Attributes:
        shown: what the encoder saw, the hidden patches grey.
        drawn: the same with the hidden patches as the decoder drew them.
    """

    shown: UInt8[Tensor, "B C H W"]
    drawn: UInt8[Tensor, "B C H W"]


class PretrainMae(nn.Module):
    """Masked autoencoding (arXiv 2111.06377), for pictures that augmentation would spoil.

    Nothing of a picture is changed, only hidden, so colour and handedness stay in what is learned.
    Vectors of such a model are poor as they come; it is meant to be fine-tuned. The best weights
    are chosen by the loss on held-out pictures, with the same patches hidden each time.

    Args:
        backbone: a vit that cuts pictures into patches, with attention over all of them.
        head: draws the hidden patches; left behind afterwards.
        pool: how tokens become the vector of a picture.
        class_names: of the pictures, where they have any; nothing is learned from them.
        preprocess: gives mean and standard deviation of the pixels.
        config: its numbers.
    """

    best_figure = "loss"
    best_is_low = True
    most_judged: int | None = MOST_JUDGED
    takes_parts = True

    def __init__(
        self,
        *,
        backbone: Vit,
        head: PatchDecoder,
        pool: Pool,
        class_names: tuple[str, ...],
        preprocess: Preprocess,
        config: PretrainConfig,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.reads: Pool = pool
        self.class_names = class_names
        self.config = config
        self.scale = Normalise(preprocess)

    def tokens(self, images: UInt8[Tensor, "B C H W"], trace: Trace | None = None) -> Tokens:
        """What the backbone makes of pictures as bytes, nothing of them hidden."""
        return self.backbone(self.normalise(images), trace)

    def normalise(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Bytes to the numbers that the backbone is given."""
        return self.scale(images)

    def score(
        self,
        tokens: Tokens,
        asked: Int64[Tensor, " B"],  # noqa: ARG002  as in Explained; there are no classes
    ) -> Float[Tensor, " B"]:
        """How strong the vector of each picture is."""
        return strength(tokens, self.reads)

    def vectors(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B D"]:
        """The vector of each picture, as long as it comes."""
        return pooled(self.tokens(images), self.reads)

    def loss(
        self,
        batch: Batch,
        *,
        progress: float,  # noqa: ARG002  as in Task
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The squared error on the hidden patches."""
        return {"loss": self.error(batch.images)}

    def error(
        self, images: UInt8[Tensor, "B C H W"], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, ""]:
        """Hides patches, draws them, and compares.

        Args:
            images: as bytes.
            generator: decides what is hidden; None: torch's global one.
        """
        numbers = self._padded(images)
        drawn, places = self._draw(numbers, generator)
        patches = patchify(numbers, self.backbone.patch_size)
        with torch.autocast(images.device.type, enabled=False):
            return hidden_patches(drawn, patches, is_hidden(places, patches.shape[1]))

    @torch.no_grad()
    def redraw(
        self, images: UInt8[Tensor, "B C H W"], *, generator: torch.Generator | None = None
    ) -> Drawing:
        """Pictures as the encoder saw them, and as they were drawn.

        The decoder draws patches of mean 0 and variance 1; each is given back the brightness and
        contrast of the true one, which it was never asked for.
        """
        patch_size, (height, width) = self.backbone.patch_size, images.shape[2:]
        numbers = self._padded(images)
        drawn, places = self._draw(numbers, generator)
        patches = patchify(numbers, patch_size)
        hidden = is_hidden(places, patches.shape[1])
        drawn = denormalise_patches(drawn.float(), patches)

        def picture(patches: Float[Tensor, "B n CPP"]) -> UInt8[Tensor, "B C H W"]:
            whole = unpatchify(
                patches, patch_size=patch_size, height=numbers.shape[2], width=numbers.shape[3]
            )
            return self.scale.to_bytes(whole[:, :, :height, :width])

        return Drawing(
            shown=picture(fill(patches, torch.zeros_like(patches), hidden)),
            drawn=picture(fill(patches, drawn, hidden)),
        )

    @torch.no_grad()
    def predict(self, batch: Batch) -> Float[Tensor, "B D"]:
        """The vector of each picture at unit length, in fp32."""
        return F.normalize(self.vectors(batch.images).float(), dim=1)

    def metrics(self) -> "MaeMeasure":
        """An empty collector."""
        return MaeMeasure(self)

    def _padded(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
        return pad_to_multiple(self.normalise(images), self.backbone.patch_size)

    def _draw(
        self, numbers: Float[Tensor, "B C H W"], generator: torch.Generator | None
    ) -> tuple[Float[Tensor, "B n CPP"], Int64[Tensor, "B m"]]:
        """All patches as drawn, and which of them were visible."""
        tokens = self.backbone.begin(numbers)
        places = draw_visible(
            len(numbers),
            tokens.grid.num_tokens,
            hidden=self.config.hidden,
            are_alike=tokens.rotation is not None,
            device=numbers.device,
            generator=generator,
        )
        visible = self.backbone.blocks(keep(tokens, places))
        return self.head(self.backbone.readout(visible), places, tokens.grid), places


class MaeMeasure:
    """The loss on held-out pictures, with the same patches hidden each time."""

    def __init__(self, task: PretrainMae) -> None:
        self._task = task
        self._losses = Rows()  # of batches, in fp64, each as often as it has pictures
        self._vectors = Vectors()

    def update(self, batch: Batch) -> None:
        """Looks at one batch."""
        loss = self._task.error(batch.images, generator=random_as_before(batch)).cpu().double()
        self._losses.add(loss.expand(len(batch)))
        labels = batch.targets if isinstance(batch.targets, Tensor) else None
        self._vectors.update(self._task.vectors(batch.images), labels)

    def collected(self) -> tuple[Rows, Vectors]:
        """See ``Measure``."""
        return self._losses, self._vectors

    def figures(self) -> dict[str, float]:
        """The loss, and what the vectors of the pictures are worth."""
        return {"loss": self._losses.whole().mean().item()} | self._vectors.figures()

"""From a run's configuration to a task that learns without labels."""

import torch

from saccade.backbones.build import AnyBackbone, build_backbone
from saccade.backbones.vit import Vit
from saccade.config.model import ModelConfig, Pool, VitConfig
from saccade.config.run import UNTAUGHT, Preprocess
from saccade.config.task import PretrainConfig, TeachConfig
from saccade.errors import UsageError
from saccade.heads.mae import PatchDecoder
from saccade.heads.projector import Projector, Prototypes
from saccade.tasks.lesson import Lesson
from saccade.tasks.pretrain.dino import PretrainDino
from saccade.tasks.pretrain.features import PretrainFeatures
from saccade.tasks.pretrain.mae import PretrainMae
from saccade.tasks.pretrain.views import Pretrain

AnyPretrain = Pretrain | PretrainDino | PretrainFeatures | PretrainMae


def build_pretrain(
    model: ModelConfig,
    config: PretrainConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    seed: int,
    teach: TeachConfig = UNTAUGHT,
) -> AnyPretrain:
    """Builds the task of a method with fresh weights.

    Args:
        model: the shape of the backbone.
        config: which method, and its numbers.
        class_names: of the pictures, where they have any.
        preprocess: how pictures are prepared.
        seed: decides the weights, and nothing else does.
        teach: of ``features``: what the teacher says.

    Raises:
        UsageError: the model cannot be trained by this method.
        ValueError: numbers of the model do not fit together.
    """
    if config.method == "mae":
        require_maskable(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(model, in_channels=preprocess.channels)
        return _with_head(
            backbone,
            pool_of(model),
            config,
            class_names=class_names,
            preprocess=preprocess,
            teach=teach,
        )


def require_maskable(model: ModelConfig) -> None:
    """MAE drops tokens before the first block, so each must stand for its patch alone.

    Raises:
        UsageError: tokens overlap, or blocks need all of them in their places.
    """
    reason = None
    if not isinstance(model, VitConfig):
        reason = f"{model.family} convolves the whole picture first"
    elif model.stem != "patches":
        reason = f"model.stem is {model.stem!r}, whose tokens see their neighbours' pixels"
    elif model.window_size or model.projection != "linear":
        reason = "windows and convolutional projections need every token in its place"
    elif model.tubelet_size > 1:
        reason = "the model reads clips"
    if reason is not None:
        raise UsageError(
            f"mae hides patches from the model, and this one cannot do without: {reason}. Take a "
            "vit with --set model.stem=patches, or another --method (visreg, lejepa, dino)"
        )


def pool_of(model: ModelConfig) -> Pool:
    """How the tokens of a backbone of this shape become one vector."""
    return model.pool if isinstance(model, VitConfig) else "mean"


def _with_head(
    backbone: AnyBackbone,
    pool: Pool,
    config: PretrainConfig,
    *,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    teach: TeachConfig,
) -> AnyPretrain:
    width = backbone.embed_dim * (2 if pool == "class_and_mean" else 1)
    hidden_dim, out_dim = config.projector_hidden, config.projector_dim
    match config.method:
        case "visreg" | "lejepa":
            return Pretrain(
                backbone=backbone,
                head=Projector(width, hidden_dim=hidden_dim, out_dim=out_dim),
                pool=pool,
                class_names=class_names,
                preprocess=preprocess,
                config=config,
            )
        case "dino":
            head = Prototypes(
                width,
                hidden_dim=hidden_dim,
                out_dim=out_dim,
                num_prototypes=config.num_prototypes,
            )
            return PretrainDino(
                backbone=backbone,
                head=head,
                pool=pool,
                class_names=class_names,
                preprocess=preprocess,
                config=config,
            )
        case "mae":
            assert isinstance(backbone, Vit)
            decoder = PatchDecoder(
                backbone.embed_dim,
                decoder_dim=config.decoder_dim,
                depth=config.decoder_depth,
                num_heads=config.decoder_heads,
                patch_dim=preprocess.channels * backbone.patch_size**2,
            )
            return PretrainMae(
                backbone=backbone,
                head=decoder,
                pool=pool,
                class_names=class_names,
                preprocess=preprocess,
                config=config,
            )
        case "features":
            return PretrainFeatures(
                backbone=backbone,
                head=Lesson(teach, embed_dim=backbone.embed_dim, pool=pool),
                class_names=class_names,
                preprocess=preprocess,
            )

"""What the ablation compares: small models that differ from their group's baseline in one thing."""

from dataclasses import dataclass, replace

from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    Residual,
    VitConfig,
)

WIDTH, HEADS, MLP_RATIO, PATCH = 96, 3, 2.0, 4
"""Of every case: the pico size on patches of 4 pixels."""

DEPTHS = (6, 12, 24)
RESIDUALS: tuple[Residual, ...] = ("prenorm", "rezero", "layerscale")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One model of the comparison.

    Attributes:
        name: what the table calls it.
        model: its numbers; learned positions still need the grid of the pictures.
    """

    name: str
    model: ModelConfig

    def model_for(self, image_size: int) -> ModelConfig:
        """The model, with learned positions kept for the grid of its own pictures."""
        if isinstance(self.model, VitConfig) and self.model.position == "learned":
            side = -(-image_size // PATCH)
            return replace(self.model, position_grid=(1, side, side))
        return self.model


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cases that are read together.

    Attributes:
        title: the question.
        baseline: the case that the others are compared with.
        others: those that differ from it in one thing.
    """

    title: str
    baseline: str
    others: tuple[str, ...]


_VIT = VitConfig(
    embed_dim=WIDTH,
    depth=DEPTHS[0],
    num_heads=HEADS,
    mlp_ratio=MLP_RATIO,
    patch_size=PATCH,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=0,
    has_class_token=False,
    drop_path=0.0,
)
_RAG = RagConfig(
    embed_dim=WIDTH,
    depth=2,
    num_heads=HEADS,
    mlp_ratio=MLP_RATIO,
    patch_size=PATCH,
    conv_depth=1,
    position="sincos",
    residual="rezero",
    has_features=True,
    has_raw_image=True,
    drop_path=0.0,
)
_ATTNCNN = AttentionCnnConfig(
    embed_dim=WIDTH,
    conv_depth=1,
    patch_size=PATCH,
    num_heads=HEADS,
    num_attentions=2,
    similarity="dot",
    projection="linear",
)


def _cases() -> list[tuple[str, ModelConfig]]:
    """Names and models, cheap to dear within a group, the deepest of all last."""
    depths: list[tuple[str, ModelConfig]] = [
        (f"vit {residual}, {depth} blocks", replace(_VIT, depth=depth, residual=residual))
        for depth in DEPTHS
        for residual in RESIDUALS
    ]
    return [
        *depths[:3],
        ("vit stem conv", replace(_VIT, stem="conv")),
        ("vit stem cnn", replace(_VIT, stem="cnn")),
        ("vit position none", replace(_VIT, position="none")),
        ("vit position learned", replace(_VIT, position="learned")),
        ("vit position rotary", replace(_VIT, position="rotary")),
        ("rag", _RAG),
        ("rag without features", replace(_RAG, has_features=False)),
        ("rag without raw image", replace(_RAG, has_raw_image=False)),
        ("rag prenorm", replace(_RAG, residual="prenorm")),
        ("rag layerscale", replace(_RAG, residual="layerscale")),
        ("attncnn", _ATTNCNN),
        ("attncnn cosine", replace(_ATTNCNN, similarity="cosine")),
        ("attncnn conv projection", replace(_ATTNCNN, projection="conv")),
        ("attncnn without attention", replace(_ATTNCNN, num_attentions=0)),
        ("cnn", CnnConfig(embed_dim=WIDTH, conv_depth=2, patch_size=PATCH)),
        *depths[3:],
    ]


CASES = {name: Case(name=name, model=model) for name, model in _cases()}

_BASE = f"vit prenorm, {DEPTHS[0]} blocks"  # patches, sin-cos positions

GROUPS = (
    *(
        Group(
            title=f"Residual rule of a ViT, {depth} blocks",
            baseline=f"vit prenorm, {depth} blocks",
            others=tuple(f"vit {rule}, {depth} blocks" for rule in RESIDUALS[1:]),
        )
        for depth in DEPTHS
    ),
    Group(
        title="Depth of a ViT, pre-norm",
        baseline=_BASE,
        others=tuple(f"vit prenorm, {depth} blocks" for depth in DEPTHS[1:]),
    ),
    Group(
        title="How a ViT reads pixels (baseline: patches)",
        baseline=_BASE,
        others=("vit stem conv", "vit stem cnn"),
    ),
    Group(
        title="Positions of a ViT (baseline: sin-cos)",
        baseline=_BASE,
        others=("vit position none", "vit position learned", "vit position rotary"),
    ),
    Group(
        title="Parts of rag",
        baseline="rag",
        others=(
            "rag without features",
            "rag without raw image",
            "rag prenorm",
            "rag layerscale",
        ),
    ),
    Group(
        title="Attention on the maps of a CNN",
        baseline="attncnn",
        others=(
            "attncnn cosine",
            "attncnn conv projection",
            "attncnn without attention",
            "cnn",
        ),
    ),
)

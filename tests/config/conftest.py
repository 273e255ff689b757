"""One configuration of each family, and a run."""

from dataclasses import replace

import pytest

from saccade.backbones.sizes import FAMILIES, model_config
from saccade.config.model import AttentionCnnConfig, ModelConfig, RagConfig, VitConfig
from saccade.config.run import AugmentConfig, DataConfig, OptimConfig, RunConfig

PICO = {family: model_config(f"{family}-pico4") for family in FAMILIES}
VIT, RAG, ATTNCNN = PICO["vit"], PICO["rag"], PICO["attncnn"]
assert isinstance(VIT, VitConfig)
assert isinstance(RAG, RagConfig)
assert isinstance(ATTNCNN, AttentionCnnConfig)

MODELS: dict[str, ModelConfig] = {
    "vit": replace(
        VIT,
        depth=2,
        position="learned",
        residual="layerscale",
        num_registers=1,
        has_class_token=True,
        drop_path=0.1,
        attention="fused",
        position_grid=(2, 8, 6),
        pool="class_and_mean",
    ),
    "rag": replace(RAG, has_raw_image=False, projection="conv"),
    "attncnn": replace(ATTNCNN, similarity="cosine", projection="conv"),
    "cnn": PICO["cnn"],
}


@pytest.fixture(params=list(MODELS.values()), ids=list(MODELS))
def model(request: pytest.FixtureRequest) -> ModelConfig:
    """Each family in turn."""
    return request.param


@pytest.fixture
def run() -> RunConfig:
    """A run of a ViT."""
    return RunConfig(
        job="classify",
        seed=0,
        steps=100,
        budget_seconds=60.0,
        log_every=10,
        evaluate_every=50,
        save_every=50,
        precision="fp32",
        model=MODELS["vit"],
        data=DataConfig(
            source="pictures",
            image_size=32,
            channels=3,
            fit="crop",
            batch_size=8,
            val_fraction=0.1,
            test_fraction=0.2,
            max_bad_fraction=0.01,
            cache_gib=1.0,
            num_threads=2,
        ),
        augment=AugmentConfig(
            flip=0.5,
            translate=0.1,
            zoom=0.1,
            rotate_degrees=10.0,
            shear=0.0,
            colour=0.2,
            erase=0.0,
        ),
        optim=OptimConfig(
            lr=1e-3,
            weight_decay=0.05,
            beta1=0.9,
            beta2=0.99,
            warmup=0.1,
            final_lr=0.01,
            clip_norm=1.0,
            label_smoothing=0.1,
            average=0.1,
        ),
    )

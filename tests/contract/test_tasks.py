"""What every task promises, whatever its backbone: it learns, all of it, and can be kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.config.run import Preprocess
from saccade.data.batch import Batch
from saccade.run.weights import load_weights, save_weights
from saccade.tasks.build import build_head
from saccade.tasks.classify import Classify
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Blocks

SMALL = {"embed_dim": 24, "num_heads": 2}
PICO_VIT, PICO_RAG = model_config("vit-pico4"), model_config("rag-pico4")
PICO_ATTNCNN = model_config("attncnn-pico4")
assert isinstance(PICO_VIT, VitConfig)
assert isinstance(PICO_RAG, RagConfig)
assert isinstance(PICO_ATTNCNN, AttentionCnnConfig)
VIT = replace(PICO_VIT, **SMALL, depth=2, stem="patches", position_grid=(1, 4, 4))
RAG = replace(PICO_RAG, **SMALL, position_grid=(1, 4, 4))
ATTNCNN = replace(PICO_ATTNCNN, **SMALL)
CLASS = replace(VIT, has_class_token=True, pool="class")
MODELS = {
    "vit": VIT,
    "vit conv stem learned class registers": replace(
        CLASS, stem="conv", position="learned", num_registers=2
    ),
    "vit layerscale drop path": replace(VIT, residual="layerscale", drop_path=0.1),
    "vit rezero": replace(VIT, residual="rezero"),
    "vit cnn stem": replace(VIT, stem="cnn"),
    "vit rotary class and mean": replace(CLASS, position="rotary", pool="class_and_mean"),
    "vit cosine conv": replace(VIT, similarity="cosine", projection="conv"),
    "vit windows distilled": replace(
        CLASS, window_size=2, num_global_blocks=1, num_registers=1, pool="distilled"
    ),
    "vit qk norm swiglu norm after pooling": replace(
        CLASS,
        has_qk_norm=True,
        has_gated_mlp=True,
        activation="silu",
        has_qkv_bias=False,
        pool="mean",
        final_norm="pooled",
    ),
    "vit as in clip": replace(
        CLASS,
        position="learned",
        num_prefix_positions=1,
        has_embed_norm=True,
        has_patch_bias=False,
        activation="quick_gelu",
    ),
    "rag": RAG,
    "rag no features learned": replace(RAG, has_features=False, position="learned"),
    "rag no raw image prenorm": replace(RAG, has_raw_image=False, residual="prenorm"),
    "rag rotary cosine": replace(RAG, position="rotary", similarity="cosine"),
    "attncnn": ATTNCNN,
    "attncnn cosine conv": replace(ATTNCNN, similarity="cosine", projection="conv"),
    "cnn": CnnConfig(embed_dim=24, conv_depth=1, patch_size=4),
}


@pytest.fixture(params=list(MODELS.values()), ids=list(MODELS))
def config(request: pytest.FixtureRequest) -> ModelConfig:
    return request.param


@pytest.fixture
def batch() -> Batch:
    """Eight pictures of noise in four classes, to be learned by heart."""
    images = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8)
    return Batch(images=images, targets=torch.arange(8) % 4, ids=torch.arange(8))


def make_task(config: ModelConfig) -> Classify:
    return Classify(
        backbone=build_backbone(config, in_channels=3),
        head=build_head(config, num_classes=4),
        class_names=("a", "b", "c", "d"),
        preprocess=Preprocess(
            height=16, width=16, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.3,) * 3
        ),
        label_smoothing=0.0,
    )


def weights(task: Classify) -> dict[str, torch.nn.Parameter]:
    """All parameters but the prefix of a model without prefix tokens, which holds no number."""
    return {name: p for name, p in task.named_parameters() if p.numel()}


def learn(task: Classify, batch: Batch, *, steps: int) -> list[float]:
    """The loss of each step; the gradients of the last one stay on the parameters."""
    optimizer = torch.optim.AdamW(task.train().parameters(), lr=3e-3)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = task.loss(batch, progress=0.0)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_eight_pictures_are_learned_by_heart_in_thirty_steps(
    config: ModelConfig, batch: Batch
) -> None:
    losses = learn(make_task(config), batch, steps=30)

    assert losses[0] == pytest.approx(torch.tensor(4.0).log().item(), rel=1e-5)
    assert all(loss < 3 for loss in losses)
    assert losses[-1] < 0.5 * losses[0]


def test_every_parameter_has_a_gradient_after_three_steps(
    config: ModelConfig, batch: Batch
) -> None:
    """One step for the head that starts at zero, one for ReZero's alphas, one for all behind."""
    task = make_task(config)

    learn(task, batch, steps=3)

    silent = [name for name, p in weights(task).items() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_predicting_twice_gives_the_same_bits(config: ModelConfig, batch: Batch) -> None:
    task = make_task(config)
    learn(task, batch, steps=2)
    task.eval()

    probs = task.predict(batch)

    assert torch.equal(task.predict(batch), probs)
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(8))


def test_predicting_changes_nothing_in_the_model(config: ModelConfig, batch: Batch) -> None:
    task = make_task(config).eval()
    before = {name: value.clone() for name, value in task.state_dict().items()}

    task.predict(batch)
    task.metrics().update(batch)

    after = task.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(parameter.grad is None for parameter in task.parameters())


def test_saved_and_loaded_it_answers_with_the_same_bits(
    config: ModelConfig, batch: Batch, tmp_path: Path
) -> None:
    task = make_task(config)
    learn(task, batch, steps=3)
    other = make_task(config)
    save_weights(tmp_path / "weights.safetensors", task, header={})

    load_weights(tmp_path / "weights.safetensors", other)

    assert torch.equal(other.eval().predict(batch), task.eval().predict(batch))


def test_bf16_autocast_gives_a_finite_fp32_loss_close_to_that_of_fp32(
    config: ModelConfig, batch: Batch
) -> None:
    task = make_task(config)
    learn(task, batch, steps=3)
    task.eval()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = task.loss(batch, progress=0.0)["loss"]
    loss.backward()

    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(
        task.loss(batch, progress=0.0)["loss"].item(), rel=0.05, abs=0.02
    )
    assert all(p.grad is not None and p.grad.isfinite().all() for p in weights(task).values())


def test_both_paths_of_attention_give_the_same_loss_and_gradients(
    config: ModelConfig, batch: Batch
) -> None:
    task = make_task(config)
    learn(task, batch, steps=3)
    task.eval()
    found = []
    for path in ("fused", "explicit"):
        for module in task.modules():
            if isinstance(module, SelfAttention):
                module.path = path
        loss = task.loss(batch, progress=0.0)["loss"]
        found.append([loss, *torch.autograd.grad(loss, list(weights(task).values()))])

    for fused, explicit in zip(*found, strict=True):
        torch.testing.assert_close(fused, explicit, rtol=1e-3, atol=1e-5)


def test_recomputing_blocks_changes_no_bit_of_a_training(config: ModelConfig, batch: Batch) -> None:
    losses = []
    for recompute in (False, True):
        torch.manual_seed(11)
        task = make_task(config)
        for module in task.modules():
            if isinstance(module, Blocks):
                module.recompute = recompute
        losses.append(learn(task, batch, steps=4))

    assert losses[0] == losses[1]

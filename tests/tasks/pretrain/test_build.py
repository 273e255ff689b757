"""Each method gets its task and head, from any backbone that it can train, or a clear refusal."""

from dataclasses import replace

import pytest
import torch

from saccade.backbones.sizes import model_config
from saccade.config.model import ModelConfig, VitConfig
from saccade.errors import UsageError
from saccade.tasks.pretrain.build import require_maskable
from saccade.tasks.pretrain.dino import PretrainDino
from saccade.tasks.pretrain.mae import PretrainMae
from saccade.tasks.pretrain.views import Pretrain
from tests.contract.worlds.world import RAG, VIT
from tests.tasks.pretrain.worlds import make, pictures

TASKS = {"visreg": Pretrain, "lejepa": Pretrain, "dino": PretrainDino, "mae": PretrainMae}
BACKBONES = {
    "vit": VIT,
    "vit class": replace(VIT, has_class_token=True, pool="class"),
    "vit class and mean": replace(VIT, has_class_token=True, pool="class_and_mean"),
    "rag": RAG,
    "attncnn": model_config("attncnn-pico4"),
    "cnn": model_config("cnn-pico4"),
}


@pytest.mark.parametrize(("method", "kind"), TASKS.items())
def test_each_method_has_its_task(method: str, kind: type) -> None:
    assert isinstance(make(method=method), kind)


@pytest.mark.parametrize("model", list(BACKBONES.values()), ids=list(BACKBONES))
@pytest.mark.parametrize("method", ["visreg", "dino"])
def test_views_train_any_backbone(model: ModelConfig, method: str) -> None:
    made = make(model, method=method)

    loss = made.loss(pictures(), progress=0.0)["loss"]
    loss.backward()

    assert loss.isfinite()
    vectors = made.eval().predict(pictures())
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(6))


def test_the_weights_are_a_function_of_the_seed_alone() -> None:
    first = make(method="dino").state_dict()
    torch.rand(5)
    state = torch.get_rng_state()
    second = make(method="dino").state_dict()

    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (RAG, "rag convolves"),
        (replace(VIT, stem="conv"), "stem is 'conv'"),
        (replace(VIT, window_size=2, num_global_blocks=1), "windows"),
        (replace(VIT, projection="conv"), "convolutional projections"),
        (replace(VIT, tubelet_size=2), "clips"),
    ],
)
def test_mae_refuses_models_that_need_every_token(model: ModelConfig, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refusal:
        make(model, method="mae")

    assert "model.stem=patches" in str(refusal.value)
    assert "visreg" in str(refusal.value)


def test_a_plain_vit_of_any_position_can_be_masked() -> None:
    for position in ("none", "sincos", "learned", "rotary"):
        model = replace(VIT, position=position)
        assert isinstance(model, VitConfig)
        require_maskable(model)
        assert make(model, method="mae").loss(pictures(), progress=0.0)["loss"].isfinite()

"""The tokens of any layer are those of the forward pass, at the price of the layers asked for."""

import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.attention_cnn import AttentionCnn
from saccade.backbones.build import AnyBackbone, build_backbone
from saccade.backbones.features import layer_tokens, num_layers
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens
from saccade.transformer.block import Blocks
from tests import tiny

# Family, settings, and how many layers that is.
MODELS: list[tuple[str, dict[str, Any], int]] = [
    ("vit-pico4", {"model__has_class_token": "true", "model__num_registers": "2"}, 4),
    ("vit-pico4", {"model__position": "rotary", "model__window_size": "2"}, 4),
    ("rag-pico4", {"model__residual": "prenorm"}, 2),
    ("attncnn-pico8", {"model__num_attentions": "1"}, 3),
    ("cnn-pico8", {}, 3),
]


def build(model: str, settings: dict[str, Any]) -> AnyBackbone:
    """In evaluation, with batch statistics that are not 0 and 1."""
    backbone = build_backbone(tiny.config(model, **settings).model, in_channels=3)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.get_buffer("running_mean"), std=0.1)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 2)
    return backbone.eval()


def layers_of(backbone: AnyBackbone) -> list[nn.Module]:
    """The modules whose outputs are the layers."""
    match backbone:
        case Vit() | Rag():
            return list(backbone.blocks)
        case AttentionCnn():
            return list(backbone.attentions)
        case _:
            return list(backbone.features.stages)


def seen_by_hooks(backbone: AnyBackbone, images: Tensor) -> list[Tensor]:
    """What each layer returned in the backbone's own forward pass, as ``B N D``."""
    found: list[Tensor] = []

    def note(module: nn.Module, inputs: object, output: Tokens | Tensor) -> None:
        is_map = isinstance(output, Tensor)
        found.append(output.flatten(2).transpose(1, 2) if is_map else output.x)

    handles = [layer.register_forward_hook(note) for layer in layers_of(backbone)]
    backbone(images)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize(("model", "settings", "count"), MODELS)
def test_each_layer_gives_what_it_gave_in_the_forward_pass(
    model: str, settings: dict[str, Any], count: int
):
    backbone, images = build(model, settings), torch.randn(2, 3, 20, 13)
    expected = seen_by_hooks(backbone, images)
    assert num_layers(backbone) == len(expected) == count
    found = layer_tokens(backbone, images, range(count))
    for tokens, x in zip(found, expected, strict=True):
        assert torch.equal(tokens.x, x)


@pytest.mark.parametrize(("model", "settings", "count"), MODELS)
def test_the_last_layer_through_the_final_norm_is_the_forward_pass(
    model: str, settings: dict[str, Any], count: int
):
    backbone, images = build(model, settings), torch.randn(2, 3, 16, 16)
    whole = backbone(images)
    for layer in (-1, count - 1):
        (tokens,) = layer_tokens(backbone, images, [layer], norm="final")
        assert torch.equal(tokens.x, whole.x)
        assert (tokens.grid, tokens.num_prefix) == (whole.grid, whole.num_prefix)
    (plain,) = layer_tokens(backbone, images, [-1])
    assert not torch.equal(plain.x, whole.x)


def test_layers_come_in_the_order_asked_for_and_negative_ones_count_from_the_end():
    backbone, images = build(*MODELS[0][:2]), torch.randn(1, 3, 16, 16)
    every = layer_tokens(backbone, images, range(4))
    found = layer_tokens(backbone, images, (-1, 0, -3, 3, -4))
    for tokens, index in zip(found, (3, 0, 1, 3, 0), strict=True):
        assert torch.equal(tokens.x, every[index].x)


def test_prefix_tokens_stand_apart_and_the_patches_make_a_map():
    backbone = build(*MODELS[0][:2])
    (tokens,) = layer_tokens(backbone, torch.randn(2, 3, 16, 24), [1])
    assert (tokens.num_prefix, tokens.grid) == (3, Grid(1, 4, 6))
    assert tokens.prefix.shape == (2, 3, 96)
    feature_map = tokens.as_map()
    assert feature_map.shape == (2, 96, 4, 6)
    assert torch.equal(feature_map[:, :, 2, 5], tokens.patches[:, 2 * 6 + 5])


@pytest.mark.parametrize("model", ["cnn-pico8", "attncnn-pico8"])
def test_the_stages_of_a_cnn_are_a_pyramid(model: str):
    pyramid = layer_tokens(build(model, {}), torch.randn(1, 3, 20, 32), [0, 1, 2])
    assert [t.as_map().shape for t in pyramid] == [(1, 24, 12, 16), (1, 48, 6, 8), (1, 96, 3, 4)]


@pytest.mark.parametrize("layers", [[4], [-5], [0, 99]])
def test_a_layer_that_is_not_there_is_refused_with_those_that_are(layers: list[int]):
    wrong = f"no layer {layers[-1]}; the backbone has 4, from 0 to 3, or from -4 to -1"
    with pytest.raises(ValueError, match=wrong):
        layer_tokens(build(*MODELS[0][:2]), torch.randn(1, 3, 16, 16), layers)


def test_asking_for_nothing_is_refused():
    with pytest.raises(ValueError, match="no layer was asked for; there are 2, from 0 to 1"):
        layer_tokens(build("rag-pico4", {}), torch.randn(1, 3, 16, 16), [])


def test_the_final_norm_of_a_cnn_does_not_fit_a_narrower_stage():
    backbone, images = build("cnn-pico8", {}), torch.randn(1, 3, 16, 16)
    with pytest.raises(ValueError, match="tokens of width 96, and layer 1 has 48"):
        layer_tokens(backbone, images, [1], norm="final")


@pytest.mark.parametrize(("model", "settings", "count"), MODELS)
def test_nothing_runs_after_the_last_layer_asked_for(
    model: str, settings: dict[str, Any], count: int
):
    backbone, ran = build(model, settings), []
    for index, layer in enumerate(layers_of(backbone)):
        layer.register_forward_hook(lambda *_, index=index: ran.append(index))
    layer_tokens(backbone, torch.randn(1, 3, 16, 16), [0, 1])
    assert ran == [0, 1]


def test_layers_that_are_not_asked_for_are_let_go_of():
    backbone, alive = build(*MODELS[0][:2]), []
    outputs: list[weakref.ref[Tensor]] = []

    def note(module: nn.Module, inputs: object, output: Tokens) -> None:
        alive.append(sum(output() is not None for output in outputs))
        outputs.append(weakref.ref(output.x))

    for layer in layers_of(backbone):
        layer.register_forward_hook(note)
    with torch.no_grad():
        layer_tokens(backbone, torch.randn(1, 3, 16, 16), [3])
    # Of the layers before, at most the one that is the input of the next is still there.
    assert max(alive) <= 1
    assert sum(output() is not None for output in outputs) == 0


def test_gradients_flow_as_the_caller_says():
    backbone, images = build(*MODELS[0][:2]), torch.randn(1, 3, 16, 16, requires_grad=True)
    with torch.no_grad():
        assert not layer_tokens(backbone, images, [1])[0].x.requires_grad
    layer_tokens(backbone, images, [1])[0].x.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    moved = {name for name, p in backbone.named_parameters() if p.grad is not None}
    assert any(name.startswith("blocks.1.") for name in moved)
    assert not any(name.startswith(("blocks.2.", "blocks.3.", "norm.")) for name in moved)


def test_the_mode_of_the_backbone_is_left_alone():
    backbone = build("rag-pico4", {})
    for is_training in (True, False):
        backbone.train(is_training)
        layer_tokens(backbone, torch.randn(2, 3, 16, 16), [-1])
        assert backbone.training is is_training


def test_layers_of_a_model_that_saves_memory_have_the_same_gradient():
    gradients = []
    for is_saving in (False, True):
        torch.manual_seed(0)
        backbone = build(*MODELS[0][:2]).train()
        for module in backbone.modules():
            if isinstance(module, Blocks):
                module.recompute = is_saving
        first, last = layer_tokens(backbone, torch.ones(2, 3, 16, 16), [0, -1])
        (first.x.square().sum() + last.x.square().sum()).backward()
        gradients.append({n: p.grad for n, p in backbone.named_parameters() if p.grad is not None})
    assert gradients[0]
    assert tiny.same_bits(gradients[0], gradients[1])

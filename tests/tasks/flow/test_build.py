"""Generators and translators are built from their seed alone, and their parts fit together."""

import pytest
import torch

from saccade.config.task import EditConfig, GenerateConfig, TranslateConfig
from saccade.tasks.flow.build import build_generator, build_translator
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.translate import Translate
from tests.contract.worlds.world import RAG, VIT, tiny_preprocess


def generator(seed: int = 0, names: tuple[str, ...] = ("a", "b")) -> Generate:
    return build_generator(
        VIT, GenerateConfig(), class_names=names, preprocess=tiny_preprocess(), seed=seed
    )


def translator(edit: EditConfig) -> Translate:
    return build_translator(
        VIT,
        TranslateConfig(edit=edit),
        class_names=(),
        preprocess=tiny_preprocess(),
        seed=0,
    )


def test_the_weights_are_a_function_of_the_seed_and_leave_the_generator_alone() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = generator().state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)

    same, other = generator().state_dict(), generator(seed=1).state_dict()

    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_there_is_a_vector_for_each_class_and_one_for_none() -> None:
    labels = generator().labels

    assert labels is not None
    assert labels.weight.shape == (3, VIT.embed_dim)
    assert generator(names=()).labels is None


@pytest.mark.parametrize(("kind", "channels"), [("none", 6), ("colourise", 4)])
def test_the_condition_lies_beside_the_noise_as_channels(kind: str, channels: int) -> None:
    made = translator(EditConfig(kind=kind))  # pyrefly: ignore[bad-argument-type]

    assert made.backbone.embed.project.weight.shape[1] == channels
    assert made.regression.backbone.embed.project.weight.shape[1] == channels - 3


def test_the_baseline_has_the_same_network_but_for_the_noise_it_is_not_given() -> None:
    made = translator(EditConfig())

    flow = {name: p.shape for name, p in made.backbone.named_parameters()}
    baseline = {name: p.shape for name, p in made.regression.backbone.named_parameters()}

    assert flow.keys() == baseline.keys()
    other = [name for name in flow if flow[name] != baseline[name]]
    assert other == ["embed.project.weight"]


def test_other_families_are_refused() -> None:
    with pytest.raises(ValueError, match="vit alone"):
        build_generator(RAG, GenerateConfig(), class_names=(), preprocess=tiny_preprocess(), seed=0)

"""A task is built from its config and seed alone."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.backbones.cnn import Cnn
from saccade.backbones.sizes import model_config
from saccade.config.model import CnnConfig, Pool, VitConfig
from saccade.config.run import AugmentConfig, DataConfig, OptimConfig, Preprocess, RunConfig
from saccade.tasks.build import build_classifier, build_task

CNN = CnnConfig(embed_dim=16, conv_depth=1, patch_size=4)
PICO = model_config("vit-pico4")
assert isinstance(PICO, VitConfig)
VIT = replace(
    PICO,
    embed_dim=16,
    depth=1,
    num_heads=2,
    stem="patches",
    position="learned",
    position_grid=(1, 2, 2),
    num_registers=1,
    has_class_token=True,
)
GREY = Preprocess(height=8, width=8, channels=1, fit="crop", mean=(0.5,), std=(0.25,))
RGB = replace(GREY, channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
NAMES = ("ant", "bee", "cat")


@pytest.fixture
def config() -> RunConfig:
    return RunConfig(
        job="classify",
        seed=5,
        steps=10,
        budget_seconds=None,
        log_every=1,
        evaluate_every=5,
        save_every=5,
        precision="fp32",
        model=CNN,
        data=DataConfig(
            source="pictures",
            image_size=8,
            channels=1,
            fit="crop",
            batch_size=4,
            val_fraction=0.1,
            test_fraction=0.1,
            max_bad_fraction=0.0,
            cache_gib=1.0,
            num_threads=1,
        ),
        augment=AugmentConfig(
            flip=0.0,
            translate=0.0,
            zoom=0.0,
            rotate_degrees=0.0,
            shear=0.0,
            colour=0.0,
            erase=0.0,
        ),
        optim=OptimConfig(
            lr=1e-3,
            weight_decay=0.05,
            beta1=0.9,
            beta2=0.99,
            warmup=0.1,
            final_lr=0.0,
            clip_norm=1.0,
            label_smoothing=0.2,
            average=0.1,
        ),
    )


def weights(task: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in task.parameters()])


def test_the_weights_are_a_function_of_the_seed_alone(config: RunConfig) -> None:
    one = build_task(config, class_names=NAMES, preprocess=GREY)
    torch.manual_seed(99)
    same = build_task(config, class_names=NAMES, preprocess=GREY)
    other = build_task(replace(config, seed=6), class_names=NAMES, preprocess=GREY)

    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


def test_building_leaves_torchs_generator_as_it_was(config: RunConfig) -> None:
    before = torch.get_rng_state()

    build_task(config, class_names=NAMES, preprocess=GREY)

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("preprocess", [GREY, RGB], ids=["grey", "rgb"])
def test_the_task_takes_the_channels_it_was_built_for(
    config: RunConfig, preprocess: Preprocess
) -> None:
    task = build_task(config, class_names=NAMES, preprocess=preprocess)
    images = torch.zeros(2, preprocess.channels, 8, 8, dtype=torch.uint8)

    assert isinstance(task.backbone, Cnn)
    assert task.eval()(images).logits.shape == (2, 3)
    assert task.label_smoothing == 0.2
    assert task.class_names == NAMES


@pytest.mark.parametrize("pool", ["mean", "class", "class_and_mean", "distilled"])
def test_the_head_reads_the_tokens_as_the_config_says(config: RunConfig, pool: Pool) -> None:
    vit = replace(config, model=replace(VIT, pool=pool))

    task = build_task(vit, class_names=NAMES, preprocess=GREY)

    assert task.head.pool == pool
    logits = task.eval()(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).logits
    assert logits.shape == (2, 3)


def test_backbones_without_a_prefix_are_read_by_their_mean(config: RunConfig) -> None:
    assert build_task(config, class_names=NAMES, preprocess=GREY).head.pool == "mean"


def test_a_pool_that_needs_a_class_token_is_refused_without_one(config: RunConfig) -> None:
    without = replace(config, model=replace(VIT, has_class_token=False, pool="class"))

    with pytest.raises(ValueError, match="pool is 'class' and has_class_token is False"):
        build_task(without, class_names=NAMES, preprocess=GREY)


def test_a_final_norm_stands_before_pooling_or_after_it_but_not_at_both_places(
    config: RunConfig,
) -> None:
    norms = {}
    for final_norm in ("tokens", "pooled"):
        model = replace(VIT, final_norm=final_norm, norm_eps=1e-3, pooled_norm_eps=1e-2)
        task = build_task(replace(config, model=model), class_names=NAMES, preprocess=GREY)
        norms[final_norm] = [
            getattr(norm, "eps", None) for norm in (task.backbone.norm, task.head.norm)
        ]

    assert norms == {"tokens": [1e-3, None], "pooled": [None, 1e-2]}


def test_numbers_that_do_not_fit_together_are_refused(config: RunConfig) -> None:
    with pytest.raises(ValueError, match=r"16 .* 3 heads"):
        build_task(
            replace(config, model=replace(VIT, num_heads=3)), class_names=NAMES, preprocess=GREY
        )


def test_a_classifier_needs_no_run():
    made = build_classifier(VIT, class_names=NAMES, preprocess=RGB, seed=3, label_smoothing=0.2)
    again = build_classifier(VIT, class_names=NAMES, preprocess=RGB, seed=3, label_smoothing=0.2)
    other = build_classifier(VIT, class_names=NAMES, preprocess=RGB, seed=4, label_smoothing=0.2)
    name = "backbone.prefix"
    assert torch.equal(made.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(made.state_dict()[name], other.state_dict()[name])
    assert (made.class_names, made.label_smoothing) == (NAMES, 0.2)


def test_without_classes_there_are_features_all_the_same():
    made = build_classifier(VIT, class_names=(), preprocess=RGB, seed=3, label_smoothing=0.0)
    assert made.class_names == ()
    assert made.tokens(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).x.shape == (1, 6, 16)

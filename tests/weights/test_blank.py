"""The blank task has the names and shapes of the task that would be built, and no values."""

from dataclasses import replace

import pytest

from saccade.backbones.build import build_backbone
from saccade.config.model import VitConfig
from saccade.errors import DataError
from saccade.tasks.build import build_head
from saccade.weights.blank import blank

VIT = VitConfig(
    embed_dim=16,
    depth=2,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="learned",
    residual="layerscale",
    num_registers=1,
    has_class_token=True,
    drop_path=0.0,
    position_grid=(1, 3, 3),
    num_prefix_positions=2,
    pool="distilled",
)


@pytest.mark.parametrize(
    "config",
    [
        VIT,
        replace(VIT, pool="class_and_mean", final_norm="pooled", has_gated_mlp=True),
        replace(VIT, has_class_token=False, num_registers=0, num_prefix_positions=0, pool="mean"),
    ],
)
@pytest.mark.parametrize("in_channels", [1, 3])
def test_it_is_the_state_of_a_real_task(config: VitConfig, in_channels: int) -> None:
    backbone = build_backbone(config, in_channels=in_channels)
    head = build_head(config, num_classes=5)
    real = {f"backbone.{name}": each.shape for name, each in backbone.state_dict().items()}
    real |= {f"head.{name}": each.shape for name, each in head.state_dict().items()}

    found = blank(config, num_classes=5, in_channels=in_channels)

    assert {name: each.shape for name, each in found.items()} == real
    assert all(each.is_meta for each in found.values())


def test_without_classes_there_is_no_linear_head_but_its_norm_stays() -> None:
    found = blank(replace(VIT, final_norm="pooled"), num_classes=0)

    assert {name for name in found if name.startswith("head.")} == {
        "head.norm.weight",
        "head.norm.bias",
    }


def test_numbers_that_do_not_fit_are_bad_data() -> None:
    with pytest.raises(DataError, match="16 cannot be shared by 3 heads"):
        blank(replace(VIT, num_heads=3), num_classes=5)

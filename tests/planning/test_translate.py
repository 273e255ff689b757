"""The recipe of translation finds pairs, or is told what to take from pictures, and needs one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.config.check import check
from saccade.config.run import RunConfig
from saccade.config.task import TranslateConfig
from saccade.data.targets import PictureTargets
from saccade.errors import DataError, UsageError
from saccade.planning.generate import from_minus_one_to_one
from saccade.planning.translate import (
    EDITS,
    FEWEST_PAIRS,
    has_pairs,
    judging_cost,
    open_pairs_or_pictures,
    pair_targets,
    translate_with,
)
from tests import tiny
from tests.tiny_flow import draw_pairs


def config(source: Path, kind: str, *, is_grey: bool = False) -> RunConfig:
    return translate_with(kind)(
        replace(tiny.facts(), is_grey=is_grey),
        source=str(source),
        model="vit-nano4",
        image_size=16,
        steps=100,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return draw_pairs(tmp_path / "pairs", count=3)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return tiny.draw_folder(tmp_path / "plain", count=2)


def test_pairs_and_plain_pictures_are_both_sources(pairs: Path, plain: Path) -> None:
    assert has_pairs(open_pairs_or_pictures(str(pairs)))
    assert not has_pairs(open_pairs_or_pictures(str(plain)))


def test_pictures_twice_as_wide_as_high_are_pairs(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (16, 8)).save(tmp_path / f"{number}.png")

    assert has_pairs(open_pairs_or_pictures(str(tmp_path)))


def test_a_picture_without_a_partner_is_named(pairs: Path) -> None:
    (pairs / "target" / "001.png").unlink()

    with pytest.raises(DataError, match=r"without a partner.*001\.png"):
        open_pairs_or_pictures(str(pairs))


def test_pairs_are_learned_whole_and_in_colour(pairs: Path) -> None:
    made = check(config(pairs, "none"))

    assert made.job == "translate"
    assert made.data.fit == "squash"
    assert made.data.channels == 3


def test_grey_conditions_may_become_coloured_pictures(tmp_path: Path) -> None:
    folder = draw_pairs(tmp_path / "pairs", count=3)
    assert config(folder, "none", is_grey=True).data.channels == 3
    for path in (folder / "target").iterdir():
        Image.fromarray(np.zeros((16, 16), np.uint8)).save(path)

    assert config(folder, "none", is_grey=True).data.channels == 1


@pytest.mark.parametrize("kind", EDITS)
def test_each_edit_makes_a_task_of_plain_pictures(kind: str, plain: Path) -> None:
    made = check(config(plain, kind))

    assert isinstance(made.task, TranslateConfig)
    assert made.task.edit.kind == kind


def test_plain_pictures_without_an_edit_are_refused_with_what_to_say(plain: Path) -> None:
    with pytest.raises(UsageError, match=r"task\.edit\.kind=K.*colourise, denoise, enlarge"):
        config(plain, "none")


def test_pairs_with_an_edit_are_refused(pairs: Path) -> None:
    with pytest.raises(UsageError, match="holds pairs"):
        config(pairs, "denoise")


def test_grey_pictures_have_no_colours_to_learn(plain: Path) -> None:
    with pytest.raises(UsageError, match="are grey"):
        config(plain, "colourise", is_grey=True)


def test_a_misspelt_edit_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="colourise"):
        translate_with("colorize")


def test_made_up_targets_are_pictures_for_pairs_and_labels_else(pairs: Path, plain: Path) -> None:
    of_pairs, of_plain = config(pairs, "none"), config(plain, "denoise")
    preprocess = from_minus_one_to_one(of_pairs, tiny.facts())

    targets = pair_targets(of_pairs, preprocess, 0, 5)

    assert isinstance(targets, PictureTargets)
    assert targets.images.shape == (5, 3, 16, 16)
    assert pair_targets(of_plain, preprocess, 0, 5) is None


def test_a_short_training_is_judged_on_few_pairs_and_what_they_cost_is_known(plain: Path) -> None:
    made = config(plain, "denoise")
    assert isinstance(made.task, TranslateConfig)
    assert made.task.num_judged == FEWEST_PAIRS
    few = replace(tiny.facts(), num_held_out=(30,))
    many = replace(tiny.facts(), num_held_out=(5000, 5000))
    assert judging_cost(made, few) == pytest.approx((30 + 54) * (49 + 5) / 3)
    assert judging_cost(made, many) == pytest.approx((2 * FEWEST_PAIRS + 54) * (49 + 5) / 3)

"""Two models are compared on the same pictures, by class names, and a conclusion claims no more."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import saccade
from saccade.data.fingerprint import picture_hashes
from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.metrics.intervals import Estimate
from saccade.metrics.paired import Difference
from saccade.verbs.compare import CompareResult, conclude, table
from tests import moving, tiny, trusted
from tests.tiny import World, call

TOP1 = Difference(
    name="top1", first=0.8, second=0.85, difference=Estimate(0.05, 0.01, 0.09), p=0.01
)
LOSS = Difference(
    name="log_loss", first=0.5, second=0.6, difference=Estimate(0.1, 0.05, 0.15), p=0.001
)


def compare(first: Path, second: Path, source: Path) -> CompareResult:
    return saccade.compare(first, second, source, device="cpu", is_quiet=True)


def test_a_model_is_no_better_than_itself(world: World):
    found = compare(world.run, world.run, world.source)
    evaluated = saccade.evaluate(world.run, world.source, device="cpu", is_quiet=True)
    assert (found.split, found.n) == (evaluated.split, evaluated.n)
    for each in found.differences:
        assert (each.difference.value, each.p, each.better) == (0.0, 1.0, None)
        assert each.first == pytest.approx(evaluated.metrics[each.name], abs=1e-5)
    assert found.conclusion.startswith("No difference in top-1 is shown")


def test_a_trained_model_beats_one_with_random_weights_in_any_order(world: World, tmp_path: Path):
    """The random one knows its classes in another order."""
    random = tiny.foreign_weights(tmp_path / "vit", tuple(reversed(tiny.CLASSES)))
    source = trusted.world().more
    found = compare(world.run, random, source)
    assert found.n == 60
    top1 = found.differences[0]
    assert top1.better == 1
    assert top1.second == pytest.approx(
        saccade.evaluate(random, source, device="cpu", is_quiet=True).metrics["top1"]
    )
    assert found.conclusion.startswith(f"{world.run} is right more often than {random}: by ")
    other = compare(random, world.run, source).differences[0]
    assert other.difference.value == -top1.difference.value
    assert other.p == top1.p


def test_only_pictures_that_neither_saw_are_used(world: World, tmp_path: Path):
    source = tiny.draw_folder(tmp_path / "other", count=4, seed=9)
    shutil.copytree(world.run, tmp_path / "run")
    shutil.copy(world.source / "sky" / "000.png", source / "sky" / "seen.png")
    hashes = (tmp_path / "run" / "trained_on.txt").read_text().split()
    mine = picture_hashes(open_source(source).splits["all"])
    (tmp_path / "run" / "trained_on.txt").write_text("\n".join([*hashes, *mine[:3]]))
    both = compare(world.run, tmp_path / "run", source)
    alone = saccade.evaluate(world.run, source, device="cpu", is_quiet=True)
    assert both.n in (alone.n - 3, alone.n - 2)  # the seen one may be among the three


def test_other_classes_are_refused_with_both_lists(world: World, tmp_path: Path):
    other = tiny.foreign_weights(tmp_path / "vit", ("cat", "dog", "sky"))
    with pytest.raises(DataError, match=r"apple, leaf, sky\n.*cat, dog, sky"):
        compare(world.run, other, world.source)
    names = ("apple", "leaf", "sea")
    source = tiny.draw_folder(tmp_path / "sea", classes=names, count=2)
    with pytest.raises(DataError, match="sea"):
        compare(world.run, world.run, source)


def test_what_names_no_classes_of_pictures_is_refused(world: World, tmp_path: Path):
    with pytest.raises(UsageError, match="was trained to video"):
        compare(world.run, moving.world().run, world.source)
    headless = tiny.foreign_weights(tmp_path / "vit", ())
    with pytest.raises(UsageError, match="has no head"):
        compare(headless, world.run, world.source)


def test_a_conclusion_names_the_better_one_and_says_where_the_other_is_better():
    said = conclude([TOP1, LOSS], first="a", second="b")
    assert said == (
        "b is right more often than a: by 5.00 points of top-1, 1.00 to 9.00 (p = 0.01). "
        "a is better in log loss."
    )
    unsure = replace(TOP1, p=0.2, difference=Estimate(0.05, -0.03, 0.13))
    assert conclude([unsure], first="a", second="b") == (
        "No difference in top-1 is shown: b is +5.00 points from a, and anything from -3.00 to "
        "+13.00 is consistent with these pictures (p = 0.2)."
    )


def test_a_table_has_a_line_for_each_figure_and_says_what_is_better():
    lines = table([TOP1, LOSS], first="a", second="b")
    assert lines[1].split()[-1] == "b"
    assert "(lower is better)" in lines[2]
    assert lines[2].split()[-1] == "a"
    assert len({line.index("0.") for line in lines[1:]}) == 1


def test_the_command_line_compares_two_and_refuses_more(world: World):
    shown = call("evaluate", world.run, world.run, world.source)
    assert shown.exit_code == 0, shown.stderr
    assert "that neither was trained on" in shown.stdout
    assert "No difference in top-1 is shown" in shown.stdout
    document = json.loads(call("evaluate", world.run, world.run, world.source, "--json").stdout)
    assert document["differences"][0]["name"] == "top1"
    four = call("evaluate", world.run, world.run, world.run, world.source)
    assert four.exit_code == 2
    assert "4 names were given" in four.stderr
    last = call("evaluate", world.run, world.run, world.source, "--weights", "last")
    assert (last.exit_code, "are for one model" in last.stderr) == (2, True)

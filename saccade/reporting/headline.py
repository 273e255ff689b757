"""The top of the page: what was trained on what, how good it is, and how sure one can be."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import median
from typing import NamedTuple

from saccade.reporting.records import Json, RunRecords
from saccade.reporting.wording import (
    capitalised,
    count,
    duration,
    figure_name,
    number,
    percent,
    short_count,
)


class Tile(NamedTuple):
    """A small figure.

    Attributes:
        label: what it is.
        value: as text, with its unit.
        note: how to read it.
    """

    label: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What a reader with ten seconds sees.

    Attributes:
        title: model and data.
        summary: one sentence on the task.
        status: what is missing while a run is not finished; empty when nothing is.
        label: the figure that people look at first, by name.
        value: that figure as text; None before the first evaluation.
        split: which pictures it was measured on.
        words: what the figure is, where its name does not say so; else empty.
        interval: the 95 % interval in words; empty when there is none.
        scale: value, low and high in percent, for the bar; None without an interval.
        chance: accuracy in percent of always giving the commonest class; None when unknown.
        sentences: what the figure means and does not mean.
        tiles: the other figures.
    """

    title: str
    summary: str
    status: str
    label: str
    value: str | None
    split: str
    words: str
    interval: str
    scale: tuple[float, float, float] | None
    chance: float | None
    sentences: list[str]
    tiles: list[Tile]


_JOBS = {
    "video": "A classifier of clips that tells{classes} apart",
    "detect": "A detector that finds objects of{classes}",
    "segment": "A model that says where things of{classes} are, pixel by pixel",
    "embed": "A model that lays pictures of one class near each other",
    "pretrain": "A backbone that learned without labels",
    "generate": "A model that makes pictures",
    "translate": "A model that turns one picture into another",
}


def headline(records: RunRecords) -> Headline:
    """Puts the top of the page together."""
    split = records.final_split
    result = records.results.get(split, {}) if split else {}
    running = records.evaluations[-1].get("metrics", {}) if records.evaluations else {}
    told = result.get("headline", {})
    name = str(told.get("metric", "top1" if records.job == "classify" else next(iter(running), "")))
    best = result.get("metrics", {}).get(name)
    value, interval, scale = None, "", None
    if best:
        # A distance may lie between 0 and 1 too, and is a share of nothing.
        is_share = 0 <= best["low"] <= best["high"] <= 1 and told.get("unit") != "distance"
        shown = percent if is_share else number
        value = shown(best["value"])
        interval = f"95 % interval {shown(best['low'])} to {shown(best['high'])}"
        if is_share:
            scale = (100.0 * best["value"], 100.0 * best["low"], 100.0 * best["high"])
    elif name in running:
        value = (percent if records.job == "classify" else number)(running[name])
    return Headline(
        title=_title(records),
        summary=_summary(records),
        status=_status(records),
        label=_label(records, name),
        value=value,
        split=_split_in_words(records, result, split),
        words=str(told.get("words", "")),
        interval=interval,
        scale=scale,
        chance=_chance(result),
        sentences=[*_unlabelled(records), *_sentences(result, split, things=records.things)],
        tiles=_tiles(records, result.get("metrics", {}), running),
    )


def _title(records: RunRecords) -> str:
    model = records.contract.get("model_name") or records.config.get("model", {}).get("family")
    source = records.contract.get("data", {}).get("source")
    name = PurePosixPath(str(source).replace("\\", "/")).name if source else ""
    return " on ".join(part for part in (model, name) if part) or records.path.name


def _summary(records: RunRecords) -> str:
    splits = records.contract.get("data", {}).get("splits", {})
    names = records.class_names
    what = _JOBS.get(records.job)
    if what is None and not names:
        return "A training run."
    trained = (
        f", learned from {count(splits['train'])} {records.things}" if "train" in splits else ""
    )
    if what is None:
        return f"A classifier that tells {len(names)} classes apart{trained}."
    of_classes = f" {len(names)} class{'es' * (len(names) != 1)}" if names else ""
    return f"{what.format(classes=of_classes)}{trained}."


def _status(records: RunRecords) -> str:
    if records.results:
        return ""
    if records.is_converted:
        return (
            "Converted from weights that were trained elsewhere: nothing was trained or measured "
            "here, so there are no curves and no figures. `saccade evaluate` takes some."
        )
    if not records.last_step:
        return "Training has not logged a step yet; this page fills up as it goes on."
    planned = f" of {count(records.planned_steps)} planned" if records.planned_steps else ""
    return (
        f"Not finished: step {count(records.last_step)}{planned} is the last one logged. The final "
        "evaluation is made when training ends."
    )


def _split_in_words(records: RunRecords, result: Json, split: str | None) -> str:
    if split:
        kind = {"test": "test", "val": "validation", "train": "training"}[split]
        if records.job != "classify":
            return f"on {count(result['n'])} {kind} {records.things}"
        named = "named as its teacher names them" if records.is_unlabelled else "named right"
        return f"of {count(result['n'])} {kind} pictures {named}"
    if records.evaluations:
        step = count(records.evaluations[-1]["step"])
        if records.job != "classify":
            return f"on validation at step {step}, so far"
        return f"of the validation pictures named right at step {step}, so far"
    return ""


def _label(records: RunRecords, name: str) -> str:
    if name != "top1":
        return capitalised(figure_name(name))
    return "Agreement with its teacher" if records.is_unlabelled else "Top-1 accuracy"


def _unlabelled(records: RunRecords) -> list[str]:
    if not records.is_unlabelled:
        return []
    return [
        "There are no labels here: every figure says how often the model answers as its teacher "
        "does, right or wrong."
    ]


def _sentences(result: Json, split: str | None, *, things: str) -> list[str]:
    if not split:
        return []
    said = []
    if split == "test":
        said.append(
            f"The test {things} took no part in training, nor in choosing the weights. They come "
            "from the same source, so another camera or place can give another figure."
        )
    elif split == "train":
        said.append(
            "There were too few pictures to hold any out: the model was judged on those that it "
            "learned from, so this figure says nothing about others."
        )
    else:
        said.append(
            f"No {things} were held out for testing. The validation {things} chose the best "
            "weights, so this figure is a little too kind."
        )
    commonest = max(result.get("per_class", []), key=lambda row: row["n"], default=None)
    if commonest:
        said.append(
            f"Always answering “{commonest['name']}”, the commonest class among them, would be "
            f"right in {percent(commonest['n'] / result['n'])}."
        )
    if result["n"] < 200 and "per_class" in result:
        said.append(f"With {result['n']} {things}, one more or less is {percent(1 / result['n'])}.")
    return said


def _chance(result: Json) -> float | None:
    rows = result.get("per_class", [])
    return 100.0 * max(row["n"] for row in rows) / result["n"] if rows and result.get("n") else None


def _tiles(records: RunRecords, metrics: dict[str, Json], running: Json) -> list[Tile]:
    tiles = []
    for name, label, note in (
        ("frame_average_top1", "Single frames", "top-1 of their mean, without their order"),
        ("shuffled_top1", "Frames shuffled", "top-1 of this model"),
        ("macro_f1", "Macro F1", "all classes count alike"),
        ("log_loss", "Log loss", "lower is better"),
        ("ece", "Calibration error", "ECE, lower is better"),
    ):
        if name in metrics:
            e = metrics[name]
            tiles.append(
                Tile(
                    label, number(e["value"]), f"{number(e['low'])} to {number(e['high'])}; {note}"
                )
            )
        elif name in running:
            tiles.append(Tile(label, number(running[name]), f"on validation, so far; {note}"))
    agreement = records.beside.get("agreement")
    if agreement is not None:
        is_angle = records.job == "pretrain"
        label, note = (
            ("Cosine with its teacher", "of what both see in held-out pictures")
            if is_angle
            else ("Agreement", "of held-out pictures, answered as its teacher does")
        )
        tiles.append(Tile(label, (number if is_angle else percent)(agreement), note))
    parameters = records.contract.get("num_parameters")
    if parameters:
        tiles.append(Tile("Parameters", short_count(parameters), f"{count(parameters)} numbers"))
    if records.seconds is not None:
        steps = f"{count(records.last_step)} steps"
        epochs = [line["epoch"] for line in records.training if "epoch" in line]
        note = f"{steps}, {epochs[-1]:.1f} passes over the data" if epochs else steps
        tiles.append(Tile("Training time", duration(records.seconds), note))
    rates = [line["images_per_second"] for line in records.training if "images_per_second" in line]
    if rates:
        device = records.environment.get("gpu") or records.environment.get("cpu") or "this machine"
        rate = f"{count(median(rates))}\u202f/s"
        note = f"{records.things} a second, on {device}{_shares(records)}"
        tiles.append(Tile("Training speed", rate, note))
    return tiles


def _shares(records: RunRecords) -> str:
    """Where the time went, in half a sentence."""
    said = ""
    for name, words in (
        ("mfu", "of its best rate of multiplying matrices"),
        ("data_wait", "of the time waiting for data"),
    ):
        values = [line[name] for line in records.training if name in line]
        if values:
            said += f"; {percent(median(values))} {words}"
    return said

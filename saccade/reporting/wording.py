"""Numbers, and what they count, as a person would write them."""

import math

Number = int | float  # JSON writes 1.0 as it likes

NOTHING = "–"  # noqa: RUF001 (an en dash: "no value" in a table)


def things_of(job: str) -> str:
    """What a job learns from: clips or pictures."""
    return "clips" if job == "video" else "pictures"


def percent(fraction: Number | None, *, digits: int = 1) -> str:
    """``0.9712`` -> ``97.1 %``; an exact 0 or 1 without decimals, so that it stands out."""
    if fraction is None or not math.isfinite(fraction):
        return NOTHING
    if fraction in (0, 1):
        return f"{fraction:.0%}".replace("%", "\u202f%")
    # Rounding must not claim perfection: 0.9999 is not 100.0 %.
    step = 10.0 ** -(digits + 2)
    shown = min(max(fraction, step), 1 - step) if 0 < fraction < 1 else fraction
    return f"{100 * shown:.{digits}f}\u202f%"


def number(value: Number | None, *, digits: int = 3) -> str:
    """``digits`` decimals; a dash for nothing or not a number."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.{digits}f}"


def count(value: Number) -> str:
    """Whole, with thousands separated."""
    return f"{value:,.0f}"


def short_count(value: Number) -> str:
    """``334558`` -> ``335 k``, ``21500000`` -> ``21.5 M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f}\u202f{letter}" if scaled >= 100 else f"{scaled:.3g}\u202f{letter}"
    return f"{value:.0f}"


def duration(seconds: Number | None) -> str:
    """``279`` -> ``4 min 39 s``."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plain(value: object) -> str:
    """A setting's value: floats to 6 digits, lists by commas, yes and no for booleans."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


_FIGURES = {
    "top1": "top-1",
    "top5": "top-5",
    "ece": "ECE",
    "ece_equal_mass": "ECE, bins of equal mass",
    "aurc": "AURC",
    "brier": "Brier score",
    "ap": "AP",
    "dice": "Dice",
    "giou": "GIoU",
    "l1": "L1",
    "miou": "mean IoU",
    "map": "mean AP",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "frechet": "Fréchet distance",
    "frechet_share": "Fréchet distance as a share of that of noise",
    "rank_share": "effective rank as a share of the width",
    "regression_frechet": "Fréchet distance of the regression",
    "regression_kernel_distance": "kernel distance of the regression",
    "regression_psnr": "PSNR of the regression",
    "regression_ssim": "SSIM of the regression",
    "frame_average_top1": "top-1 of single frames, averaged",
    "shuffled_top1": "top-1 with the frames shuffled",
    "observer_top1": "observer's top-1",
    "pq": "PQ",
    "knn": "kNN",
    "knn_top1": "kNN top-1",
}


def figure_name(name: str) -> str:
    """A figure's name as people write it: ``top-1``, ``AP50``, ``recall at 1``, ``log loss``."""
    if name in _FIGURES:
        return _FIGURES[name]
    if name[:2] == "ap" and name[2:].isdecimal():
        return name.upper()
    if name[:3] in ("ap_", "ar_"):
        of = name[3:]
        return f"{name[:2].upper()} " + (f"at {of}" if of.isdecimal() else f"of {of} objects")
    return name.replace("_", " ")


def capitalised(text: str) -> str:
    """A text as a title: its first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]

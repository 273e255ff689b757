"""Pictures of mixed sizes: packed, against padded to the largest and against one by one.

``saccade.transformer.packed`` follows the second table: how to keep packed pictures apart.
"""

import itertools
import random
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.harness import save
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.backbones.vit import Vit
from saccade.shapes import Grid
from saccade.tokens.packing import PackedTokens, pack
from saccade.tokens.tokens import Tokens
from saccade.transformer.attend import attend, fastest_path
from saccade.transformer.packed import attend_jagged, attend_packed

MODEL, PATCH = "vit-s16", 16
NUM_PICTURES = 8
CELLS = (4, 16)  # a side, so 64 to 256 pixels
HEADS, HEAD_DIM = 6, 64
ROUNDS = 3
DTYPES = (torch.float32, torch.bfloat16)
MODES = ("forward", "forward and backward")

Way = Callable[[], Tensor]


def run(seeds: Sequence[int]) -> None:
    """Times the ways in turn, so that a change of the machine's speed meets all of them.

    What is measured is processor time on one thread: other jobs on the machine change it little.
    """
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="The PyTorch API of nested tensors")
    rows = [
        row
        for seed in seeds
        for dtype in DTYPES
        for mode in MODES
        for row in [_model_row(seed, dtype, mode)]
    ]
    attention = [_attention_row(seeds[0], dtype, mode) for dtype in DTYPES for mode in MODES]
    save(
        "packing",
        command=" ".join(["python -m benchmarks packing", *map(str, seeds)]),
        rows=rows,
        attention=attention,
        model={"name": MODEL, "num_pictures": NUM_PICTURES, "sides_px": "64 to 256, by 16"},
        rounds=ROUNDS,
        clock="processor time, one thread",
    )


def _model_row(seed: int, dtype: torch.dtype, mode: str) -> dict[str, Any]:
    """The whole model on one batch; a loss reads the mean of each picture's patches."""
    torch.manual_seed(seed)
    vit = build_backbone(model_config(MODEL), in_channels=3)
    assert isinstance(vit, Vit)
    vit.eval()  # neither norms nor dropped paths differ here
    pictures = [torch.randn(3, grid.h * PATCH, grid.w * PATCH) for grid in _grids(seed)]
    ways: dict[str, Way] = {
        "packed": lambda: _mean_patches(vit.forward_packed(pictures)),
        "padded": lambda: _padded(vit, pictures),
        "one_by_one": lambda: _mean_patches([vit(picture[None]) for picture in pictures]),
    }
    with torch.inference_mode():
        packed, padded, alone = (way() for way in ways.values())
    times = _times(ways, dtype, mode)
    lengths = [grid.num_tokens for grid in _grids(seed)]
    height, width = (max(sides) for sides in zip(*(p.shape[1:] for p in pictures), strict=True))
    return {
        "seed": seed,
        "dtype": _name(dtype),
        "mode": mode,
        "tokens": sum(lengths),
        "tokens_padded": NUM_PICTURES * (height // PATCH) * (width // PATCH),
        **_summary(times, first="packed"),
        "fp32_relative_difference_from_padded": _relative(packed, padded),
        "fp32_relative_difference_from_one_by_one": _relative(packed, alone),
    }


def _padded(vit: Vit, pictures: Sequence[Tensor]) -> Tensor:
    """Zeros to the size of the largest, which no token looks at."""
    height, width = (max(sides) for sides in zip(*(p.shape[1:] for p in pictures), strict=True))
    images = torch.stack(
        [F.pad(p, (0, width - p.shape[2], 0, height - p.shape[1])) for p in pictures]
    )
    is_picture = torch.zeros(len(pictures), height // PATCH, width // PATCH, dtype=torch.bool)
    for mask, picture in zip(is_picture, pictures, strict=True):
        mask[: picture.shape[1] // PATCH, : picture.shape[2] // PATCH] = True
    is_picture = is_picture.flatten(1)  # B n
    tokens = replace(vit.begin(images), attention_mask=is_picture[:, None, None])
    tokens = vit.readout(vit.blocks(tokens))
    real = tokens.patches * is_picture[:, :, None]
    return real.sum(dim=1) / is_picture.sum(dim=1, keepdim=True)


def _mean_patches(pictures: Sequence[Tokens]) -> Tensor:
    return torch.cat([tokens.patches.mean(dim=1) for tokens in pictures])


def _attention_row(seed: int, dtype: torch.dtype, mode: str) -> dict[str, Any]:
    """Attention alone, one layer of the model."""
    torch.manual_seed(seed)
    tokens = pack(
        [Tokens(x=torch.zeros(1, g.num_tokens, 1), grid=g, num_prefix=0) for g in _grids(seed)]
    )
    qkv = torch.randn(1, sum(tokens.lengths), 3, HEADS, HEAD_DIM) * HEAD_DIM**-0.25
    qkv = qkv.to(dtype).permute(2, 0, 3, 1, 4).requires_grad_()
    ways: dict[str, Way] = {
        "loop": lambda: attend_packed(*qkv, tokens=tokens, window_size=0, path="auto"),
        "equal_lengths": lambda: _equal_lengths(*qkv, tokens=tokens),
        "jagged": lambda: attend_jagged(*qkv, tokens=tokens),
    }
    loop, *others = (way().detach() for way in ways.values())
    times = _times(ways, torch.float32, mode)  # no autocast: the inputs have the precision
    return {
        "dtype": _name(dtype),
        "mode": mode,
        "tokens": sum(tokens.lengths),
        **_summary(times, first="loop"),
        "relative_difference": max(_relative(loop, other) for other in others),
    }


def _equal_lengths(q: Tensor, k: Tensor, v: Tensor, *, tokens: PackedTokens) -> Tensor:
    """Pictures of equal length as one batch, the tokens gathered and put back."""
    lengths = tokens.lengths
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    pieces = torch.arange(sum(lengths)).split(lengths)
    index = torch.cat([pieces[picture] for picture in order])
    q, k, v = (x[0].index_select(1, index) for x in (q, k, v))  # A N E
    contexts, start = [], 0
    for length, group in itertools.groupby(sorted(lengths)):
        count = len(list(group))
        cut = slice(start, start + count * length)
        part = [x[:, cut].unflatten(1, (count, length)).transpose(0, 1) for x in (q, k, v)]
        path = fastest_path("auto", device=q.device, dtype=q.dtype, num_tokens=length)
        contexts.append(attend(*part, path=path).transpose(1, 2).flatten(0, 1))  # count*length A E
        start = cut.stop
    return torch.cat(contexts)[index.argsort()].flatten(1)[None]


def _times(ways: Mapping[str, Way], dtype: torch.dtype, mode: str) -> dict[str, list[float]]:
    """Processor seconds of each way in each round, after one round that is thrown away."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            start = time.process_time()
            with (
                torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16),
                torch.inference_mode(mode=mode == "forward"),
            ):
                out = way()
            if mode != "forward":
                out.float().square().mean().backward()
            times[name].append(time.process_time() - start)
    return {name: taken[1:] for name, taken in times.items()}


def _summary(times: Mapping[str, Sequence[float]], *, first: str) -> dict[str, Any]:
    """Medians, and how many times the first way fits into each other one, round by round."""
    summary: dict[str, Any] = {}
    for name, taken in times.items():
        summary[f"{name}_ms"] = round(statistics.median(taken) * 1e3, 1)
    for name, taken in times.items():
        if name != first:
            ratios = [other / one for one, other in zip(times[first], taken, strict=True)]
            summary[f"{name}_over_{first}"] = {
                "median": round(statistics.median(ratios), 2),
                "min": round(min(ratios), 2),
                "max": round(max(ratios), 2),
            }
    return summary


def _grids(seed: int) -> list[Grid]:
    generator = random.Random(seed)
    return [
        Grid(1, generator.randint(*CELLS), generator.randint(*CELLS)) for _ in range(NUM_PICTURES)
    ]


def _relative(one: Tensor, other: Tensor) -> float:
    difference = (one.float() - other.float()).abs().max() / other.float().abs().max()
    return float(f"{difference.item():.1e}")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

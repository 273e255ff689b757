"""Lets torchvision be imported where its compiled operators do not fit the torch that is installed.

torchvision registers shapes for its operators when it is imported, and fails where they are
missing. No model compared here calls one, so empty declarations are enough.
"""

import contextlib
import importlib.util
from pathlib import Path

import torch

_OPERATORS = (
    "nms",
    "qnms",
    "roi_align",
    "_roi_align_backward",
    "ps_roi_align",
    "_ps_roi_align_backward",
    "roi_pool",
    "_roi_pool_backward",
    "ps_roi_pool",
    "_ps_roi_pool_backward",
    "deform_conv2d",
    "_deform_conv2d_backward",
)

_KEPT: list[torch.library.Library] = []  # declarations end with the object that made them


def declare_operators() -> None:
    """Declares what is missing; does nothing where torchvision is complete or absent."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None or _KEPT:
        return
    for compiled in Path(found.origin).parent.glob("_C*.so"):
        with contextlib.suppress(OSError):  # built for another torch
            torch.ops.load_library(compiled)
            return
    library = torch.library.Library("torchvision", "DEF")
    for name in _OPERATORS:
        library.define(f"{name}() -> ()")
    _KEPT.append(library)

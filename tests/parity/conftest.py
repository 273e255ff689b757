"""What the comparisons share: another library's model with random weights, and how far ours is.

The libraries are no dependency of saccade: ``pip install saccade[parity]`` brings them, and without
one its tests are skipped. Their torchvision may come without compiled operators (installed beside a
torch it was not built for); those are declared here, empty, since no model of ours calls them.
"""

import importlib.util

import torch
from torch import nn

# What torchvision registers shapes for when it is imported; a picture model uses none of them.
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


def _declare_operators() -> torch.library.Library | None:
    found = importlib.util.find_spec("torchvision")
    if found is None or importlib.util.find_spec("torchvision._C") is not None:
        return None
    library = torch.library.Library("torchvision", "DEF")
    for name in _OPERATORS:
        library.define(f"{name}() -> ()")
    return library


OPERATORS = _declare_operators()  # kept: the declarations end with the object

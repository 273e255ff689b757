"""Two spellings of the same tensors: the published files', and that of modules in transformers 5.

That library renamed its modules and goes on writing the older names, unless it is asked not to
(``save_original_format=False``). Files of both kinds exist; everything here works on the older.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from saccade.errors import DataError

_PROJECTIONS = (
    (r"\.attention\.q_proj\.", ".attention.attention.query."),
    (r"\.attention\.k_proj\.", ".attention.attention.key."),
    (r"\.attention\.v_proj\.", ".attention.attention.value."),
    (r"\.attention\.o_proj\.", ".attention.output.dense."),
)
_VIT = (
    (r"^((?:vit|deit)\.)?layers\.(\d+)\.", r"\1encoder.layer.\2."),
    *_PROJECTIONS,
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
)
_DINOV2 = (*_PROJECTIONS, (r"\.mlp\.down_proj\.", ".mlp.weights_out."))
_DINOV3 = ((r"^model\.layer\.", "layer."),)
_VIDEOMAE = (
    (r"\.attention\.attention\.query\.bias$", ".attention.attention.q_bias"),
    (r"\.attention\.attention\.value\.bias$", ".attention.attention.v_bias"),
)


def published(name: str, *, model_type: str) -> str:
    """A tensor's name as published files of that family have it.

    Args:
        name: either spelling.
        model_type: of config.json.
    """
    for pattern, replacement in _spellings(model_type):
        name = re.sub(pattern, replacement, name)
    return name


def with_published_names(
    tensors: Mapping[str, Tensor], *, model_type: str, source: str
) -> dict[str, Tensor]:
    """The tensors of a file under their published names.

    Raises:
        DataError: the file has a tensor twice, once in each spelling.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        new = published(name, model_type=model_type)
        if new in renamed:
            raise DataError(f"{source}: it holds {new} twice, in an older and a newer spelling")
        renamed[new] = tensor
    return renamed


def _spellings(model_type: str) -> tuple[tuple[str, str], ...]:
    match model_type:
        case "vit" | "deit" | "vit_mae":
            return _VIT
        case "dinov2" | "dinov2_with_registers":
            return _DINOV2
        case "dinov3_vit":
            return _DINOV3
        case "videomae":
            return _VIDEOMAE
        case _:
            return ()

"""Weights for pictures as weights for clips, and back.

A clip whose frames are all the same picture is then given, step in time by step in time, what the
picture's model made of the picture: a kernel is spread over its frames (each gets its share), and
positions are repeated. (I3D, arXiv 1705.07750, calls it inflating.) The other way round, a kernel's
frames are summed, which is what it does to a clip that stands still.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from saccade.backbones.vit import Vit
from saccade.config.model import VitConfig
from saccade.shapes import Grid
from saccade.tasks.video import Video
from saccade.tokens.positions import LearnedPosition, resample, sincos

BACKBONE, FRAME_BACKBONE = "backbone.", "frame_model.backbone."

_PROJECTION, _BIAS, _TABLE = "embed.project.weight", "embed.project.bias", "position.table"
_FIRST_CONVOLUTION = "embed.convs.0.weight"  # of a stem; it, and not the projection, sees frames


def initialise_video(
    task: Video, tensors: Mapping[str, Tensor], model: VitConfig, *, has_new_head: bool
) -> None:
    """Puts weights into a task for clips, in place.

    The model of single frames starts from the same weights, or from its own where there are some:
    a baseline that had to start anew would say nothing.

    Args:
        task: its shape is ``planning.video.clip_model`` of that of the weights.
        tensors: of a task for clips or for pictures.
        model: the shape of their backbone.
        has_new_head: whether the heads stay as they were built.
    """
    assert isinstance(task.backbone, Vit)
    found = _below(tensors, BACKBONE)
    loaded = _with(BACKBONE, inflate(found, model, task.backbone))
    if task.frame_model is not None:
        assert isinstance(task.frame_model.backbone, Vit)
        of_frames = _below(tensors, FRAME_BACKBONE) or inflate(
            found, model, task.frame_model.backbone
        )
        loaded |= _with(FRAME_BACKBONE, of_frames)
    if not has_new_head:
        loaded |= {name: value for name, value in tensors.items() if name not in loaded}
    own = task.state_dict()
    task.load_state_dict(own | {name: loaded[name] for name in loaded if name in own})


def inflate(tensors: Mapping[str, Tensor], model: VitConfig, into: Vit) -> dict[str, Tensor]:
    """Makes a backbone's tensors fit another that sees more, or fewer, frames in a token.

    Args:
        tensors: of a backbone, without ``backbone.``.
        model: its shape.
        into: a backbone of that shape but for its tubelets, and for positions that are learned.

    Returns:
        All of ``into``'s tensors.
    """
    found = dict(tensors)
    own = into.state_dict()
    first = _FIRST_CONVOLUTION if _FIRST_CONVOLUTION in own else _PROJECTION
    found[first] = _for_frames(found[first], own[first].shape)
    if _BIAS in own and _BIAS not in found:  # pictures may have none
        found[_BIAS] = torch.zeros_like(own[_BIAS])
    if isinstance(into.position, LearnedPosition):
        found[_TABLE] = _table(found, model, into.position.grid)
    return found


def _for_frames(kernel: Tensor, wanted: torch.Size) -> Tensor:
    """A kernel spread over more frames, or summed over fewer.

    Args:
        kernel: of pictures D C P P; of tubelets D C T P P; of a stem on clips D T*C P P.
        wanted: the shape that it is to have, another of these.
    """
    if len(wanted) > kernel.ndim:
        return kernel[:, :, None].repeat(1, 1, wanted[2], 1, 1) / wanted[2]
    if len(wanted) < kernel.ndim:
        return kernel.sum(dim=2)
    num_frames = wanted[1] // kernel.shape[1]
    if num_frames > 1:
        return kernel.repeat(1, num_frames, 1, 1) / num_frames
    return kernel.unflatten(1, (-1, wanted[1])).sum(dim=1)


def _table(tensors: Mapping[str, Tensor], model: VitConfig, grid: Grid) -> Float[Tensor, "1 n D"]:
    """A model's positions, learned or not, on a grid; in time they are repeated, or averaged."""
    if model.position == "sincos":
        of_one = sincos(Grid(1, *grid[1:]), model.embed_dim, num_axes=2, device=torch.device("cpu"))
        return of_one.repeat(grid.t, 1)[None]
    old, table = Grid(*model.position_grid), tensors[_TABLE]
    if old.t == grid.t:
        return resample(table, old, grid, antialias=model.position_antialias)
    mean = table.unflatten(1, (old.t, -1)).mean(dim=1)  # 1 h*w D
    of_one = resample(
        mean, old._replace(t=1), grid._replace(t=1), antialias=model.position_antialias
    )
    return of_one.repeat(1, grid.t, 1)


def _below(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _with(start: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {start + name: value for name, value in tensors.items()}

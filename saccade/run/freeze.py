"""Parts of a model that training leaves as they are, chosen by the names of their parameters."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from torch import nn

from saccade.errors import UsageError


class Frozen(NamedTuple):
    """What of a task does not move.

    Attributes:
        names: of the parameters.
        num_parameters: how many numbers those are.
        norms: the batch norms whose parameters are all among them.
    """

    names: tuple[str, ...]
    num_parameters: int
    norms: tuple[nn.BatchNorm2d, ...]

    def hold(self) -> None:
        """Puts the frozen batch norms back into evaluation mode, which ``train()`` ends.

        Otherwise they would normalise by the batch, and their running statistics would move: the
        part would not be frozen at all.
        """
        for norm in self.norms:
            norm.eval()


def freeze(task: nn.Module, patterns: Sequence[str]) -> Frozen:
    """Takes the parameters of these names out of training; see ``find_frozen``.

    Their gradients are neither computed nor needed, so that freezing the first layers also saves
    the memory and time of their backward pass.
    """
    frozen = find_frozen(task, patterns)
    for name in frozen.names:
        task.get_parameter(name).requires_grad = False
    frozen.hold()
    return frozen


def find_frozen(task: nn.Module, patterns: Sequence[str]) -> Frozen:
    """What would be frozen; changes nothing.

    Args:
        task: whose parameters are meant.
        patterns: names, with ``*`` for any text (dots too), ``?`` for one letter and ``[0-5]`` for
            one of some: ``backbone.blocks.[0-5].*``.

    Raises:
        UsageError: a pattern is the name of no parameter, or nothing would be left to learn.
    """
    parameters = dict(task.named_parameters())
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            raise UsageError(
                f"optim.freeze: no parameter is called {pattern!r}; {_nearest(pattern, parameters)}"
            )
    names = tuple(
        name for name in parameters if any(fnmatchcase(name, pattern) for pattern in patterns)
    )
    num_parameters = sum(parameters[name].numel() for name in names)
    if names and num_parameters == sum(parameter.numel() for parameter in parameters.values()):
        raise UsageError(
            f"optim.freeze is {', '.join(patterns)}, which freezes all {num_parameters:,} "
            "parameters; leave something to learn, such as head.*"
        )
    norms = tuple(
        module
        for place, module in task.named_modules()
        if isinstance(module, nn.BatchNorm2d) and {f"{place}.weight", f"{place}.bias"} <= set(names)
    )
    return Frozen(names, num_parameters, norms)


def _nearest(pattern: str, names: Sequence[str] | dict[str, nn.Parameter]) -> str:
    """The nearest names and groups of names (``backbone.blocks.0.*``); all groups at the top."""
    groups = {
        ".".join(parts[:count]) + ".*"
        for parts in (name.split(".") for name in names)
        for count in range(1, len(parts))
    }
    close = difflib.get_close_matches(pattern, sorted({*names, *groups}), n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"known are: {', '.join(sorted(group for group in groups if group.count('.') <= 2))}"

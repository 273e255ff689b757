"""One rule for every verb that answers for pictures, where not one of them can be read."""

from saccade.errors import DataError


def require_any_readable(num_errors: int, n: int, *, noun: str, why: str) -> None:
    """Ends a verb with exit code 3 when nothing could be read; what it has written stays.

    Args:
        num_errors: of the inputs could not be read.
        n: inputs.
        noun: what a person calls one of them.
        why: the reason of the first, or where the reasons stand.

    Raises:
        DataError: none could be read.
    """
    if num_errors == n:
        none = f"none of the {n:,} {noun}s could be read" if n > 1 else f"the {noun} cannot be read"
        raise DataError(f"{none}; {why}")

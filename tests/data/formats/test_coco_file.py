"""Categories are matched by name between files, and a difference is said with its file."""

import pytest

from saccade.data.formats.coco_file import require_same_names
from saccade.errors import DataError


def test_the_same_names_in_another_order_are_the_same() -> None:
    require_same_names("given", {"train.json": ("cat", "dog"), "val.json": ("dog", "cat")})
    require_same_names("given", {"train.json": ("cat", "dog")})


@pytest.mark.parametrize(
    ("val", "said"),
    [
        (("dog",), "different categories: only train.json has cat. They are matched by name"),
        (("dog", "cat", "cow"), "different categories: only val.json has cow. They"),
        (("ox", "cow"), "only train.json has cat, dog; only val.json has ox, cow. They"),
    ],
)
def test_what_only_one_file_has_is_said_with_its_name(val: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        require_same_names("given", {"train.json": ("cat", "dog"), "val.json": val})

"""A search page holds everything in one file, and nothing in a name can become markup."""

import base64
import io
import re

from PIL import Image

from saccade.jobs.embed.sheet_page import sheet_page

HIT = {"rank": 1, "path": "<b>.png", "label": None, "similarity": 0.91234, "score": -0.5}


def page(query: str = "q.png", *, error: str | None = None) -> str:
    found = [{"query": query, "neighbours": [HIT], "error": error}]
    return sheet_page(found, [Image.new("RGB", (8, 6), "red")], title="Found")


def test_the_picture_is_inside_the_page() -> None:
    match = re.search(r"data:image/png;base64,([^']+)", page())

    assert match is not None
    assert Image.open(io.BytesIO(base64.b64decode(match[1]))).size == (8, 6)
    assert "http" not in page()


def test_names_are_text() -> None:
    text = page("<script>x</script>")

    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;.png" in text


def test_the_numbers_stand_beside_the_names() -> None:
    assert "0.912" in page()
    assert "-0.500" in page()


def test_a_query_that_could_not_be_read_says_why() -> None:
    assert "it is &lt;broken&gt;" in page(error="it is <broken>")

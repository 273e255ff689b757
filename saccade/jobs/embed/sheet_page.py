"""The same contact sheet as a page of its own, with everything inside one file."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; color: #222;
  padding: 0 1rem }
img { max-width: 100%; display: block } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem }
table { border-collapse: collapse; margin: .5rem 0 } summary { color: #666; cursor: pointer }
td, th { padding: .1rem .8rem .1rem 0; text-align: left } td.n { text-align: right }
"""


def sheet_page(
    found: Sequence[Mapping[str, Any]], pictures: Sequence[Image.Image], *, title: str
) -> str:
    """An HTML page: for each query the pictures, and below them the numbers.

    Args:
        found: the entries of ``SearchResult.queries`` as plain data.
        pictures: the contact sheet of each.
        title: what stands over them.
    """
    parts = [_part(each, picture) for each, picture in zip(found, pictures, strict=True)]
    return (
        "<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>saccade search</title>"
        f"<style>{_STYLE}</style>\n<h1>{html.escape(title)}</h1>\n<p>Each query, then the pictures "
        "most like it. The score is the similarity on a scale of the query: 0 is as near as "
        "unrelated pictures come to it, 1 is equal.</p>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _part(found: Mapping[str, Any], picture: Image.Image) -> str:
    png = io.BytesIO()
    picture.save(png, "PNG")
    data = base64.b64encode(png.getvalue()).decode()
    rows = "".join(
        f"<tr><td class='n'>{hit['rank']}</td><td>{html.escape(str(hit['path']))}</td>"
        f"<td>{html.escape(hit['label'] or '')}</td><td class='n'>{hit['similarity']:.3f}</td>"
        f"<td class='n'>{hit['score']:+.3f}</td></tr>"
        for hit in found["neighbours"]
    )
    error = f"<p>{html.escape(found['error'])}</p>" if found["error"] else ""
    return (
        f"<h2>{html.escape(found['query'])}</h2>{error}"
        f"<img alt='query and neighbours' src='data:image/png;base64,{data}'>"
        "<details><summary>numbers</summary><table><tr><th></th><th>picture</th><th>class</th>"
        f"<th>similarity</th><th>score</th></tr>{rows}</table></details>"
    )

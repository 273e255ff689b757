"""A few shapes that look the same in every figure, in light and in dark."""

from pathlib import Path
from xml.sax.saxutils import escape

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  fill: var(--ink); }
.small { font-size: 11px; fill: var(--quiet); }
.bold { font-weight: 600; }
.code { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.card { fill: var(--card); stroke: var(--line); }
.group { fill: none; stroke: var(--quiet); stroke-dasharray: 4 3; }
.plain { fill: var(--plain); stroke: var(--quiet); }
.attention { fill: var(--attention); stroke: var(--attention-line); }
.conv { fill: var(--conv); stroke: var(--conv-line); }
.token { fill: var(--token); stroke: var(--token-line); }
.gate { fill: var(--gate); stroke: var(--gate-line); }
.wire { fill: none; stroke: var(--quiet); stroke-width: 1.4; }
.head { fill: var(--quiet); }
.sum { fill: var(--card); stroke: var(--ink); stroke-width: 1.4; }
svg { --card: #ffffff; --line: #d0d7de; --ink: #1f2328; --quiet: #59636e; --plain: #f6f8fa;
  --attention: #ddf4ff; --attention-line: #0969da; --conv: #fff1e5; --conv-line: #bc4c00;
  --token: #fbefff; --token-line: #8250df; --gate: #dafbe1; --gate-line: #1a7f37; }
@media (prefers-color-scheme: dark) {
  svg { --card: #0d1117; --line: #3d444d; --ink: #f0f6fc; --quiet: #9198a1; --plain: #151b23;
    --attention: #0c2d6b; --attention-line: #58a6ff; --conv: #4a1e04; --conv-line: #ffa657;
    --token: #2b1355; --token-line: #bc8cff; --gate: #04371a; --gate-line: #3fb950; }
}
"""

# A house on a hill under a sun, eight pixels a side.
PICTURE = (
    "bbbbbbyy",
    "bbbbbbyy",
    "bbrrbbbb",
    "brrrrbbb",
    "bwwwwbgg",
    "gwkwwggg",
    "gwkwwggg",
    "gggggggg",
)
COLOURS = {
    "b": "#8ecae6",
    "y": "#ffd166",
    "r": "#d1495b",
    "w": "#f4e3cf",
    "k": "#6b4f3f",
    "g": "#7fb069",
}


class Canvas:
    """An SVG that grows shape by shape; lengths in pixels, from the upper left corner.

    Args:
        width, height: of the whole.
        title: what a reader who cannot see it is told.
    """

    def __init__(self, width: int, height: int, *, title: str) -> None:
        self._shapes = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
            f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" '
            'rx="8"/>',
        ]

    def text(self, x: float, y: float, words: str, *, style: str = "") -> None:
        """A line of text; ``style`` names classes: small, bold, code, middle, end."""
        self._shapes.append(f'<text class="{style}" x="{x}" y="{y}">{escape(words)}</text>')

    def box(
        self, x: float, y: float, width: float, height: float, *lines: str, kind: str = "plain"
    ) -> None:
        """A rounded box with centred lines of text, the first larger than the others."""
        self._shapes.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>'
        )
        top = y + height / 2 + 4.5 - 7.5 * (len(lines) - 1)
        for number, line in enumerate(lines):
            style = "middle small" if number else "middle"
            self.text(x + width / 2, top + 15 * number, line, style=style)

    def group(self, x: float, y: float, width: float, height: float, label: str) -> None:
        """A dashed frame with a label in its upper left corner."""
        self._shapes.append(
            f'<rect class="group" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
        )
        self.text(x + 8, y + 16, label, style="small bold")

    def arrow(self, *points: tuple[float, float]) -> None:
        """A line through points with a tip at its end."""
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        self._shapes.append(f'<path class="wire" d="{path}" marker-end="url(#tip)"/>')

    def line(self, *points: tuple[float, float]) -> None:
        """A line through points without a tip."""
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        self._shapes.append(f'<path class="wire" d="{path}"/>')

    def plus(self, x: float, y: float) -> None:
        """Where two streams are added."""
        self._shapes.append(
            f'<circle class="sum" cx="{x}" cy="{y}" r="9"/>'
            f'<path class="sum" d="M{x - 5} {y}H{x + 5}M{x} {y - 5}V{y + 5}"/>'
        )

    def picture(self, x: float, y: float, *, cell: float, gap: float = 0.0) -> None:
        """The picture, cut into patches of 2 x 2 of its pixels that lie ``gap`` apart."""
        for row, colours in enumerate(PICTURE):
            for column, colour in enumerate(colours):
                left = x + column * cell + column // 2 * gap
                top = y + row * cell + row // 2 * gap
                # A hair wider than a cell, or renderers leave seams.
                side = cell + (0.0 if gap and column % 2 else 0.4)
                self._shapes.append(
                    f'<rect x="{left:g}" y="{top:g}" width="{side:g}" height="{cell + 0.4:g}" '
                    f'fill="{COLOURS[colour]}"/>'
                )

    def map(
        self, x: float, y: float, side: float, *, cells: int, layers: int, kind: str = "conv"
    ) -> None:
        """A feature map: sheets one behind the other, the front one ruled into cells."""
        for layer in reversed(range(layers)):
            shift = 5 * layer
            self._shapes.append(
                f'<rect class="{kind}" x="{x + shift}" y="{y - shift}" width="{side}" '
                f'height="{side}"/>'
            )
        step = side / cells
        rules = "".join(
            f"M{x + k * step:g} {y}v{side}M{x} {y + k * step:g}h{side}" for k in range(1, cells)
        )
        self._shapes.append(f'<path class="{kind}" stroke-width="0.6" d="{rules}"/>')

    def tokens(self, x: float, y: float, *, count: int = 8, width: float = 46) -> None:
        """A stack of tokens, each a row of channels."""
        for number in range(count):
            top = y + 13 * number
            self._shapes.append(
                f'<rect class="token" x="{x}" y="{top}" width="{width}" height="10" rx="2"/>'
            )

    def save(self, path: Path) -> None:
        """Writes the file."""
        path.write_text("\n".join([*self._shapes, "</svg>"]) + "\n", encoding="utf-8")

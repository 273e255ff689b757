"""Draws the figures of docs/models.md beside this file: ``python docs/figures/draw.py``."""

from pathlib import Path

from canvas import Canvas

HERE = Path(__file__).parent

BY = "\N{MULTIPLICATION SIGN}"
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
GAMMA = "\N{GREEK SMALL LETTER GAMMA}"
EACH = "\N{CIRCLED DOT OPERATOR}"


def main() -> None:
    """Draws every figure."""
    for name, figure in {
        "block": block(),
        "vit": vit(),
        "rag": rag(),
        "attncnn": attention_cnn(),
        "cnn": cnn(),
    }.items():
        figure.save(HERE / f"{name}.svg")


def block() -> Canvas:
    """Two residual lines, and the three gates that a branch may pass."""
    c = Canvas(860, 236, title="A transformer block: two residual lines and three kinds of gate")
    for start, branch, kind in ((20, "attention", "attention"), (312, "mlp", "plain")):
        c.line((start, 150), (start + 283, 150))
        c.arrow((start + 26, 150), (start + 26, 66), (start + 44, 66))
        c.box(start + 45, 48, 52, 36, "norm")
        c.arrow((start + 97, 66), (start + 113, 66))
        c.box(start + 114, 48, 78, 36, branch, kind=kind)
        c.arrow((start + 192, 66), (start + 208, 66))
        c.box(start + 209, 48, 46, 36, "gate", kind="gate")
        c.arrow((start + 255, 66), (start + 274, 66), (start + 274, 140))
        c.plus(start + 274, 150)
    c.arrow((595, 150), (612, 150))
    c.text(22, 140, "x", style="code")
    c.text(22, 172, "B N D", style="small")
    c.text(170, 196, "x + gate(attention(norm(x)))", style="code middle")
    c.text(462, 196, "x + gate(mlp(norm(x)))", style="code middle")
    c.text(
        22,
        220,
        "Nothing stands on the line: what goes in comes out, and more is added.",
        style="small",
    )
    c.group(624, 24, 216, 190, "three gates")
    for top, name, formula, start in (
        (48, "prenorm", "x + f(x)", "nothing learned"),
        (102, "rezero", f"x + {ALPHA} f(x)", "one number, from 0"),
        (156, "layerscale", f"x + {GAMMA} {EACH} f(x)", "D numbers, from 0.0001"),
    ):
        c.box(634, top, 196, 48, "", kind="gate")
        c.text(644, top + 20, name, style="bold")
        c.text(820, top + 20, formula, style="code end")
        c.text(644, top + 38, start, style="small")
    return c


def vit() -> Canvas:
    """Patches, tokens, blocks, mean."""
    c = Canvas(
        860, 236, title="ViT: patches become tokens, tokens look at each other, their mean is read"
    )
    c.picture(20, 60, cell=12)
    c.text(68, 178, "picture", style="middle")
    c.text(68, 194, "C H W", style="small middle")
    c.arrow((122, 108), (140, 108))
    c.picture(146, 51, cell=12, gap=6)
    c.text(203, 194, f"patches of P {BY} P", style="small middle")
    c.arrow((266, 108), (284, 108))
    c.box(285, 62, 84, 92, "stem", "patches", "conv", "or cnn", kind="conv")
    c.arrow((369, 108), (387, 108))
    c.tokens(392, 57)
    c.text(415, 178, "tokens", style="middle")
    c.text(415, 194, "B N D", style="small middle")
    c.arrow((438, 108), (457, 108))
    c.plus(467, 108)
    c.box(430, 22, 74, 26, "position", kind="token")
    c.arrow((467, 48), (467, 98))
    c.arrow((477, 108), (500, 108))
    _blocks(c, 512, 62)
    c.arrow((672, 108), (690, 108))
    c.box(691, 84, 52, 48, "norm", "tokens")
    c.arrow((743, 108), (757, 108))
    c.box(758, 84, 82, 48, "head", "mean, linear", kind="gate")
    c.text(799, 178, "logits", style="middle")
    c.text(799, 194, "B K", style="small middle")
    c.arrow((799, 132), (799, 162))
    c.text(
        20,
        222,
        "Class and register tokens, if any, come before the patches and have no place.",
        style="small",
    )
    return c


def rag() -> Canvas:
    """Convolutions and the raw picture, added on one grid; then ReZero blocks."""
    c = Canvas(860, 292, title="rag: CNN features plus the raw picture, then ReZero blocks")
    c.picture(20, 100, cell=11)
    c.text(64, 208, "picture", style="middle")
    c.text(64, 224, "C H W", style="small middle")
    c.line((112, 144), (128, 144))
    c.arrow((128, 144), (128, 82), (146, 82))
    c.arrow((128, 144), (128, 214), (146, 214))
    c.map(148, 54, 56, cells=8, layers=2)
    c.arrow((212, 82), (226, 82))
    c.map(228, 62, 40, cells=4, layers=3)
    c.arrow((282, 82), (296, 82))
    c.map(298, 68, 28, cells=2, layers=5)
    c.text(148, 134, f"features: a CNN, one cell per P {BY} P", style="small")
    c.picture(148, 180, cell=7, gap=4)
    c.arrow((222, 214), (240, 214))
    c.box(241, 196, 92, 36, "linear", kind="conv")
    c.text(148, 264, "raw image: patches on the same grid", style="small")
    c.arrow((352, 82), (388, 82), (388, 134))
    c.arrow((333, 214), (388, 214), (388, 154))
    c.plus(388, 144)
    c.arrow((398, 144), (441, 144))
    c.box(414, 60, 74, 26, "position", kind="token")
    c.arrow((451, 86), (451, 134))
    c.plus(451, 144)
    c.arrow((461, 144), (486, 144))
    _blocks(c, 498, 98, gate=ALPHA)
    c.arrow((658, 144), (682, 144))
    c.box(683, 120, 52, 48, "norm", "tokens")
    c.arrow((735, 144), (753, 144))
    c.box(754, 120, 86, 48, "head", "mean, linear", kind="gate")
    c.arrow((797, 168), (797, 200))
    c.text(797, 216, "logits", style="middle")
    c.text(797, 232, "B K", style="small middle")
    c.text(498, 232, f"Each {ALPHA} starts at 0: at the first step a block", style="small")
    c.text(498, 248, "hands on what it is given, and the model is a CNN.", style="small")
    return c


def attention_cnn() -> Canvas:
    """A pyramid whose last two maps attend to themselves."""
    c = Canvas(860, 300, title="attncnn: a CNN whose last two maps attend to themselves")
    c.picture(20, 40, cell=9)
    c.text(56, 132, "picture", style="middle")
    c.arrow((96, 76), (112, 76))
    c.map(114, 46, 60, cells=8, layers=2)
    c.text(146, 132, "D/4 H W", style="small middle")
    c.arrow((184, 76), (202, 76))
    c.map(204, 54, 44, cells=4, layers=3)
    c.text(230, 132, "D/2 H/2 W/2", style="small middle")
    c.arrow((262, 76), (280, 76))
    c.box(281, 52, 96, 48, "attention", "twice", kind="attention")
    c.arrow((377, 76), (395, 76))
    c.map(397, 62, 28, cells=2, layers=5)
    c.text(420, 132, "D H/4 W/4", style="small middle")
    c.arrow((449, 76), (467, 76))
    c.box(468, 52, 96, 48, "attention", "twice", kind="attention")
    c.arrow((564, 76), (582, 76))
    c.box(583, 52, 60, 48, "norm", "cells")
    c.arrow((643, 76), (661, 76))
    c.box(662, 52, 92, 48, "head", "mean, linear", kind="gate")
    c.arrow((754, 76), (774, 76))
    c.text(780, 80, "logits  B K")
    c.group(20, 152, 820, 132, "each attention")
    c.map(40, 200, 40, cells=4, layers=3)
    c.text(66, 262, "map", style="small middle")
    c.line((92, 220), (112, 220))
    c.arrow((112, 220), (126, 220))
    c.box(127, 198, 66, 44, "norm", "batch")
    c.line((193, 220), (210, 220))
    for top, letter in ((170, "Q"), (207, "K"), (244, "V")):
        c.arrow((210, 220), (210, top + 13), (226, top + 13))
        c.box(227, top, 128, 26, "", kind="conv")
        c.text(239, top + 18, letter, style="bold")
        c.text(346, top + 17, "linear or conv", style="small end")
    c.arrow((355, 183), (372, 183), (372, 198), (390, 198))
    c.arrow((355, 220), (372, 220), (372, 206), (390, 206))
    c.box(391, 180, 152, 44, "similarity", "scaled dot or cosine", kind="attention")
    c.arrow((543, 202), (560, 202))
    c.box(561, 186, 66, 32, "softmax", kind="attention")
    c.arrow((627, 202), (644, 202))
    c.box(645, 186, 66, 44, f"{BY} V", "context", kind="attention")
    c.arrow((355, 257), (678, 257), (678, 231))
    c.arrow((711, 208), (728, 208))
    c.box(729, 192, 46, 32, "linear")
    c.arrow((775, 208), (793, 208))
    c.plus(803, 208)
    c.arrow((102, 220), (102, 274), (803, 274), (803, 218))
    return c


def cnn() -> Canvas:
    """The pyramid alone."""
    c = Canvas(860, 196, title="cnn: convolution, pooling, fully connected")
    c.picture(20, 40, cell=11)
    c.text(64, 158, "picture", style="middle")
    c.arrow((114, 84), (132, 84))
    c.map(134, 46, 76, cells=8, layers=2)
    c.text(174, 158, "D/4 H W", style="small middle")
    c.arrow((218, 84), (238, 84))
    _stage(c, 239, 46)
    c.arrow((347, 84), (365, 84))
    c.map(367, 60, 48, cells=4, layers=3)
    c.text(395, 158, "D/2 H/2 W/2", style="small middle")
    c.arrow((428, 84), (446, 84))
    _stage(c, 447, 46)
    c.arrow((555, 84), (573, 84))
    c.map(575, 70, 28, cells=2, layers=5)
    c.text(600, 158, "D H/4 W/4", style="small middle")
    c.arrow((626, 84), (646, 84))
    c.box(647, 60, 52, 48, "norm", "cells")
    c.arrow((699, 84), (717, 84))
    c.box(718, 60, 92, 48, "head", "mean, linear", kind="gate")
    c.arrow((764, 108), (764, 142))
    c.text(764, 158, "logits  B K", style="middle")
    c.text(239, 180, "The more halvings a patch needs, the more stages there are: P = 4 has two.",
           style="small")  # fmt: skip
    return c


def _blocks(c: Canvas, x: float, y: float, *, gate: str = "") -> None:
    """Three blocks one behind the other."""
    for shift in (12, 6):
        c.box(x + shift, y - shift, 136, 92, "", kind="attention")
    c.box(x, y, 136, 92, "", kind="attention")
    c.text(x + 68, y + 22, f"block {BY} L", style="bold middle")
    branch = f"{gate} " if gate else ""
    c.text(x + 68, y + 48, f"x + {branch}attention", style="code middle")
    c.text(x + 68, y + 70, f"x + {branch}mlp", style="code middle")


def _stage(c: Canvas, x: float, y: float) -> None:
    c.box(x, y, 108, 34, "conv, pool 2", kind="conv")
    c.box(x, y + 42, 108, 34, f"residual  {BY} 2", kind="conv")


if __name__ == "__main__":
    main()

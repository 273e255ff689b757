"""Small sums that are often printed wrong, done by hand and then by our own modules.

Each states what a popular explanation says, or how it goes astray, and the numbers that are right.
"""

import math
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.conv import ConvNormAct
from saccade.shapes import Grid
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import sincos
from saccade.tokens.tokens import Tokens
from saccade.transformer.attend import attend, softmax_scale
from saccade.transformer.attention import SelfAttention
from saccade.transformer.trace import Trace, TracedLayer

CPU = torch.device("cpu")


def scores_26_and_20() -> tuple[Tensor, Tensor, Tensor]:
    """A query whose products with the two keys are 26 and 20; the values are the unit vectors."""
    q = torch.tensor([[2.0, 4.0]])
    k = torch.tensor([[3.0, 5.0], [4.0, 3.0]])
    v = torch.eye(2)
    return q[None, None], k[None, None], v[None, None]


@pytest.mark.parametrize("path", ["fused", "explicit"])
def test_the_softmax_of_26_and_20_is_nearly_all_or_nothing(
    path: Literal["fused", "explicit"],
) -> None:
    """Not 26 / 46 and 20 / 46: exp(6) = 403.43, so the weights are 403.43 / 404.43 and the rest.

    With unit vectors as values the context is the weights themselves.
    """
    q, k, v = scores_26_and_20()
    assert (q @ k.transpose(2, 3)).flatten().tolist() == [26.0, 20.0]

    context = attend(q, k, v, path=path)

    assert context.flatten().tolist() == pytest.approx([0.9975, 0.0025], abs=5e-5)
    assert context[0, 0, 0, 0].item() == pytest.approx(math.exp(6) / (1 + math.exp(6)))


def test_the_map_of_a_traced_layer_has_the_same_two_weights() -> None:
    q, k, v = scores_26_and_20()
    layer = TracedLayer(
        q=q.expand(1, 1, 2, 2),
        k=k,
        v=v,
        context=attend(q.expand(1, 1, 2, 2), k, v, path="fused"),
        mask=None,
        alpha=1.0,
        num_prefix=0,
        grid=Grid(1, 1, 2),
    )

    for row in layer.attention()[0, 0].tolist():
        assert row == pytest.approx([0.9975, 0.0025], abs=5e-5)


def test_scores_are_divided_by_the_root_of_the_head_dim_and_not_of_the_width() -> None:
    """Eight heads of 64 channels: 1/8, which 512 channels in one head would not have."""
    assert softmax_scale(64) == 0.125
    attention = SelfAttention(8, num_heads=2, path="explicit")
    nn.init.ones_(attention.qkv.weight)
    nn.init.zeros_(attention.qkv.get_parameter("bias"))
    trace = Trace()

    attention(Tokens(x=torch.ones(1, 2, 8), grid=Grid(1, 1, 2), num_prefix=0), trace)

    # Every query and key channel is 8, so a product is 4 * 64, and the score half of that.
    layer = trace.layers[0]
    assert (layer.q @ layer.k.transpose(2, 3)).unique().tolist() == [128.0]


PICTURE = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
KERNEL = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def test_a_convolution_slides_its_kernel_unturned() -> None:
    """1*1 + 2*2 + 4*3 + 5*4 = 37, and so on: [[37, 47], [67, 77]].

    What is called convolution here is cross-correlation; with the kernel turned by 180 degrees it
    would be [[23, 33], [53, 63]]. Ours are 3 x 3 with a border of zeros, so the 2 x 2 kernel stands
    in the lower right corner of one; the four sums that touch no border are the upper left ones.
    """
    conv = ConvNormAct(1, 1)[0]
    assert isinstance(conv, nn.Conv2d)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 1:, 1:] = KERNEL

    found = conv(PICTURE)[0, 0]

    assert found.shape == (3, 3)
    assert found[:2, :2].tolist() == [[37.0, 47.0], [67.0, 77.0]]
    assert found[2, 2].item() == 9.0  # the border of zeros: 9 * 1
    with torch.no_grad():
        conv.weight[0, 0, 1:, 1:] = KERNEL.flip(0, 1)
    assert conv(PICTURE)[0, 0, :2, :2].tolist() == [[23.0, 33.0], [53.0, 63.0]]


def test_a_patch_embedding_is_the_same_sum_on_each_patch() -> None:
    """Stride equal to the side: patches do not overlap, so of the four sums only one is there.

    A row and a column of zeros make the 3 x 3 picture one of 2 x 2 patches.
    """
    embed = PatchEmbed(1, patch_size=2, embed_dim=1, has_bias=False)
    with torch.no_grad():
        embed.project.weight[0, 0] = KERNEL

    found = embed(PICTURE)

    assert found.grid == Grid(1, 2, 2)
    assert found.x.flatten().tolist() == [37.0, 1 * 3 + 3 * 6, 1 * 7 + 2 * 8, 1 * 9]


def test_the_frequencies_of_sincos_fall_from_1_by_powers_of_10000_to_the_2i_over_d() -> None:
    """PE(p, 2i) = sin(p / 10000^(2i/d)), PE(p, 2i + 1) = cos of the same (arXiv 1706.03762, 3.5).

    The exponent is 2i/d with i from 0 to d/2 - 1; printed as i/d or as 2i with i counting channels
    it is another table. Each axis has d = D/2 channels here, the sines first and then the cosines,
    which is another order of the same numbers. By hand, for D = 8: d = 4, so the frequencies are 1
    and 10000^(-2/4) = 1/100.
    """
    table = sincos(Grid(1, 3, 4), 8, num_axes=2, device=CPU).reshape(3, 4, 8)

    row, column = 2, 3
    by_hand = [
        0.9092974,  # sin(2)
        0.0199987,  # sin(2 / 100)
        -0.4161468,  # cos(2)
        0.9998000,  # cos(2 / 100)
        0.1411200,  # sin(3)
        0.0299955,  # sin(3 / 100)
        -0.9899925,  # cos(3)
        0.9995500,  # cos(3 / 100)
    ]
    assert table[row, column].tolist() == pytest.approx(by_hand, abs=1e-6)
    assert table[0, 0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


@pytest.mark.parametrize("embed_dim", [16, 64, 384])
def test_the_table_of_the_paper_is_ours_with_sines_and_cosines_interleaved(
    embed_dim: int,
) -> None:
    d = embed_dim // 2
    ours = sincos(Grid(1, 1, 10), embed_dim, num_axes=2, device=CPU)[:, d:]  # of the columns

    for p in range(10):
        for i in range(d // 2):
            angle = p / 10_000 ** (2 * i / d)
            assert ours[p, i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert ours[p, d // 2 + i].item() == pytest.approx(math.cos(angle), abs=1e-6)

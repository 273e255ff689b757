"""At the start every token proposes the usual object in its own place, and hardly believes it."""

import pytest
import torch

from saccade.heads.detect import CLASS_LEAD, LEAD, PRIOR, DetectHead, guess_boxes, stand_out
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

CPU = torch.device("cpu")


@pytest.fixture
def head() -> DetectHead:
    return DetectHead(16, num_classes=3, object_width=0.2, object_height=0.1)


def tokens(grid: Grid, *, num_prefix: int = 0) -> Tokens:
    x = torch.randn(2, num_prefix + grid.num_tokens, 16)
    return Tokens(x=x, grid=grid, num_prefix=num_prefix)


def test_guesses_stand_in_the_middle_of_their_cells_row_by_row() -> None:
    boxes = guess_boxes(Grid(1, 2, 4), width=0.2, height=0.1, device=CPU)

    expected = [[(x + 0.5) / 4, (y + 0.5) / 2, 0.2, 0.1] for y in range(2) for x in range(4)]
    torch.testing.assert_close(boxes, torch.tensor(expected))


def test_a_fresh_head_proposes_its_guesses_with_the_prior_as_score(head: DetectHead) -> None:
    grid = Grid(1, 3, 5)

    found = head(tokens(grid))

    guesses = guess_boxes(grid, width=0.2, height=0.1, device=CPU)
    torch.testing.assert_close(found.boxes_cxcywh, guesses.expand(2, -1, -1))
    torch.testing.assert_close(found.logits.sigmoid(), torch.full((2, 15, 3), PRIOR))
    assert found.grid == grid


def test_class_and_register_tokens_propose_nothing(head: DetectHead) -> None:
    torch.nn.init.normal_(head.classify.weight)
    with_prefix = tokens(Grid(1, 3, 5), num_prefix=2)
    without = Tokens(x=with_prefix.patches, grid=with_prefix.grid, num_prefix=0)

    assert torch.equal(head(with_prefix).logits, head(without).logits)


def test_a_large_offset_moves_a_box_anywhere_but_never_out_of_the_picture(
    head: DetectHead,
) -> None:
    last = head.locate[-1]
    assert isinstance(last, torch.nn.Linear)
    for offset in (-50.0, 50.0):
        torch.nn.init.constant_(last.bias, offset)
        boxes = head(tokens(Grid(1, 3, 5))).boxes_cxcywh
        assert 0 <= boxes.min() <= boxes.max() <= 1


def test_the_surest_of_a_neighbourhood_stands_out_as_the_naive_loop_says() -> None:
    grid = Grid(1, 4, 5)
    logits = torch.randn(2, grid.num_tokens, 3)

    expected = logits.clone()
    for b in range(2):
        for k in range(3):
            map_ = logits[b, :, k].view(4, 5)
            for y in range(4):
                for x in range(5):
                    highest = map_[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max()
                    expected[b, y * 5 + x, k] -= LEAD * (highest - map_[y, x])
    best = expected.max(dim=2, keepdim=True).values
    expected -= CLASS_LEAD * (best - expected)

    torch.testing.assert_close(stand_out(logits, grid), expected)


def test_the_surest_class_of_the_surest_token_is_left_as_it_is() -> None:
    grid = Grid(1, 3, 3)
    logits = torch.full((1, 9, 2), -4.0)
    logits[0, 4], logits[0, 5, 0] = torch.tensor([2.0, 1.0]), 1.5

    lowered = stand_out(logits, grid)

    assert lowered[0, 4].tolist() == [2.0, 1.0 - CLASS_LEAD * 1.0]
    assert lowered[0, 5, 0] == 1.5 - LEAD * 0.5
    assert lowered[0, 8, 0] < -4.0


def test_proposals_are_fp32_under_autocast(head: DetectHead) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(tokens(Grid(1, 3, 5)))

    assert found.logits.dtype == torch.float32
    assert found.boxes_cxcywh.dtype == torch.float32


def test_each_token_speaks_for_itself(head: DetectHead) -> None:
    torch.nn.init.normal_(head.classify.weight)
    of = tokens(Grid(1, 3, 5))
    before = head(of).logits
    of.x[:, 7] += 1

    changed = (head(of).logits != before).any(dim=2)

    assert changed.sum() == 2
    assert changed[:, 7].all()

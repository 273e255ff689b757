"""What is frozen does not move by one bit: no gradient, no decay, no running statistics."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import saccade
from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.errors import UsageError
from saccade.run.freeze import find_frozen, freeze
from saccade.run.learner import Learner
from saccade.tasks.classify import Classify
from tests import tiny

# A model, a pattern, and what the names of the frozen tensors begin with.
PARTS = [
    ("vit-pico4", "backbone.blocks.[0-1].*", ("backbone.blocks.0.", "backbone.blocks.1.")),
    ("vit-pico4", "backbone.embed.*,backbone.norm.*", ("backbone.embed.", "backbone.norm.")),
    ("rag-pico4", "backbone.*", ("backbone.",)),
    ("attncnn-pico4", "backbone.features.*", ("backbone.features.",)),
    ("cnn-pico4", "backbone.features.stem.*", ("backbone.features.stem.",)),
]


def batch(seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        images=torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8, generator=generator),
        targets=torch.randint(3, (8,), generator=generator),
        ids=torch.arange(8),
    )


def config(model: str, patterns: str, **settings: Any) -> RunConfig:
    return tiny.config(
        model, optim__freeze=patterns, optim__lr="0.01", optim__weight_decay="9", **settings
    )


def learner(model: str, patterns: str, **settings: Any) -> Learner:
    of = config(model, patterns, **settings)
    return Learner(tiny.task(of), config=of, device=torch.device("cpu"))


def steps(made: Learner, numbers: range) -> list[dict[str, float]]:
    return [
        made.step(batch(n), epoch=0, step=n, planned_steps=10, progress=n / 10) for n in numbers
    ]


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize(("model", "patterns", "starts"), PARTS)
def test_what_is_frozen_does_not_move_and_the_rest_does(
    model: str, patterns: str, starts: tuple[str, ...]
):
    made = learner(model, patterns)
    before = copied(made.task)
    steps(made, range(4))
    for now in (made.task.state_dict(), made.average.task.state_dict()):
        still = {name for name in now if torch.equal(now[name], before[name])}
        assert {name for name in now if name.startswith(starts)} <= still
        assert not {name for name in still if not name.startswith(starts) and now[name].numel()}
    for name, parameter in made.task.named_parameters():
        if parameter.numel():
            assert (parameter.grad is None) == name.startswith(starts), name


def test_frozen_batch_norms_stay_in_evaluation_whoever_calls_train():
    made = learner("cnn-pico4", "backbone.features.stem.*")
    frozen, moving = (
        [m for m in part.modules() if isinstance(m, nn.BatchNorm2d)]
        for part in (made.task.get_submodule("backbone.features.stem"), made.task.backbone)
    )
    moving = [norm for norm in moving if norm not in frozen]
    assert made.frozen.norms == tuple(frozen)
    for number in range(3):
        made.task.eval()
        made.task.train()
        steps(made, range(number, number + 1))
        assert not any(norm.training for norm in frozen)
        assert all(norm.training for norm in moving)
    assert all(norm.num_batches_tracked == 0 for norm in frozen)
    assert all(norm.num_batches_tracked == 3 for norm in moving)


def test_a_batch_norm_of_which_only_a_part_is_frozen_goes_on_learning():
    made = learner("cnn-pico4", "backbone.features.stem.*.weight")
    assert made.frozen.names == (
        "backbone.features.stem.0.weight",
        "backbone.features.stem.2.weight",
    )
    assert made.frozen.norms == ()
    steps(made, range(1))
    assert made.task.get_buffer("backbone.features.stem.2.num_batches_tracked") == 1


@pytest.mark.parametrize(("model", "patterns", "starts"), PARTS[2:4])
def test_a_run_with_frozen_parts_resumes_to_the_bit(
    model: str, patterns: str, starts: tuple[str, ...]
):
    whole, half = learner(model, patterns), learner(model, patterns)
    figures = steps(whole, range(6))
    assert steps(half, range(3)) == figures[:3]
    resumed = learner(model, patterns, seed="1")  # other weights until it loads
    resumed.config = whole.config
    resumed.load({name: value.detach().clone() for name, value in half.tensors().items()})
    assert steps(resumed, range(3, 6)) == figures[3:]
    assert tiny.same_bits(resumed.tensors(), whole.tensors())
    assert not any(name.startswith(f"optimizer/{starts[0]}") for name in whole.tensors())


def test_patterns_choose_by_name():
    task = tiny.task(tiny.config("vit-pico4"))
    names = [name for name, _ in task.named_parameters()]

    def chosen(*patterns: str) -> set[str]:
        return set(find_frozen(task, patterns).names)

    assert chosen() == set()
    assert chosen("head.classify.bias") == {"head.classify.bias"}
    assert chosen("backbone.blocks.[13].*") == {
        name for name in names if name.startswith(("backbone.blocks.1.", "backbone.blocks.3."))
    }
    assert chosen("*.mlp.*", "head.*") == {n for n in names if ".mlp." in n or "head." in n}
    found = find_frozen(task, ["backbone.norm.*", "backbone.norm.bias"])
    assert found.num_parameters == 2 * 96


def test_looking_for_what_would_be_frozen_changes_nothing():
    task = tiny.task(tiny.config("cnn-pico4")).train()
    found = find_frozen(task, ["backbone.*"])
    assert found.norms
    assert all(norm.training for norm in found.norms)
    assert all(parameter.requires_grad for parameter in task.parameters())
    assert freeze(task, ["backbone.*"]) == found
    assert not any(norm.training for norm in found.norms)
    assert not any(parameter.requires_grad for parameter in task.backbone.parameters())


@pytest.mark.parametrize(
    ("pattern", "offered"),
    [
        ("backbone.block.0.*", "did you mean .*'backbone.blocks.0.*'"),
        ("blocks.0.*", "did you mean .*'backbone.blocks.0.*'"),
        ("backbone", r"did you mean 'backbone\.\*'"),
        ("head.clasify.weight", "did you mean 'head.classify.weight'"),
        ("layer4", r"known are: backbone\.\*, .*backbone\.embed\.\*.*head\.\*"),
    ],
)
def test_a_pattern_that_matches_nothing_is_answered_with_the_nearest(pattern: str, offered: str):
    task = tiny.task(tiny.config("vit-pico4"))
    with pytest.raises(UsageError, match=offered) as caught:
        find_frozen(task, ["head.*", pattern])
    assert f"no parameter is called {pattern!r}" in str(caught.value)


def test_freezing_everything_is_refused():
    task = tiny.task(tiny.config("vit-pico4"))
    for patterns in (["*"], ["backbone.*", "head.*"], ["*.*[!x]"]):
        with pytest.raises(UsageError, match=r"freezes all [\d,]+ parameters; leave something"):
            find_frozen(task, patterns)
    # The prefix of this model has no tokens, so it is nothing that could learn.
    rest = [name for name, parameter in task.named_parameters() if parameter.numel()]
    with pytest.raises(UsageError, match="freezes all"):
        find_frozen(task, rest)


def test_a_task_without_parameters_is_no_reason_to_complain():
    assert find_frozen(nn.Identity(), []).num_parameters == 0


def test_a_misspelt_pattern_stops_training_before_anything_is_written(tmp_path: Path):
    source = tiny.draw_folder(tmp_path / "pictures", count=8)
    settings = tiny.SETTINGS | {"optim.freeze": "backbon.*"}
    with pytest.raises(UsageError, match=r"did you mean 'backbone\.\*'"):
        saccade.train(
            source,
            tmp_path / "run",
            model="rag-pico4",
            steps=2,
            settings=settings,
            device="cpu",
            is_quiet=True,
        )
    assert not (tmp_path / "run").exists()


def test_gradients_of_what_moves_are_those_of_an_unfrozen_model():
    def gradients(task: Classify) -> dict[str, Tensor]:
        nn.init.normal_(task.head.classify.weight)
        task.loss(batch(0), progress=0.0)["loss"].backward()
        return {name: p.grad for name, p in task.named_parameters() if p.grad is not None}

    # Without a batch norm, which would normalise by other figures when it is frozen.
    whole, part = (tiny.task(tiny.config("vit-pico4", model__stem="patches")) for _ in range(2))
    freeze(part, ["backbone.embed.*", "backbone.blocks.0.*"])
    torch.manual_seed(1)
    everything = gradients(whole)
    torch.manual_seed(1)
    some = gradients(part)
    assert 0 < len(some) < len(everything)
    assert tiny.same_bits(some, {name: everything[name] for name in some})

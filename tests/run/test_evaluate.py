"""Figures over batches are those over all pictures at once; a signal ends it between batches."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import torch

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.metrics.classify import ClassMetrics
from saccade.run.evaluate import evaluate
from saccade.run.stop import StopSignals
from saccade.tasks.classify import Classify
from tests import tiny

CPU = torch.device("cpu")

PROCESSES = """
import sys
import torch
from saccade.run.evaluate import evaluate
from saccade.run.stop import StopSignals
from saccade.run.world import joined
from tests import tiny
from tests.run.test_evaluate import batch, split

CPU = torch.device("cpu")
config, given = tiny.config("cnn-pico4"), batch(12)
task = tiny.task(config).eval()
batches = split(given, 5, 4, 2, 1)
shares, stop = [batches[:1], batches[1:], []], StopSignals()

def own(rank):
    for some in shares[rank]:
        if rank == 1 and "signal" in sys.argv and some is batches[2]:
            stop.received = 15
        if rank == 1 and "broken" in sys.argv and some is batches[2]:
            raise OSError("this one is broken")
        yield some

with joined(CPU) as world:
    alone = evaluate(task, batches, config=config, device=CPU)
    found = evaluate(task, own(world.rank), config=config, device=CPU, stop=stop, world=world)
    assert found == (None if "signal" in sys.argv else alone), (found, alone)
    print("same")
"""


def batch(count: int, *, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        images=torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=generator),
        targets=torch.randint(3, (count,), generator=generator),
        ids=torch.arange(count),
    )


def split(whole: Batch, *sizes: int) -> list[Batch]:
    assert whole.labels is not None
    parts = zip(*(x.split(sizes) for x in (whole.images, whole.labels, whole.ids)), strict=True)
    return [Batch(images=images, targets=targets, ids=ids) for images, targets, ids in parts]


def figures(
    task: Classify,
    batches: Iterable[Batch],
    *,
    config: RunConfig,
    stop: StopSignals | None = None,
) -> dict[str, float] | None:
    return evaluate(task, batches, config=config, device=CPU, stop=stop)


def test_figures_are_those_of_all_pictures_at_once():
    config, given = tiny.config("cnn-pico4"), batch(12)
    task = tiny.task(config).eval()
    expected = ClassMetrics(tiny.CLASSES)
    assert given.labels is not None
    expected.update(task.predict(given), given.labels)
    found = figures(task, split(given, 5, 4, 2, 1), config=config)
    assert found == pytest.approx(expected.result().values(), abs=1e-5)


def test_evaluating_changes_no_weight_and_keeps_no_gradient():
    config = tiny.config("rag-pico4")
    task = tiny.task(config).eval()
    before = {name: value.clone() for name, value in task.state_dict().items()}
    first = figures(task, [batch(8)], config=config)
    assert tiny.same_bits(task.state_dict(), before)
    assert all(parameter.grad is None for parameter in task.parameters())
    assert figures(task, [batch(8)], config=config) == first


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_the_precision_is_that_of_the_config(precision: str, dtype: torch.dtype):
    seen: list[tuple[torch.dtype, bool]] = []
    config = tiny.config("vit-pico4", precision=precision)
    task = tiny.task(config).eval()

    def note(_: object, __: object, output: torch.Tensor) -> None:
        seen.append((output.dtype, torch.is_inference_mode_enabled()))

    linear = next(m for m in task.modules() if isinstance(m, torch.nn.Linear))
    linear.register_forward_hook(note)
    assert figures(task, [batch(4)], config=config) is not None
    assert seen == [(dtype, True)]


@pytest.mark.parametrize("number", [2, 15])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_signal_stops_it_before_the_next_batch_and_there_are_no_figures(number: int, after: int):
    config, stop = tiny.config("cnn-pico4"), StopSignals()
    task = tiny.task(config).eval()
    answered: list[int] = []
    task.register_forward_pre_hook(lambda _, args: answered.append(len(args[0])))

    def batches() -> Iterator[Batch]:
        for place in range(5):
            if place == after:
                stop.received = number
            yield batch(place + 1)

    assert figures(task, batches(), config=config, stop=stop) is None
    assert answered == list(range(1, after + 1))


def test_while_no_signal_comes_the_listener_changes_nothing():
    config, given = tiny.config("cnn-pico4"), split(batch(6), 4, 2)
    task = tiny.task(config).eval()
    with StopSignals() as stop:
        assert figures(task, given, config=config, stop=stop) == figures(task, given, config=config)


def three(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Three processes, of which the first has one batch, the second three, and the third none."""
    script.write_text(PROCESSES)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=3"]
    return tiny.run_command([sys.executable, *launch, str(script), *words])


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("signal",)], ids=["to the end", "to a signal"])
def test_processes_with_uneven_shares_agree_with_one_that_has_all(tmp_path: Path, words: tuple):
    done = three(tmp_path / "shares.py", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("same") == 3


@pytest.mark.slow
def test_a_broken_process_takes_the_others_along_and_none_waits(tmp_path: Path):
    done = three(tmp_path / "shares.py", "broken")  # which would take too long if one waited
    assert done.returncode == 1
    assert "this one is broken" in done.stderr
    assert "same" not in done.stdout

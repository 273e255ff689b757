"""Figures of a training told to the programs that people compare runs with.

Each is a package of its own, imported when it is named, and told nothing but the config and the
figures. TensorBoard and MLflow write to this machine unless their own settings say otherwise;
Weights & Biases sends to its server, as its users wish, or with ``WANDB_MODE=offline`` does not.
"""

import importlib
import importlib.util
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from saccade.errors import SaccadeError, UsageError
from saccade.reporting.teller import Teller
from saccade.run.folder import write_atomic
from saccade.run.state import RunState

KEPT = "trackers.json"
"""In the run folder: the trackers of this run, and under which id each knows it."""

UNTOLD = {
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_CONSOLE": "off",
    "WANDB_DISABLE_GIT": "true",
    "WANDB_DISABLE_CODE": "true",
    "WANDB__DISABLE_META": "true",
    "WANDB__DISABLE_STATS": "true",
    "WANDB__DISABLE_MACHINE_INFO": "true",
    "WANDB__SAVE_REQUIREMENTS": "false",
}
"""What Weights & Biases would send by itself (crashes, what the terminal shows, the repository, the
command and its paths, the machine, installed packages) and does not, unless the user's own
environment says otherwise; by the names of the settings of wandb 0.31."""

CLOSING_SECONDS = 20.0
"""How long trackers may take at the end; torchrun gives processes half a minute."""

SPEEDS = ("images_per_second", "step_seconds", "data_wait", "memory_gib", "mfu")


@runtime_checkable
class Tracker(Protocol):
    """Somebody who keeps figures by their names and steps.

    Attributes:
        run_id: under which it knows this run, so that a resumed run goes on there; "" where that
            is not needed.
    """

    run_id: str

    def repeat(self, step: int) -> None:
        """What an earlier process logged of this step and later ones comes a second time now."""
        ...

    def log(self, figures: Mapping[str, float], *, step: int) -> None:
        """Keeps figures of a step."""
        ...

    def close(self) -> None:
        """Sends what is left."""
        ...


class TensorBoard:
    """Event files in ``RUN/tensorboard``: ``tensorboard --logdir RUNS``."""

    run_id = ""

    def __init__(self, run: Path, *_: object) -> None:
        self._writers = importlib.import_module("torch.utils.tensorboard")
        self._folder, self._writer = run / "tensorboard", None

    def repeat(self, step: int) -> None:
        """See ``Tracker``. What was logged of these steps is hidden."""
        self._writer = self._writers.SummaryWriter(str(self._folder), purge_step=step)

    def log(self, figures: Mapping[str, float], *, step: int) -> None:
        """See ``Tracker``."""
        if self._writer is None:
            self._writer = self._writers.SummaryWriter(str(self._folder))
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """See ``Tracker``."""
        if self._writer is not None:
            self._writer.close()


class WeightsAndBiases:
    """A run of the project that ``WANDB_PROJECT`` names, else of ``saccade``."""

    def __init__(self, run: Path, config: Mapping[str, Any], run_id: str) -> None:
        for name, value in UNTOLD.items():
            os.environ.setdefault(name, value)
        wandb = importlib.import_module("wandb")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "saccade"),
            name=run.name,
            dir=str(run),
            config=dict(config),
            id=run_id or None,
            resume="allow",
        )
        self.run_id = str(self._run.id)

    def repeat(self, step: int) -> None:
        """See ``Tracker``. It refuses steps before its last one, which say the same again."""

    def log(self, figures: Mapping[str, float], *, step: int) -> None:
        """See ``Tracker``."""
        self._run.log(dict(figures), step=step)

    def close(self) -> None:
        """See ``Tracker``."""
        self._run.finish()


class MLflow:
    """A run of the experiment ``MLFLOW_EXPERIMENT_NAME``, else ``saccade``."""

    def __init__(self, run: Path, config: Mapping[str, Any], run_id: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        mlflow = importlib.import_module("mlflow")
        self._client = mlflow.MlflowClient()
        self.run_id = run_id or self._begin(run.name, config)

    def _begin(self, name: str, config: Mapping[str, Any]) -> str:
        wanted = os.environ.get("MLFLOW_EXPERIMENT_NAME", "saccade")
        found = self._client.get_experiment_by_name(wanted)
        where = self._client.create_experiment(wanted) if found is None else found.experiment_id
        run_id = str(self._client.create_run(where, run_name=name).info.run_id)
        for key, value in config.items():
            self._client.log_param(run_id, key, value)
        return run_id

    def repeat(self, step: int) -> None:
        """See ``Tracker``. It shows what was logged last of a step."""

    def log(self, figures: Mapping[str, float], *, step: int) -> None:
        """See ``Tracker``."""
        for name, value in figures.items():
            self._client.log_metric(self.run_id, name, value, step=step)

    def close(self) -> None:
        """See ``Tracker``."""
        self._client.set_terminated(self.run_id)


TRACKERS: dict[str, Callable[[Path, Mapping[str, Any], str], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
}


class Trackers:
    """A watcher that tells all trackers of a run.

    Each is told in a thread of its own, so that training waits for none of them. One that hangs, or
    fails, its server out of reach, is left out from then on; training goes on. So it does where
    one that the run had before does not begin again.

    Args:
        run: the run folder, which exists.
        config: what to keep beside the figures; nested.
        names: of ``TRACKERS``; those that the run had before are always told too.
        say: hears once of a tracker that failed or hangs.

    Raises:
        UsageError: a tracker's package is not installed.
        SaccadeError: a tracker that is new to this run does not begin.
    """

    def __init__(
        self,
        run: Path,
        config: Mapping[str, Any],
        names: Iterable[str],
        *,
        say: Callable[[str], None],
    ) -> None:
        path = run / KEPT
        kept: dict[str, str] = json.loads(path.read_bytes()) if path.exists() else {}
        new = [name for name in names if name not in kept]
        check_trackers(new)
        flat = _flat(config)
        trackers: dict[str, Tracker] = {}
        for name, run_id in kept.items():
            try:
                check_trackers([name])
                trackers[name] = TRACKERS[name](run, flat, run_id)
            except Exception as error:
                say(
                    f"  {name} failed and hears no more of this run until it goes on again: {error}"
                )
        trackers |= {name: _opened(name, run, flat) for name in new}
        self._has_repeated = False
        self._tellers = [Teller(name, tracker, say=say) for name, tracker in trackers.items()]
        if trackers:
            ids = {name: tracker.run_id for name, tracker in trackers.items()}
            write_atomic(path, json.dumps(kept | ids).encode())

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """Nothing; records hold the means of many steps."""

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Tells ``train/...``, ``speed/...`` and ``val/...``."""
        if kind in {"train", "eval"} and not self._has_repeated:
            self._has_repeated = True
            self._tell(lambda tracker: tracker.repeat(fields["step"]))
        if kind == "train":
            known = {"step", "epoch", "seconds"}
            self.log(
                {
                    f"{'speed' if name in SPEEDS else 'train'}/{name}": value
                    for name, value in fields.items()
                    if name not in known
                },
                step=fields["step"],
            )
        elif kind == "eval":
            figures = {f"{fields['split']}/{name}": x for name, x in fields["metrics"].items()}
            self.log(figures, step=fields["step"])

    def log(self, figures: Mapping[str, float], *, step: int) -> None:
        """Tells figures of a step."""
        self._tell(lambda tracker: tracker.log(figures, step=step))

    def close(self) -> None:
        """Sends what is left, all trackers at once, for ``CLOSING_SECONDS`` at most."""
        until = time.monotonic() + CLOSING_SECONDS
        for teller in self._tellers:
            teller.tell_last(lambda tracker: tracker.close())
        for teller in self._tellers:
            teller.wait(until=until)

    def _tell(self, do: Callable[[Tracker], None]) -> None:
        for teller in self._tellers:
            teller.tell(do)


def check_trackers(names: Iterable[str]) -> None:
    """Looks at names before anything is written.

    Raises:
        UsageError: there is no such tracker, or its package is not installed.
    """
    for name in names:
        if name not in TRACKERS:
            raise UsageError(f"there is no tracker {name!r}; there are {', '.join(TRACKERS)}")
        if importlib.util.find_spec(name) is None:
            raise UsageError(
                f"{name} is not installed; `pip install 'saccade[{name}]'`, or leave out "
                f"--track {name}"
            )


def _opened(name: str, run: Path, config: Mapping[str, Any]) -> Tracker:
    try:
        return TRACKERS[name](run, config, "")
    except Exception as error:
        raise SaccadeError(
            f"{name} does not begin: {error}. Nothing was trained yet; put that right and continue "
            f"{run} with --resume --track {name}, or without the tracker"
        ) from error


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat

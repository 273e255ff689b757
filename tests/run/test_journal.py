"""Of several processes one is heard, and it says everything."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.run.journal import Journal
from saccade.run.state import RunState


class Ear:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """A step."""
        self.heard.append(f"step {state.step} {dict(figures)}")

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """A record."""
        self.heard.append(f"{kind} {dict(fields)}")


def test_one_that_speaks_writes_and_tells(tmp_path: Path) -> None:
    ear = Ear()
    journal = Journal(tmp_path / "log.jsonl", ear, is_silent=False)
    journal.step(RunState(planned_steps=3, step=1), {"loss": 0.5})
    journal.write("note", text="a")
    size = journal.size()
    journal.write("note", text="b")
    journal.cut(size)

    assert ear.heard == ["step 1 {'loss': 0.5}", "note {'text': 'a'}", "note {'text': 'b'}"]
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["a"]


def test_one_that_is_silent_touches_nothing(tmp_path: Path) -> None:
    ear = Ear()
    journal = Journal(tmp_path / "log.jsonl", ear, is_silent=True)
    journal.step(RunState(planned_steps=3), {"loss": 0.5})
    journal.write("note", text="a")
    journal.cut(0)

    assert journal.size() == 0
    assert ear.heard == []
    assert list(tmp_path.iterdir()) == []

"""The log is one JSON object a line, and resuming cuts it back to exactly what was saved."""

import json
from pathlib import Path

from saccade.run.records import Records


def lines(records: Records) -> list[dict]:
    return [json.loads(line) for line in records.path.read_text(encoding="utf-8").splitlines()]


def test_each_record_is_a_line_in_order(tmp_path: Path):
    records = Records(tmp_path / "log.jsonl")
    records.write("train", step=1, loss=0.1 + 0.2)
    records.write("note", text="Äpfel\nand pears")
    assert lines(records) == [
        {"kind": "train", "step": 1, "loss": 0.1 + 0.2},
        {"kind": "note", "text": "Äpfel\nand pears"},
    ]


def test_a_cut_log_is_what_it_was_at_the_checkpoint(tmp_path: Path):
    records = Records(tmp_path / "log.jsonl")
    records.write("note", text="Ü")
    size, before = records.size(), records.path.read_bytes()
    records.write("train", step=2)
    with records.path.open("a") as file:
        file.write('{"kind": "tra')  # killed while it wrote
    again = Records(tmp_path / "log.jsonl")
    again.cut(size)
    assert again.path.read_bytes() == before
    again.write("train", step=2)
    assert lines(again)[-1] == {"kind": "train", "step": 2}


def test_cutting_at_zero_empties_and_cutting_beyond_the_end_adds_nothing(tmp_path: Path):
    records = Records(tmp_path / "log.jsonl")
    records.write("train", step=1)
    before = records.path.read_bytes()
    records.cut(10_000)
    assert records.path.read_bytes() == before
    records.cut(0)
    assert records.path.read_bytes() == b""


def test_opening_a_log_keeps_what_is_in_it(tmp_path: Path):
    Records(tmp_path / "log.jsonl").write("train", step=1)
    records = Records(tmp_path / "log.jsonl")
    records.write("train", step=2)
    assert [line["step"] for line in lines(records)] == [1, 2]

"""A verb talks on stderr: plain lines where there is no terminal, a bar on one, or not at all."""

import io
from typing import Any

import pytest
from rich.console import Console

from saccade.run.state import RunState
from saccade.verbs import voice as module
from saccade.verbs.voice import TrainingVoice, Voice

FIGURES = {"loss": 1.5, "top1": 0.25}
EVALUATION: dict[str, Any] = {
    "step": 1200,
    "epoch": 2.5,
    "metrics": {"top1": 0.9876, "log_loss": 0.1234},
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """One number, the time in seconds, that a test moves on."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def talk(voice: Voice) -> None:
    """Everything a voice can say, without waiting."""
    voice.head("Training rag-pico4")
    voice.say("  some lines\n  of text")
    voice.counting("reading pictures")(500, 1000)
    with voice.training("picture") as watcher:
        state = RunState(planned_steps=100)
        for _ in range(3):
            state.advance(FIGURES)
            watcher.step(state, FIGURES)
        watcher.record("train", {"images_per_second": 1000.0})
        watcher.record("eval", EVALUATION)
        watcher.record("note", {"text": "step-00000010 is damaged"})
        watcher.record("plan", {"planned_steps": 90})


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_EVERY_SECONDS", 0.0)


@pytest.mark.usefixtures("talkative")
def test_a_quiet_voice_says_nothing(capfd: pytest.CaptureFixture[str]):
    talk(Voice(is_quiet=True))
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("talkative")
def test_off_a_terminal_there_are_plain_lines_on_stderr_alone(capfd: pytest.CaptureFixture[str]):
    talk(Voice())
    out, err = capfd.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert "\r" not in err
    lines = err.splitlines()
    assert lines[:4] == [
        "Training rag-pico4",
        "  some lines",
        "  of text",
        "  reading pictures: 500 of 1,000",
    ]
    assert lines[4].startswith("  step 1 of 100  loss 1.500  top-1 0.250  ")
    assert lines[4].endswith(" left")
    assert lines[-2:] == [
        "  step 1,200  epoch 2.5  validation: top-1 0.9876  log loss 0.1234",
        "  step-00000010 is damaged",
    ]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "pictures/[1]/a b.png", "a" * 300, "[/x]"])
def test_text_is_said_as_it_is(text: str, capfd: pytest.CaptureFixture[str]):
    voice = Voice()
    voice.say(text)
    voice.head(text)
    voice.training("picture").record("note", {"text": text})
    assert capfd.readouterr().err == f"{text}\n{text}\n  {text}\n"


def test_counting_speaks_up_at_most_every_five_seconds(
    clock: list[float], capfd: pytest.CaptureFixture[str]
):
    report = Voice().counting("reading")
    for second in range(12):
        clock[0] = float(second)
        report(second * 1000, 12_000)
    assert capfd.readouterr().err.splitlines() == [
        "  reading: 5,000 of 12,000",
        "  reading: 10,000 of 12,000",
    ]


def test_training_speaks_every_ten_seconds_with_the_rate_and_the_time_left(
    clock: list[float], capfd: pytest.CaptureFixture[str]
):
    state = RunState(planned_steps=200)
    with Voice().training("picture") as watcher:
        for second in range(26):
            clock[0] = float(second)
            state.advance(FIGURES)
            watcher.step(state, FIGURES)
            if second == 15:
                watcher.record("train", {"images_per_second": 1234.4})
    # A step a second: at second 10 eleven steps are made, and 189 are to come.
    assert capfd.readouterr().err.splitlines() == [
        "  step 11 of 200  loss 1.500  top-1 0.250  0 pictures/s  3 min 9 s left",
        "  step 21 of 200  loss 1.500  top-1 0.250  1,234 pictures/s  2 min 59 s left",
    ]


def test_figures_are_smoothed_from_the_first_one_on(
    clock: list[float], capfd: pytest.CaptureFixture[str]
):
    state = RunState(planned_steps=10)
    watcher = Voice().training("picture")
    expected = 2.0
    for number, loss in enumerate((2.0, 1.0, 4.0)):
        expected += 0.05 * (loss - expected)
        clock[0] = 10.0 * number
        state.advance({})
        watcher.step(state, {"loss": loss, "top1": 0.0})
    assert f"loss {expected:.3f}" in capfd.readouterr().err.splitlines()[-1]


def test_on_a_terminal_a_bar_shows_the_step_and_goes_away_at_the_end():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, highlight=False, width=120)
    state = RunState(planned_steps=100)
    with TrainingVoice(console, "picture") as watcher:
        for _ in range(7):
            state.advance(FIGURES)
            watcher.step(state, FIGURES)
        assert watcher._bar is not None
        watcher._bar.refresh()
        assert "7/100" in screen.getvalue()
        assert "loss 1.500" in screen.getvalue()
        watcher.record("eval", EVALUATION)
    assert "validation: top-1 0.9876" in screen.getvalue()
    assert screen.getvalue().rstrip().endswith(("\x1b[2K", "\x1b[?25h"))  # the line is cleared
    assert "pictures/s" not in screen.getvalue()  # that is the plain line's way


def test_a_bar_ends_when_training_fails():
    console = Console(file=io.StringIO(), force_terminal=True)
    watcher = TrainingVoice(console, "picture")
    with pytest.raises(ZeroDivisionError), watcher:
        raise ZeroDivisionError
    assert watcher._bar is not None
    assert not watcher._bar.live.is_started

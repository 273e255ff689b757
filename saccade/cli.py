"""The command line: one verb per function, no model code.

stdout carries the result, stderr the progress. With ``--json`` stdout is exactly one JSON document,
also when something fails. Torch is imported by the verbs, not here, so ``--help`` is quick.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, Optional

import typer

import saccade
from saccade.errors import SaccadeError, UsageError

app = typer.Typer(
    name="saccade",
    help="Attention models for pictures: from a folder of images to a model that is trained, "
    "evaluated and explained.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the data is bad, 130/143 stopped by a "
    "signal with the work saved.",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Device = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Option(help="cpu, cuda, mps; the best one here if left out."),
]
Run = Annotated[Path, typer.Argument(help="The run folder that `saccade train` made.")]
Pictures = Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")]
MODEL_HELP = (
    "A family (vit, rag, attncnn, cnn), a size (rag-nano) or a full name (rag-nano4); what is left "
    "open is chosen from the data and the budget."
)


def main() -> None:
    """Runs the command line and ends the process with the right exit code."""
    app()


def _print_version(is_asked: bool) -> bool:
    if is_asked:
        typer.echo(f"saccade {saccade.__version__}")
        raise typer.Exit
    return is_asked


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say it.")
    ] = False,
) -> None:
    del version


@app.command()
def demo(
    job: Annotated[str, typer.Option(help="What to show; only classify so far.")] = "classify",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The folder to make; saccade-demo if left out."),
    ] = None,
    model: Annotated[str, typer.Option(help=MODEL_HELP)] = "rag",
    budget: Annotated[str, typer.Option(help="Wall clock, such as 90s or 2m.")] = "150s",
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on real handwritten digits that need no network, and show where the report is."""
    with _answering(is_json=as_json) as answer:
        result = saccade.demo(
            job=job, out=out, model=model, budget=budget, seed=seed, is_quiet=quiet
        )
        answer.give(result, text=str(result.report))


@app.command()
def train(
    source: Annotated[
        Path, typer.Argument(help="A class folder, split folders, IDX or npz arrays.")
    ],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"{MODEL_HELP} rag if left out."),
    ] = None,
    budget: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Wall clock for the whole command, such as 5m; 10m if nothing says how long."
        ),
    ] = None,
    epochs: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Passes over the data, instead of a budget."),
    ] = None,
    steps: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Optimiser steps, instead of a budget."),
    ] = None,
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="Any number of the config, such as optim.lr=3e-4. Repeatable."),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Of everything random; 0 if left out."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, exactly.")
    ] = False,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn to classify pictures: a folder in, a run folder out."""
    with _answering(is_json=as_json) as answer:
        from saccade.config.json import parse_settings  # noqa: PLC0415 - keeps --help quick

        result = saccade.train(
            source,
            out,
            model=model,
            budget=budget,
            epochs=epochs,
            steps=steps,
            settings=parse_settings(settings or []),
            seed=seed,
            resume=resume,
            device=device,
            is_quiet=quiet,
        )
        answer.give(result, text=str(result.report))


@app.command()
def evaluate(
    run: Run,
    source: Annotated[Path, typer.Argument(help="Labelled pictures with the model's classes.")],
    weights: Annotated[str, typer.Option(help="best (by validation) or last.")] = "best",
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a model on labelled pictures: figures with their 95 % intervals."""
    with _answering(is_json=as_json) as answer:
        result = saccade.evaluate(run, source, device=device, weights=weights, is_quiet=quiet)
        lines = [f"{result.n:,} pictures ({result.split})"]
        for name, value in result.metrics.items():
            low, high = result.intervals[name]
            lines.append(f"{name:<18} {value:.4f}   {low:.4f} to {high:.4f}")
        lines += [f"left out {name}: {reason}" for name, reason in result.bad.items()]
        document = {key: value for key, value in vars(result).items() if key != "result"}
        details = {"per_class", "confusion", "reliability"}
        document |= {k: v for k, v in result.result.to_json().items() if k in details}
        answer.give(document, text="\n".join(lines))


@app.command()
def predict(
    run: Run,
    inputs: Pictures,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A .parquet, .csv or .jsonl table; JSON lines on stdout if left out."),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Classify pictures: one row each, in input order."""
    with _answering(is_json=as_json) as answer:
        if out is not None:
            result = saccade.predict(run, inputs, out, device=device, is_quiet=quiet)
            answer.give(
                result, text=f"{result.n:,} rows in {result.out}, {result.num_errors} with an error"
            )
            return
        from saccade.verbs.predict import rows  # noqa: PLC0415 - keeps --help quick

        if as_json:
            answer.give(
                {"run": run, "predictions": list(rows(run, inputs, device=device))}, text=""
            )
            return
        for row in rows(run, inputs, device=device):
            typer.echo(json.dumps(row, ensure_ascii=False))


@app.command()
def explain(
    run: Run,
    inputs: Pictures,
    out: Annotated[Path, typer.Option(help="The folder to make for the overlays.")],
    method: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="legrad, rollout or gradcam; those that suit the model if left out."),
    ] = None,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The class to explain; the predicted one if left out."),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what the model looked at: an overlay per picture and method."""
    with _answering(is_json=as_json) as answer:
        result = saccade.explain(
            run, inputs, out, methods=method or (), label=label, device=device, is_quiet=quiet
        )
        lines = [
            f"{entry['path']}: {entry['label']} ({entry['probability']:.2f}); "
            f"{', '.join(entry['overlays'].values())}"
            for entry in result.pictures
        ]
        answer.give(result, text="\n".join(lines))


@app.command()
def report(run: Run, as_json: Json = False) -> None:
    """Write report.html anew; works while the run goes on."""
    with _answering(is_json=as_json) as answer:
        page = saccade.report(run)
        answer.give({"run": run, "report": page}, text=str(page))


@app.command()
def models(
    image_size: Annotated[int, typer.Option(help="Pixels a side that costs are for.")] = 224,
    as_json: Json = False,
) -> None:
    """List what can be built, with its cost."""
    with _answering(is_json=as_json) as answer:
        infos = saccade.models(image_size=image_size)
        lines = [f"{'name':<16}{'parameters':>14}{f'GFLOPs @ {image_size}':>16}   source"]
        lines += [
            f"{m.name:<16}{m.num_parameters:>14,}{m.gflops:>16.2f}   {m.source}" for m in infos
        ]
        lines.append(
            "The number is the patch in pixels; any power of two will do, as in rag-nano4."
        )
        answer.give({"models": [asdict(info) for info in infos]}, text="\n".join(lines))


@dataclass
class _Answer:
    """What goes to stdout, once."""

    is_json: bool

    def give(self, document: Any, *, text: str) -> None:
        if self.is_json:
            plain = document if isinstance(document, dict) else asdict(document)
            typer.echo(json.dumps(plain, ensure_ascii=False, default=str))
        elif text:
            typer.echo(text)


@contextmanager
def _answering(*, is_json: bool) -> Iterator[_Answer]:
    """Turns our errors into one message and an exit code."""
    try:
        yield _Answer(is_json)
    except SaccadeError as error:
        _fail(str(error), code=error.exit_code, is_json=is_json)
    except ValueError as error:  # a constructor was given numbers that do not fit together
        _fail(str(error), code=UsageError.exit_code, is_json=is_json)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away, as `head` does
        raise typer.Exit(0) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", code=SaccadeError.exit_code, is_json=is_json)
    except KeyboardInterrupt:
        _fail("stopped", code=130, is_json=is_json)


def _fail(message: str, *, code: int, is_json: bool) -> NoReturn:
    if is_json:
        typer.echo(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    typer.echo(f"saccade: {message}", err=True)
    raise typer.Exit(code) from None

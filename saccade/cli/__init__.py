"""The command line: one verb per function, no model code.

stdout carries the result, stderr the progress. With ``--json`` stdout is exactly one JSON document,
also when something fails. Torch is imported by the verbs, not here, so ``--help`` is quick.
"""

import os
import sys
from typing import Annotated

import typer

import saccade
from saccade.cli.asking import evaluate, explain, predict
from saccade.cli.generating import generate, translate
from saccade.cli.judging import stress
from saccade.cli.learning import distill, pretrain, probe
from saccade.cli.making import convert, demo, train
from saccade.cli.searching import duplicates, embed, index, search
from saccade.cli.showing import models, recipes, report

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


def main() -> None:
    """Runs the command line and ends the process with the right exit code.

    One of several processes of ``torchrun`` ends at once when its work is done. Threads that
    PyTorch keeps for talk between them can outlive the group (the tensors of FSDP2 hold it), and
    one that still lets go of a tensor while Python shuts down aborts the process.
    """
    try:
        app()
    except SystemExit as end:
        if "TORCHELASTIC_RUN_ID" in os.environ and isinstance(end.code, int):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)
        raise


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


for command in (
    demo,
    train,
    evaluate,
    stress,
    predict,
    explain,
    report,
    models,
    recipes,
    convert,
    embed,
    index,
    search,
    duplicates,
    pretrain,
    probe,
    distill,
    generate,
    translate,
):
    app.command()(command)

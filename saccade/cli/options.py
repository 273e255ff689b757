"""Options and arguments that several commands share, with the same words in each."""

from pathlib import Path
from typing import Annotated, Optional

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Device = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Option(help="cpu, cuda, mps; the best one here if left out."),
]
Run = Annotated[Path, typer.Argument(help="The run folder that `saccade train` made.")]
Weights = Annotated[
    str,  # a Path would take a slash out of hf://owner/name
    typer.Argument(
        metavar="WEIGHTS",
        help="A run folder, or weights of another library: a .safetensors or .npz file, a folder "
        "of timm or transformers, or hf://owner/name.",
    ),
]
Pictures = Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")]
Views = Annotated[
    int,
    typer.Option(
        help="Look at each picture so many times, mirrored (where training found that safe) and "
        "moved a little, and average."
    ),
]
OnNan = Annotated[
    str,
    typer.Option(
        help="What to do about a loss that is not a number: stop, skip the batch, or rewind to the "
        "last checkpoint."
    ),
]
Track = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(help="Tell the figures to tensorboard, wandb or mlflow too. Repeatable."),
]
MODEL_HELP = (
    "A family (vit, rag, attncnn, cnn), a size (rag-nano) or a full name (rag-nano4); what is left "
    "open is chosen from the data and the budget."
)

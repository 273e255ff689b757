"""What every command says at its end: one result on stdout, or one message and an exit code."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

import typer

from saccade.errors import SaccadeError, UsageError

_OUT_OF_MEMORY = re.compile("out of memory|can't allocate memory")  # of torch's RuntimeErrors


@dataclass
class Answer:
    """What goes to stdout, once.

    Attributes:
        is_json: one JSON document, instead of lines for a person.
    """

    is_json: bool

    def give(self, document: Any, *, text: str) -> None:
        """Says the result: the document to programs, the text (if there is any) to people.

        Of several processes that torchrun started the first one says it.
        """
        if "TORCHELASTIC_RUN_ID" in os.environ and os.environ["RANK"] != "0":
            return
        if self.is_json:
            plain = document if isinstance(document, dict) else asdict(document)
            typer.echo(json.dumps(plain, ensure_ascii=False, default=str))
        elif text:
            typer.echo(text)


@contextmanager
def answering(*, is_json: bool) -> Iterator[Answer]:
    """Turns our errors into one message and an exit code; yields what takes the result."""
    try:
        yield Answer(is_json)
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
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _OUT_OF_MEMORY.search(str(error)):
            raise
        what = f" ({error})" if str(error) else ""
        text = f"out of memory{what}; choose smaller pictures, smaller batches or a smaller model"
        _fail(text, code=SaccadeError.exit_code, is_json=is_json)
    except KeyboardInterrupt:
        _fail("stopped", code=130, is_json=is_json)


def _fail(message: str, *, code: int, is_json: bool) -> NoReturn:
    if is_json:
        typer.echo(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    typer.echo(f"saccade: {message}", err=True)
    raise typer.Exit(code) from None

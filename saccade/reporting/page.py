"""report.html: everything a run left behind, on one page that needs no network."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from saccade.reporting.about_data import about_data
from saccade.reporting.galleries import galleries
from saccade.reporting.headline import headline
from saccade.reporting.making import making
from saccade.reporting.outcome import outcome, table_of
from saccade.reporting.poor import poor
from saccade.reporting.records import read_records
from saccade.reporting.results import results
from saccade.reporting.training import training
from saccade.run.folder import write_atomic


def write_report(run: Path) -> Path:
    """Writes ``report.html`` into a run folder, replacing the one that is there.

    It can be called at any time: what the run does not have yet is left out with a word about it.
    The same records give the same bytes.

    Args:
        run: the run folder.

    Returns:
        The page: one file, with its style, charts and pictures inside.

    Raises:
        UsageError: there is no such folder.
    """
    run = Path(run)
    records = read_records(run)
    script = _templates().get_template("page.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    page = (
        _templates()
        .get_template("page.html.j2")
        .render(
            headline=headline(records),
            data=about_data(records),
            training=training(records),
            results=results(records) if records.job == "classify" else None,
            outcome=outcome(records),
            beside=table_of(records.beside) if records.beside else None,
            galleries=galleries(records),
            poor=poor(records),
            making=making(records),
            unreadable=records.unreadable,
            style=Markup(_templates().get_template("page.css").render()),  # ours, not the user's
            script=Markup(script),
            script_digest=digest,
        )
    )
    path = run / "report.html"
    write_atomic(path, page.encode())
    return path


@cache
def _templates() -> Environment:
    """Templates that escape all they are given: class and file names come from outside."""
    return Environment(
        loader=PackageLoader("saccade.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""report: a run folder -> report.html, at any time."""

from pathlib import Path

from saccade.reporting.page import write_report
from saccade.run.folder import RunFolder


def report(run: str | Path) -> Path:
    """Writes the report of a run anew, while it goes on too.

    Returns:
        The page.

    Raises:
        UsageError: it is not a run folder.
    """
    folder = RunFolder(run)
    folder.require()
    return write_report(folder.path)

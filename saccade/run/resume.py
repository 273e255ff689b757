"""Back to where a run stood."""

from saccade.run import checkpoint
from saccade.run.folder import RunFolder
from saccade.run.journal import Journal
from saccade.run.learner import Learner
from saccade.run.state import RunState


def resume(folder: RunFolder, learner: Learner, journal: Journal) -> RunState | None:
    """Reads the newest checkpoint that is whole, and cuts the log back to it.

    Args:
        folder: of the run.
        learner: gets weights, averages and the optimiser's state.
        journal: hears of checkpoints that were damaged.

    Returns:
        Where the run stood; None when nothing was saved yet.

    Raises:
        SaccadeError: all checkpoints are damaged.
    """
    found = checkpoint.load_latest(folder.checkpoints)
    if found is None:
        journal.cut(0)
        return None
    learner.load(found.tensors)
    state = RunState(**found.state)
    journal.cut(state.log_bytes)
    for name in found.damaged:
        text = f"{name} is damaged and was passed over; resumed from step {state.step}"
        journal.write("note", step=state.step, text=text)
    return state

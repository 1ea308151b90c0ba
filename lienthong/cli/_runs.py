"""What history, resume and undo begin with: the journal of the target."""

from __future__ import annotations

import os
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.journal import Journal, Run
from lienthong.model.words import Target
from lienthong.root import find_root
from lienthong.workspace import Workspace


def journal_of(root: Path | None, target: Target | None) -> Journal:
    """The journal of a target; also of a lab that is down."""
    from lienthong.provision import state_dir

    asked = target.value if target else os.environ.get("LIENTHONG_TARGET")
    return Journal(state_dir(Workspace(find_root(root), asked)) / "journal.sqlite")


def run_of(journal: Journal, number: int | None) -> Run:
    """The run that was asked for; without a number the newest that did not end well.

    Raises:
        LienThongError: there is none.
    """
    if number is not None:
        found = journal.run(number)
        if found is None:
            raise LienThongError(f"there is no run {number}", hint="lienthong history lists them")
        return found
    from lienthong.goback import CHANGING

    found = next((run for run in journal.runs() if run.verb in CHANGING), None)
    if found is None or (found.outcome == "done" and not journal.unsettled(found.id)):
        raise LienThongError("the last run ended well: there is nothing to resume")
    return found

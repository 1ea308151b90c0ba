"""Sum up the week: sites now and then, nights without a look, systems not heard, changes applied."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say

if TYPE_CHECKING:
    from lienthong.journal import Journal
    from lienthong.summary.week import Applied


def command(
    days: Annotated[int, typer.Option(min=1, max=90, help="how many days are summed up")] = 7,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Sum up the week: sites now and then, nights without a look, systems not heard, changes applied.

    From what `audit` and `coverage` left; nothing is asked of any system. Written beside the reports too, as
    summary.html, summary.txt and summary.json. What is not known is said to be so. Exit code 1: something
    asks for an officer.
    """
    from lienthong import nights
    from lienthong.audit import load_catalogue
    from lienthong.errors import Exit, LienThongError
    from lienthong.journal import Journal
    from lienthong.provision import state_dir
    from lienthong.report.hostile import json_text
    from lienthong.root import find_root
    from lienthong.summary import page, told
    from lienthong.summary.week import week
    from lienthong.workspace import Workspace

    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access = ws.access
    say(f"summary · target {access.target.value}")
    plan = ws.plan
    sites = {
        slug: site.site.name
        for slug, site in plan.sites.items()
        if any(access.reaches(node) for node in site.nodes.values())
    }
    state = state_dir(ws)
    kept, broken = nights.read(state / nights.FOLDER)
    found = week(
        access.target.value,
        list(sites),
        kept,
        broken,
        _applied(Journal(state / "journal.sqlite")),
        datetime.now(UTC),
        days,
    )
    controls = load_catalogue(ws.root)
    text, data = told.text(found, controls, sites), json_text(told.as_data(found)) + "\n"
    try:
        access.out.mkdir(parents=True, exist_ok=True)
        _put(access.out / "summary.html", page.render(found, controls, sites))
        _put(access.out / "summary.txt", text)
        _put(access.out / "summary.json", data)
    except OSError as error:
        raise LienThongError(f"{access.out}: {error.strerror}", hint="whose checkout is this?") from None
    typer.echo(data if as_json else text, nl=False)
    say(f"page: {(access.out / 'summary.html').relative_to(ws.root)}")
    raise typer.Exit(Exit.OK if found.calm else Exit.FINDINGS)


def _applied(journal: Journal) -> list[Applied]:
    """Runs that were to change something, newest last; none where nothing was ever done."""
    from lienthong.goback import CHANGING
    from lienthong.summary.week import Applied

    if not journal.path.exists():
        return []
    found = []
    for run in reversed(journal.runs(1000)):
        if run.verb in CHANGING:
            changed = sum(
                step.outcome != "unchanged" and bool(step.changes) for step in journal.steps(run.id)
            )
            open_ = tuple(sorted(journal.unsettled(run.id)))
            began = datetime.fromisoformat(run.started)
            found.append(Applied(run.id, run.verb, began, run.outcome or "", run.sites, changed, open_))
    return found


def _put(path: Path, text: str) -> None:
    """Whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8", errors="backslashreplace")
    fresh.replace(path)

"""One check at one place, as pytest has it: where it looks, what it saw, and what its outcome means."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from lienthong.audit.run import ITSELF
from lienthong.checks import Evidence, Mark, NotApplicable, NotAssessed, description_of, mark_of
from lienthong.model.finding import Finding, Kind, Status

SECONDS: pytest.StashKey[float] = pytest.StashKey()
EVIDENCE: pytest.StashKey[Evidence] = pytest.StashKey()
_VERDICTS: pytest.StashKey[list[tuple[Status, str]]] = pytest.StashKey()


class Task:
    """One check at one place, running or run in a thread."""

    def __init__(self) -> None:
        self.evidence = Evidence()
        self.seconds = 0.0
        self.future: Future[None] | None = None


def mark(item: pytest.Item) -> Mark | None:
    """Its `@control` mark; None for what has none."""
    return mark_of(getattr(item, "function", None))


def place(item: pytest.Item) -> tuple[str, str | None]:
    """(site, node); the node is None for a check of a whole site."""
    callspec = getattr(item, "callspec", None)
    slug, node = callspec.params.get("_place", ("", None)) if callspec else ("", None)
    return slug, node


def seen(item: pytest.Item, task: Task | None) -> Evidence:
    """What it has said so far, in its thread or in pytest's own."""
    return task.evidence if task else item.stash.get(EVIDENCE, Evidence())


def about(item: pytest.Item, site: str) -> dict[str, Any]:
    """What is known of it before it has run.

    Args:
        site: where it counts when it has no place of its own.
    """
    marked = mark(item)
    slug, node = place(item)
    function = getattr(item, "function", None)
    return {
        "control": marked.control if marked else ITSELF,
        "check": f"{item.path.name}::{getattr(item, 'originalname', None) or item.name}",
        "description": description_of(function) if marked else "a check without a mark",
        "site": slug or site,
        "node": node,
        "kind": (marked.kind if marked else Kind.READ).value,
    }


def note(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Keep what its set-up, its call or its tear-down came to."""
    item.stash.setdefault(_VERDICTS, []).append(verdict(call))
    if call.when != "teardown":
        item.stash[SECONDS] = item.stash.get(SECONDS, 0.0) + call.duration


def finding(item: pytest.Item, task: Task | None, site: str) -> Finding:
    """What was found once it is over: the worst of set-up, call and tear-down speaks."""
    verdicts = item.stash[_VERDICTS]
    status, detail = next((v for v in reversed(verdicts) if v[0] is Status.ERROR), verdicts[0])
    if status is Status.PASS:
        status, detail = next((v for v in verdicts if v[0] is not Status.PASS), verdicts[0])
    seconds: float = task.seconds if task else item.stash.get(SECONDS, 0.0)
    known = about(item, site)
    return Finding(
        control=known["control"],
        check=known["check"],
        description=known["description"],
        site=known["site"],
        node=known["node"],
        status=status,
        kind=Kind(known["kind"]),
        detail=detail,
        evidence=tuple(seen(item, task).lines),
        seconds=round(seconds, 3),
    )


def verdict(call: pytest.CallInfo[None]) -> tuple[Status, str]:
    """What an outcome means. Only an assertion says that the site fails."""
    if call.excinfo is None:
        return Status.PASS, ""
    error = call.excinfo.value
    text = str(error) or type(error).__name__
    if isinstance(error, NotApplicable):
        return Status.NOT_APPLICABLE, text
    if isinstance(error, NotAssessed):
        return Status.NOT_ASSESSED, text
    if isinstance(error, AssertionError | pytest.fail.Exception) and call.when == "call":
        return Status.FAIL, text.split("\nassert ")[0][:4000]
    if isinstance(error, pytest.skip.Exception):
        return Status.ERROR, f"skipped without an answer that counts: {text}"
    return Status.ERROR, f"{type(error).__name__}: {text}"[:4000]

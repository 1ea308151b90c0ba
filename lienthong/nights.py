"""What each audit and each proof of coverage found: a small dated file a run, which the next does not erase.

A file is there from the beginning of a run, without an end; so a run that was cut off is seen as such. Values
come from devices too: whoever shows them escapes them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from lienthong.model.finding import AuditRun, Status
from lienthong.model.site import Model

FOLDER = "nights"
#: So many runs of each kind stay: a quarter of a year of nights.
KEPT = 100
_REASON = 200
#: Worst first: of several checks of one control at one place the worst is what is known.
_WORST = (Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.PASS, Status.NOT_APPLICABLE)


class Found(Model):
    """What is known of one control at one place; `node` is empty for a site as a whole."""

    site: str
    control: str
    node: str
    status: Status
    why: str = ""


class System(Model):
    """Whether one system was heard."""

    site: str
    node: str
    missing: tuple[str, ...] = ()
    """places where its event should have been found and was not"""
    why: str = ""


class Night(Model):
    """One run as it is kept."""

    kind: str
    """`audit` or `coverage`"""
    started: datetime
    ended: datetime | None = None
    """None: it was cut off, or is still at work"""
    error: str = ""
    """why it ended without a result"""
    sites: tuple[str, ...] = ()
    drill: bool = False
    commit: str = ""
    findings: tuple[Found, ...] = Field(default=())
    systems: tuple[System, ...] = Field(default=())

    @property
    def whole(self) -> bool:
        """Whether it has a result."""
        return self.ended is not None and not self.error


@dataclass
class Running:
    """A run that is being kept; whoever runs it says what came of it."""

    findings: tuple[Found, ...] = ()
    systems: tuple[System, ...] = ()
    drill: bool = False
    commit: str = ""
    sites: tuple[str, ...] = ()
    said: bool = field(default=False)

    def audited(self, run: AuditRun) -> None:
        """Take over the findings of an audit, one for each control and place: the worst."""
        worst: dict[tuple[str, str, str], Found] = {}
        for one in run.findings:
            key = (one.site, one.control, one.node or "")
            bad = one.status in {Status.FAIL, Status.ERROR}
            found = Found(
                site=one.site,
                control=one.control,
                node=one.node or "",
                status=one.status,
                why=_sound(one.detail)[:_REASON] if bad else "",
            )
            old = worst.get(key)
            if old is None or _WORST.index(found.status) < _WORST.index(old.status):
                worst[key] = found
        self.findings = tuple(worst[key] for key in sorted(worst))
        self.drill, self.commit, self.sites, self.said = run.drill, run.commit, run.sites, True

    def heard(self, systems: Iterable[System]) -> None:
        """Take over who was heard."""
        self.systems = tuple(one.model_copy(update={"why": _sound(one.why)[:_REASON]}) for one in systems)
        self.sites = tuple(sorted({one.site for one in self.systems}))
        self.said = True


@contextmanager
def kept(folder: Path, kind: str, sites: Iterable[str]) -> Iterator[Running]:
    """Keep what a run finds, and that it began even if it never ends.

    Args:
        folder: the target's own, `run/live/nights`.
        kind: `audit` or `coverage`.
        sites: slugs it is about.
    """
    started = datetime.now(UTC)
    path = folder / f"{started:%Y%m%dT%H%M%S}.{started.microsecond:06d}-{kind}.json"
    running = Running(sites=tuple(sites))
    folder.mkdir(parents=True, exist_ok=True)
    _put(path, Night(kind=kind, started=started, sites=running.sites))
    error = "ended without a result"
    try:
        yield running
        error = "" if running.said else error
    except BaseException as wrong:
        # With a result there, what failed came after it.
        error = "" if running.said else _sound(f"{type(wrong).__name__}: {wrong}")[:_REASON]
        raise
    finally:
        night = Night(
            kind=kind,
            started=started,
            ended=datetime.now(UTC),
            error=error,
            sites=running.sites,
            drill=running.drill,
            commit=running.commit,
            findings=running.findings,
            systems=running.systems,
        )
        _put(path, night)
        for old in sorted(folder.glob(f"*-{kind}.json"))[:-KEPT]:
            old.unlink(missing_ok=True)


def read(folder: Path) -> tuple[list[Night], list[str]]:
    """(runs, oldest first; names of files that cannot be read as one)."""
    nights, broken = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            nights.append(Night.model_validate_json(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, ValidationError):
            broken.append(path.name)
    return sorted(nights, key=lambda night: night.started), broken


def statuses(night: Night, site: str) -> Mapping[tuple[str, str], Found]:
    """What a run knows of a site, by control and node."""
    return {(one.control, one.node): one for one in night.findings if one.site == site}


def _put(path: Path, night: Night) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(night.model_dump(mode="json", exclude_defaults=True), ensure_ascii=True)
    fresh.write_text(text, encoding="ascii")
    fresh.replace(path)


def _sound(text: str) -> str:
    """Without halves of pairs, which a device may send and no file can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

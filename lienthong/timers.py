"""A controller that looks by itself: systemd units for audits and coverage by night, a summary by week.

Owns `/etc/systemd/system/lienthong-{audit,coverage,summary}.{service,timer}` of the controller.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lienthong.errors import LienThongError
from lienthong.model.words import Side

UNITS = Path("/etc/systemd/system")
ENVIRONMENT = Path("/etc/lienthong/controller.env")
#: Runs systemctl with these words: (exit code, what it said).
Systemctl = Callable[[Sequence[str]], tuple[int, str]]
#: What a unit file takes as it stands; a blank, a quote, `%`, `$` or a line end would be syntax there.
_PATH = re.compile(r"/[A-Za-z0-9._+@/-]+")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_WHEN = re.compile(r"[A-Za-z0-9*,:./~_ +-]{1,100}")


@dataclass(frozen=True)
class Job:
    """One thing that a controller does by itself."""

    name: str
    words: str
    """what follows `lienthong`"""
    description: str
    when: str
    """systemd.time(7), unless the officer says another"""
    spread_min: int
    hours: int
    """after which it is ended"""


#: The zone of the country is said: many a server's clock shows UTC.
JOBS = (
    Job("audit", "audit --all", "Audit of every site", "*-*-* 01:00:00 Asia/Ho_Chi_Minh", 15, 5),
    Job("coverage", "coverage --all", "Who is heard", "*-*-* 00:15:00 Asia/Ho_Chi_Minh", 15, 1),
    Job("summary", "summary", "Summary of the week", "Mon *-*-* 06:45:00 Asia/Ho_Chi_Minh", 15, 1),
)


@dataclass(frozen=True)
class Controller:
    """The machine that looks.

    Raises:
        LienThongError: a value that a unit file cannot hold as it stands, or root as the account.
    """

    root: Path
    program: Path
    account: str
    side: Side
    environment: Path = ENVIRONMENT

    def __post_init__(self) -> None:
        for path in (self.root, self.program, self.environment):
            if not _PATH.fullmatch(str(path)):
                raise LienThongError(
                    f"{str(path)!r} cannot stand in a unit file",
                    hint="an absolute path of letters, digits and . _ + @ -",
                )
        if not _ACCOUNT.fullmatch(self.account):
            raise LienThongError(f"{self.account!r} is no name of an account")
        if self.account == "root":
            raise LienThongError("looking needs no root", hint="name the officer's account: --account NAME")


def units(controller: Controller, templates: Path, when: Mapping[str, str]) -> dict[str, str]:
    """The unit files by name.

    Args:
        controller: where they run.
        templates: the folder `templates/timers`.
        when: calendar by job, of those that are not when they usually are.

    Raises:
        LienThongError: a calendar that cannot be one.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - every value is one of the types above
    )
    found = {}
    for job in JOBS:
        calendar = when.get(job.name, job.when)
        if not _WHEN.fullmatch(calendar):
            raise LienThongError(
                f"{calendar!r} is no calendar", hint="systemd-analyze calendar '*-*-* 01:00'"
            )
        values = {
            "job": job,
            "when": calendar,
            "root": controller.root,
            "program": controller.program,
            "account": controller.account,
            "side": controller.side.value,
            "environment": controller.environment,
        }
        for kind in ("service", "timer"):
            found[f"lienthong-{job.name}.{kind}"] = environment.get_template(f"job.{kind}.j2").render(values)
    return found


def write(files: Mapping[str, str], folder: Path) -> list[str]:
    """Write what differs, each file whole or not at all; the names of those that did."""
    changed = []
    for name, text in files.items():
        path = folder / name
        if path.is_file() and not path.is_symlink() and path.read_text("utf-8", "replace") == text:
            continue
        fresh = path.with_name(f".{name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(path)
        changed.append(name)
    return changed


def install(files: Mapping[str, str], folder: Path, systemctl: Systemctl) -> list[str]:
    """Write the units and set the timers going; what had to be done, nothing the second time.

    Raises:
        LienThongError: systemd refuses.
    """
    changed = write(files, folder)
    # Also when nothing changed: an install that was killed here before left systemd with the old ones.
    _must(systemctl, "daemon-reload")
    done = [f"{name} written" for name in changed]
    for name in files:
        if not name.endswith(".timer"):
            continue
        enabled = systemctl(["is-enabled", "--quiet", name])[0] == 0
        active = systemctl(["is-active", "--quiet", name])[0] == 0
        if not (enabled and active):
            _must(systemctl, "enable", "--now", name)
            done.append(f"{name} set going")
        elif name in changed:
            _must(systemctl, "restart", name)
    return done


def remove(folder: Path, systemctl: Systemctl) -> list[str]:
    """Take all of it away; what had to be."""
    there = [
        path
        for job in JOBS
        for kind in ("timer", "service")
        if (path := folder / f"lienthong-{job.name}.{kind}").exists() or path.is_symlink()
    ]
    for path in there:
        if path.suffix == ".timer":
            _must(systemctl, "disable", "--now", path.name)
        path.unlink()
    if there:
        _must(systemctl, "daemon-reload")
    return [f"{path.name} removed" for path in there]


def _must(systemctl: Systemctl, *words: str) -> None:
    code, said = systemctl(words)
    if code:
        raise LienThongError(f"systemctl {' '.join(words)} ended with {code}: {said.strip()[-300:]}")

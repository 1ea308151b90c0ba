"""Let a controller look by itself: systemd timers for audits, coverage and the summary of the week."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli._options import DryRun, Root
from lienthong.model.words import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.timers import Controller

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)

Account = Annotated[str, typer.Option("--account", help="who looks: owns the checkout and its key; not root")]
OfSide = Annotated[Side, typer.Option("--side", help="the side this controller is of")]
Calendars = Annotated[
    list[str] | None,
    typer.Option("--when", metavar="JOB=CALENDAR", help="e.g. 'audit=*-*-* 02:30 Asia/Ho_Chi_Minh'"),
]
EnvFile = Annotated[
    Path | None, typer.Option("--environment", help="variables of the live target; need not be there")
]


@app.callback()
def timers() -> None:
    """Let a controller look by itself: systemd timers for audits, coverage and the summary of the week."""


@app.command()
def show(
    account: Account, side: OfSide, when: Calendars = None, environment: EnvFile = None, root: Root = None
) -> None:
    """Print the units; nothing is written."""
    _, files = _units(account, side, when, environment, root)
    for name, text in files.items():
        typer.echo(f"### {name}\n{text}")


@app.command()
def install(
    account: Account,
    side: OfSide,
    when: Calendars = None,
    environment: EnvFile = None,
    root: Root = None,
    dry: DryRun = False,
) -> None:
    """Write the units and set the timers going; as root, on the controller itself."""
    import os

    from lienthong import timers as units
    from lienthong.errors import LienThongError

    controller, files = _units(account, side, when, environment, root)
    if dry:
        differ = [name for name, text in files.items() if _held(units.UNITS / name) != text]
        typer.echo("\n".join(f"would be written: {name}" for name in differ) or "nothing would change")
        return
    _as_root()
    _owned(controller)
    for calendar in {
        line[11:] for text in files.values() for line in text.splitlines() if line[:11] == "OnCalendar="
    }:
        code, _ = _run(["systemd-analyze", "calendar", calendar])
        if code:
            raise LienThongError(
                f"systemd knows no calendar {calendar!r}", hint=f"systemd-analyze calendar '{calendar}'"
            )
    if not units.UNITS.is_dir() or not os.access(units.UNITS, os.W_OK):
        raise LienThongError(f"{units.UNITS} cannot be written", hint="a controller runs systemd")
    done = units.install(files, units.UNITS, _systemctl)
    typer.echo("\n".join(done) or "nothing changed")


@app.command()
def remove() -> None:
    """Stop the timers and take the units away; what was found by night stays."""
    from lienthong import timers as units

    _as_root()
    typer.echo("\n".join(units.remove(units.UNITS, _systemctl)) or "nothing changed")


def _units(
    account: str, side: Side, when: list[str] | None, environment: Path | None, root: Path | None
) -> tuple[Controller, dict[str, str]]:
    import sys

    from lienthong.errors import LienThongError
    from lienthong.root import find_root
    from lienthong.timers import ENVIRONMENT, JOBS, Controller, units

    found = find_root(root)
    calendars = {}
    for said in when or []:
        job, sign, calendar = said.partition("=")
        if not sign or job not in {one.name for one in JOBS}:
            raise LienThongError(
                f"--when {said!r}: no job and its calendar",
                hint=f"JOB=CALENDAR, of {', '.join(j.name for j in JOBS)}",
            )
        calendars[job] = calendar.strip()
    program = Path(sys.prefix) / "bin" / "lienthong"
    controller = Controller(found, program, account, side, environment or ENVIRONMENT)
    return controller, units(controller, found / "templates" / "timers", calendars)


def _as_root() -> None:
    import os

    from lienthong.errors import LienThongError

    if os.geteuid():
        raise LienThongError("units are root's", hint="sudo; or: lienthong timers show")


def _owned(controller: Controller) -> None:
    """The account is there, and may write what it finds: `out` and `run` are made if missing."""
    import os
    import pwd

    from lienthong.errors import LienThongError

    try:
        who = pwd.getpwnam(controller.account)
    except KeyError:
        raise LienThongError(f"this machine has no account {controller.account!r}") from None
    for name in ("out", "run"):
        folder = controller.root / name
        if not folder.exists():
            folder.mkdir(mode=0o750)
            os.chown(folder, who.pw_uid, who.pw_gid)
        if folder.stat().st_uid != who.pw_uid:
            raise LienThongError(
                f"{folder} is not {controller.account}'s: nothing could be kept there",
                hint=f"chown -R {controller.account}: {folder}, or name the account that owns the checkout",
            )


def _held(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def _systemctl(words: Sequence[str]) -> tuple[int, str]:
    return _run(["systemctl", "--no-ask-password", *words])


def _run(argv: Sequence[str]) -> tuple[int, str]:
    import subprocess

    from lienthong.errors import Unreachable

    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(f"{argv[0]}: {error}", hint="a controller runs systemd") from None
    return done.returncode, done.stdout + done.stderr

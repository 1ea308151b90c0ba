"""What is typed in the mode that a login begins in: looking around, saving, rolling back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lienthong.sim.vendors.cisco_ios import shows
from lienthong.sim.vendors.cisco_ios.box import IosBox
from lienthong.sim.vendors.cisco_ios.grammar import INVALID, Miss, complaint

if TYPE_CHECKING:
    from lienthong.sim.vendors.cisco_ios.shell import IosShell

#: Commands as they are spelt out; each word may be cut as long as it stays the only one.
_KNOWN = (
    "configure terminal", "configure confirm", "configure revert now", "configure replace", "write memory",
    "copy running-config startup-config", "terminal length", "terminal width", "terminal no monitor",
    "show", "exit", "logout", "enable", "disable", "reload",
)  # fmt: skip
_DONE = "Total number of passes: 1\nRollback Done\n\n"
_NONE = "%No Rollback Confirmed Change pending\n"
#: Said where no archive is configured (seen on IOS XE 17).
_NO_ARCHIVE = "%Turn config archive on before using Rollback Confirmed Change\n"
#: Commands of other modes that a login of level 15 knows and the tool has no use for.
_MOST_MINUTES = 120


def do(shell: IosShell, text: str) -> str:
    """One line in privileged mode."""
    words = text.split()
    found = expand(words, _KNOWN)
    if found is None:
        return complaint(shell.prompt(), text, Miss(_how_far(words), INVALID))
    command, rest = found
    box = shell.box
    if command == "show":
        said = shows.show(box, shell.user, rest)
        return said if said is not None else complaint(shell.prompt(), text, Miss(1, INVALID))
    if command == "configure terminal":
        return _configure(shell, text, rest)
    if command in {"configure confirm", "configure revert now"}:
        return _revert(shell, command)
    if command == "configure replace":
        return _replace(shell, text, rest)
    if command == "write memory":
        return _saved(box)
    if command == "copy running-config startup-config":
        return shell.ask("Destination filename [startup-config]? ", lambda _: _saved(box))
    if command in {"exit", "logout"}:
        shell.closed = True
        return ""
    if command == "terminal length" and len(rest) == 1 and rest[0].isdigit():
        shell.page = int(rest[0])
        return ""
    if command in {"terminal width", "terminal no monitor", "enable", "disable"}:
        return ""
    if command == "reload":
        return shell.ask("Proceed with reload? [confirm]", lambda answer: _reload(shell, answer))
    return complaint(shell.prompt(), text, Miss(len(words), INVALID))


def expand(words: list[str], known: tuple[str, ...]) -> tuple[str, list[str]] | None:
    """(the command spelt out, the words behind it); None where none, or more than one, fits."""
    fits = []
    for command in known:
        parts = command.split()
        if len(words) >= len(parts) and all(
            part.startswith(word.lower()) for part, word in zip(parts, words, strict=False)
        ):
            fits.append(command)
    exact = [
        command for command in fits if command.split() == [w.lower() for w in words[: len(command.split())]]
    ]
    best = exact or fits
    if len(best) != 1:
        return None
    return best[0], words[len(best[0].split()) :]


def _how_far(words: list[str]) -> int:
    for count in range(len(words), 0, -1):
        if any(
            all(
                part.startswith(word.lower())
                for part, word in zip(command.split(), words[:count], strict=False)
            )
            for command in _KNOWN
            if len(command.split()) >= count
        ):
            return count
    return 0


def _configure(shell: IosShell, text: str, rest: list[str]) -> str:
    said = ""
    box = shell.box
    if rest:
        if rest[:2] != ["revert", "timer"] or len(rest) != 3 or not rest[2].isdigit():
            return complaint(shell.prompt(), text, Miss(2, INVALID))
        if not 1 <= int(rest[2]) <= _MOST_MINUTES:
            return complaint(shell.prompt(), text, Miss(4, INVALID))
        if box.path is None:
            return _NO_ARCHIVE
        if box.armed is not None:
            return "%Rollback Confirmed Change already pending\n"
        if box.full:
            return f"%Error opening {box.path} (No space left on device)\n"
        copy = box.arm(int(rest[2]), shell.user)
        said = f"Rollback Confirmed Change: Backing up current running config to {copy}\n\n"
    shell.enter("global")
    return said + "Enter configuration commands, one per line.  End with CNTL/Z.\n"


def _revert(shell: IosShell, command: str) -> str:
    box = shell.box
    if box.armed is None:
        return _NONE
    if command == "configure confirm":
        box.confirm(shell.user)
        return ""
    said = f"Rollback Confirmed Change: Rolling to:{box.archived[-1]}\n\n\n{_DONE}"
    box.roll_back()
    return said


def _replace(shell: IosShell, text: str, rest: list[str]) -> str:
    box = shell.box
    if not rest or rest[0] not in {"nvram:startup-config", *box.archived}:
        return complaint(shell.prompt(), text, Miss(2, INVALID))
    if rest[1:] not in ([], ["force"]):
        return complaint(shell.prompt(), text, Miss(3, INVALID))

    def go(answer: str) -> str:
        if answer not in {"", "y", "yes"}:
            return ""
        box.replace(box.saved())
        return _DONE

    if rest[1:] == ["force"]:
        return go("y")
    return shell.ask(
        "Everything that runs is replaced. Enter Y if you are sure you want to proceed. ? [no]: ", go
    )


def _saved(box: IosBox) -> str:
    if not box.save():
        return (
            "Building configuration...\n% Error: startup-config file open failed (No space left on device)\n"
        )
    return "Building configuration...\n[OK]\n"


def _reload(shell: IosShell, answer: str) -> str:
    if not re.fullmatch(r"|y|yes", answer):
        return ""
    shell.box.reboot()
    return ""

"""Commands of the user view of a simulated VRP5 device: saving, comparing, starting anew now or later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.sim.vendors.huawei_vrp.shell import VrpShell


def user_view(shell: VrpShell, words: list[str]) -> str | None:
    """What is printed; None for what is no command here."""
    box = shell.box
    line = " ".join(words)
    if line == "system-view":
        shell.system = True
        return "Enter system view, return user view with Ctrl+Z.\n"
    if re.fullmatch(r"screen-length \d+ temporary", line):
        shell.page = int(words[1])
        return "Info: The configuration takes effect on the current user terminal interface only.\n"
    if line in {"save", "save all"}:
        print_first = "The current configuration will be written to flash:/vrpcfg.zip.\n"
        shell.ask("Are you sure to continue?[Y/N]", lambda answer: _save(shell, answer))
        return print_first
    if line == "compare configuration":
        # "Configuration Management Commands", `compare configuration`
        same = box.configuration() == box.saved()
        how = "the same as" if same else "not the same as"
        return f"The current configuration is {how} the next startup configuration file.\n"
    found = re.fullmatch(r"schedule reboot delay (?:(\d{1,3}):(\d{1,2})|(\d{1,5}))", line)
    if found:
        minutes = int(found[3]) if found[3] else int(found[1]) * 60 + int(found[2])
        if not 1 <= minutes <= 43200:
            return "Error: The delay is out of range.\n"
        return _schedule(shell, minutes)
    if line == "undo schedule reboot":
        box.unschedule()
        return "Info: Schedule reboot is cancelled.\n"
    if line == "reboot fast":
        return shell.ask("System will reboot! Continue?[Y/N]:", lambda answer: _reboot(shell, answer))
    if line == "reboot":
        if box.configuration() == box.saved():
            return shell.ask("System will reboot! Continue?[Y/N]:", lambda answer: _reboot(shell, answer))
        shell.ask(
            "Warning: All the configuration will be saved to the configuration file for the next startup."
            " Continue?[Y/N]:",
            lambda answer: _saved_or_not(shell, answer),
        )
        return "Info: The system is now comparing the configuration, please wait.\n"
    return None


def _save(shell: VrpShell, answer: str) -> str:
    if not answer.lower().startswith("y"):
        return ""
    if not shell.box.save():
        return "Error: Failed to save the configuration file because the flash has no space left.\n"
    return "Now saving the current configuration to the slot 0.\nSave the configuration successfully.\n"


def _schedule(shell: VrpShell, minutes: int) -> str:
    def confirmed(answer: str) -> str:
        if answer.lower().startswith("y"):
            shell.box.schedule(minutes)
        return ""

    def ask() -> str:
        hours, rest = divmod(minutes, 60)
        shell.ask("confirm?[Y/N]:", confirmed)
        return f"Info: Reboot system at {_hour(shell, minutes)} (in {hours} hours and {rest} minutes)\n"

    def first(answer: str) -> str:
        if answer.lower().startswith("y"):
            shell.box.save()
        return ask()

    if shell.box.configuration() != shell.box.saved():
        return shell.ask(
            "Warning: The current configuration will be saved to the next startup saved-configuration file."
            " Continue? [Y/N]:",
            first,
        )
    return ask()


def _hour(shell: VrpShell, minutes: int) -> str:
    from datetime import timedelta

    return f"{shell.box.clock() + timedelta(minutes=minutes):%H:%M:%S %Y/%m/%d}"


def _saved_or_not(shell: VrpShell, answer: str) -> str:
    if answer.lower().startswith("y"):
        shell.box.save()
    return shell.ask("System will reboot! Continue?[Y/N]:", lambda again: _reboot(shell, again))


def _reboot(shell: VrpShell, answer: str) -> str:
    if answer.lower().startswith("y"):
        shell.box.reboot()
        shell.closed = True
        return "Info: system is rebooting, please wait...\n"
    return ""

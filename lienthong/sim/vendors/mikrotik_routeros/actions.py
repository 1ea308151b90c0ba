"""What commands do. A key of :data:`ACTIONS` is (menu, verb), or ("", verb) for all menus that hold items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lienthong.sim.vendors.mikrotik_routeros import grammar
from lienthong.sim.vendors.mikrotik_routeros.store import Row
from lienthong.sim.vendors.mikrotik_routeros.words import Refused, Word

if TYPE_CHECKING:
    from lienthong.sim.vendors.mikrotik_routeros.shell import Console


def _given(path: str, args: Sequence[Word], *more: str) -> dict[str, str]:
    """`key=value` words; `!key` takes a value back."""
    known = grammar.fields(path) or {}
    found: dict[str, str] = {}
    for word in args:
        key = word.text.removeprefix("!")
        if key in more:
            continue
        if key not in known:
            raise Refused(f"expected end of command (line 1 column {word.column + 1})")
        taken_back = (known[key].default or "") if word.text.startswith("!") else "yes"
        found[key] = word.value if word.sign else taken_back
    return found


def _chosen(shell: Console, path: str, args: list[Word]) -> tuple[list[Row], list[Word]]:
    """The items that a command speaks of, and the words behind them.

    What `find` does not find is no error; a number or name of nothing is (…/ROS/Console, "General Commands").
    """
    rows = shell.box.store.rows(path)
    if not args or args[0].sign:
        raise Refused("missing value(s) of argument(s) numbers")
    first, rest = args[0], args[1:]
    if first.found is not None:
        return [row for row in rows if row.number in first.found], rest
    found = []
    for name in first.text.split(","):
        match = [row for row in rows if row.get("name") == name or f"*{row.number:X}" == name]
        if not match and name.isdigit() and int(name) < len(rows):
            match = [rows[int(name)]]
        if not match:
            raise Refused(
                "no such item (4)" if name.isdigit() else "input does not match any value of numbers"
            )
        found += match
    return found, rest


def _placed(shell: Console, path: str, word: Word | None) -> int | None:
    """Where in its menu an item is to stand: before the first of those that were found."""
    rows = shell.box.store.rows(path)
    if word is None:
        return None
    if word.found is not None:
        places = [at for at, row in enumerate(rows) if row.number in word.found]
        if not places:
            raise Refused("no such item")
        return places[0]
    if not word.value.isdigit() or int(word.value) >= max(len(rows), 1):
        raise Refused("no such item (4)")
    return int(word.value)


def add(shell: Console, path: str, args: list[Word]) -> str:
    """Add an item."""
    box = shell.box
    before = next((word for word in args if word.text == "place-before"), None)
    if path == "/system scheduler" and not box.schedules:
        raise Refused("failure: not allowed by device-mode")
    place = _placed(shell, path, before)
    row = box.store.add(path, _given(path, args, "place-before"))
    if place is not None:
        rows = box.store.rows(path)
        rows.insert(place, rows.pop())
    if path == "/system scheduler":
        row.values |= {"owner": shell.user, "start-date": "2026-11-23"}
        box.schedule(row)
    box.changed(shell)
    return ""


def change(shell: Console, path: str, args: list[Word]) -> str:
    """Set values of items."""
    store = shell.box.store
    rows, rest = (store.rows(path), args) if path in grammar.SINGLES else _chosen(shell, path, args)
    given = _given(path, rest)
    for row in rows:
        if given.get("group", "full") != "full" or given.get("disabled") == "yes":
            _not_the_last(shell, row)
        store.set(row, given)
        shell.box.changed(shell)
    return ""


def remove(shell: Console, path: str, args: list[Word]) -> str:
    """Take items away."""
    rows, _ = _chosen(shell, path, args)
    for row in rows:
        if row.verb == "set":
            raise Refused("failure: can not remove default entry")
        _not_the_last(shell, row)
        shell.box.store.remove(row)
        shell.box.changed(shell)
    return ""


def _not_the_last(shell: Console, row: Row) -> None:
    """Somebody with all rights must be left (…/ROS/User, "Router Users"); the words are not on that page."""
    full = [one for one in shell.box.store.rows("/user") if one.get("group") == "full" and not one.off]
    if full == [row]:
        raise Refused("failure: there should be at least one user with full access rights")


def move(shell: Console, path: str, args: list[Word]) -> str:
    """Put items before another."""
    rows, rest = _chosen(shell, path, args)
    place = _placed(shell, path, next((word for word in rest if word.text == "destination"), None))
    everything = shell.box.store.rows(path)
    for row in reversed(rows):
        everything.remove(row)
        everything.insert(place if place is not None else len(everything), row)
    shell.box.changed(shell)
    return ""


def _switched(value: str) -> Callable[[Console, str, list[Word]], str]:
    def switch(shell: Console, path: str, args: list[Word]) -> str:
        rows, _ = _chosen(shell, path, args)
        for row in rows:
            if value == "yes":
                _not_the_last(shell, row)
            shell.box.store.set(row, {"disabled": value})
            shell.box.changed(shell)
        return ""

    return switch


def _option(args: Sequence[Word], name: str) -> str | None:
    return next((word.value for word in args if word.text == name and word.sign), None)


def save(shell: Console, path: str, args: list[Word]) -> str:  # noqa: ARG001
    """Keep a backup; without a password it is plain since 6.43 (…/ROS/Backup)."""
    name = _option(args, "name")
    if not name:
        raise Refused("missing value(s) of argument(s) name")
    if shell.box.full:
        # The wording is that of other writes to a full disk; the page says nothing of it.
        raise Refused("failure: not enough space on disk")
    if name.startswith("flash/") and not shell.box.flash:
        raise Refused("failure: could not create file")
    shell.box.files[f"{name.removesuffix('.backup')}.backup"] = shell.box.store.copy()
    return "Saving system configuration\nConfiguration backup saved\n"


def load(shell: Console, path: str, args: list[Word]) -> str:  # noqa: ARG001
    """Load a backup and start anew: asked first, unless there is nobody who could be asked.

    Without `password=` a script is told that a value is missing (log of a 7.21 device: "missing value(s) of
    argument(s) password").
    """
    name, password = _option(args, "name"), _option(args, "password")
    if not name or password is None:
        raise Refused(f"missing value(s) of argument(s) {'name' if not name else 'password'}")
    file = f"{name.removesuffix('.backup')}.backup"
    if file not in shell.box.files:
        raise Refused("failure: file not found")
    if shell.asks:
        shell.question = ("Restore and reboot? [y/N]:", lambda: shell.box.restore(file))
    else:
        shell.box.restore(file)
    return ""


def remove_file(shell: Console, path: str, args: list[Word]) -> str:
    """Remove files."""
    names = [row.get("name") for row in shell._rows(path)]
    for word in args:
        numbers = word.found if word.found is not None else ()
        for row in shell._rows(path):
            if row.number in numbers or row.get("name") == word.text:
                shell.box.files.pop(row.get("name"), None)
        if word.found is None and word.text not in names:
            raise Refused("no such item")
    return ""


def reboot(shell: Console, path: str, args: list[Word]) -> str:  # noqa: ARG001
    """Start anew."""
    if shell.asks:
        shell.question = ("Reboot, yes? [y/N]:", shell.box.reboot)
    else:
        shell.box.reboot()
    return ""


ACTIONS: dict[tuple[str, str], Callable[[Console, str, list[Word]], str]] = {
    ("", "add"): add,
    ("", "set"): change,
    ("", "remove"): remove,
    ("", "move"): move,
    ("", "enable"): _switched("no"),
    ("", "disable"): _switched("yes"),
    ("/system backup", "save"): save,
    ("/system backup", "load"): load,
    ("/file", "remove"): remove_file,
    ("/system", "reboot"): reboot,
}

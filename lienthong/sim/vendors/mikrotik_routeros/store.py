"""The configuration: items in menus, with what adding, setting and removing one asks of the others.

An item that came with a history keeps its text byte for byte until somebody changes it; menus that no
command of the plan speaks of are kept the same way and take no command here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_interface

from lienthong.sim.vendors.mikrotik_routeros import grammar
from lienthong.sim.vendors.mikrotik_routeros.values import written
from lienthong.sim.vendors.mikrotik_routeros.words import Refused, exported

#: Menus whose export says what is the default, too (exports of 7.6 to 7.15 of other people).
_SAYS_ON = ("/routing",)
_INTERFACES = ("/interface bridge", "/interface vlan", "/interface wireguard", "/interface ethernet")
#: Menu → values that no two items may share, and what the device says then.
_UNIQUE: dict[str, tuple[tuple[str, ...], str]] = {
    "/interface bridge port": (("interface",), "failure: device already added as bridge port"),
    "/interface bridge vlan": (("bridge", "vlan-ids"), "failure: vlan already added"),
    "/interface list member": (("interface", "list"), "failure: already have such entry"),
    "/ip address": (("address",), "failure: already have such address"),
    "/ip firewall address-list": (("list", "address"), "failure: already have such entry"),
    "/ip dhcp-server network": (("address",), "failure: such network already exists"),
    "/user": (("name",), "failure: user with the same name already exists"),
}
_NAMES = "failure: already have {} with such name"


@dataclass
class Row:
    """One item."""

    number: int
    path: str
    values: dict[str, str]
    verb: str = "add"
    which: str = ""
    raw: str | None = None
    """Its text as it was loaded; None once it was changed or typed."""
    defaults: dict[str, str] = field(default_factory=dict)
    """What differs from item to item though nobody set it."""

    def get(self, key: str) -> str:
        """A value, or nothing."""
        return self.values.get(key, "")

    @property
    def off(self) -> bool:
        """Whether it is disabled."""
        return self.get("disabled") == "yes"


@dataclass
class Store:
    """All menus of one device."""

    menus: dict[str, list[Row]] = field(default_factory=dict)
    counter: int = 0

    def copy(self) -> Store:
        """As a backup keeps it."""
        return copy.deepcopy(self)

    def rows(self, path: str) -> list[Row]:
        """Items of a menu, in order."""
        return self.menus.setdefault(path, [])

    def row(self, number: int) -> Row:
        """The item of that internal number."""
        return next(row for rows in self.menus.values() for row in rows if row.number == number)

    def put(self, path: str, values: Mapping[str, str], verb: str = "add", which: str = "") -> Row:
        """An item that nobody judges."""
        self.counter += 1
        row = Row(self.counter, path, dict(values), verb, which)
        self.rows(path).append(row)
        return row

    def names(self, what: str) -> Collection[str]:
        """Names in a menu, or of all interfaces."""
        if what == "interface":
            return {row.get("name") for path in _INTERFACES for row in self.rows(path)} | {
                "lo", *(row.get("name") for path, rows in self.menus.items() for row in rows
                        if path.startswith("/interface ") and row.get("name")),
            }  # fmt: skip
        built_in = {
            "/user group": {"full", "write", "read"},
            "/system logging action": {"memory", "disk", "echo", "remote"},
            "/interface list": {"all", "none", "dynamic", "static"},
            "/ip pool": {"static-only"},
        }
        return built_in.get(what, set()) | {row.get("name") for row in self.rows(what)}

    def add(self, path: str, given: Mapping[str, str]) -> Row:
        """Add an item.

        Raises:
            Refused: a value is missing or is none, or another item is in the way.
        """
        known = grammar.fields(path) or {}
        missing = [key for key, one in known.items() if one.needed and not given.get(key)]
        if missing:
            raise Refused(f"missing value(s) of argument(s) {' '.join(missing)}")
        values = self._checked(path, given)
        self._alone(path, values, None)
        if "action" in known and path.endswith(("filter", "nat")):
            values.setdefault("action", "accept")  # an export always says it
        return self.put(path, values)

    def set(self, row: Row, given: Mapping[str, str]) -> None:
        """Change an item; an empty value takes one back.

        Raises:
            Refused: as for :meth:`add`.
        """
        known = grammar.fields(row.path) or {}
        for key, value in given.items():
            if not value and key in known and known[key].needed:
                raise Refused(f"invalid value for argument {key}")
        values = {**row.values, **self._checked(row.path, given)}
        self._alone(row.path, values, row)
        old = row.get("name")
        row.values = values
        row.raw = None
        if old != row.get("name") and row.path in _INTERFACES:
            self._renamed(old, row.get("name"))

    def remove(self, row: Row) -> None:
        """Take an item away; what spoke of an interface that is gone speaks of its number (`*1F`)."""
        self.rows(row.path).remove(row)
        if row.path in _INTERFACES:
            self._renamed(row.get("name"), f"*{row.number:X}")
        if row.path == "/user":
            self.menus["/user ssh-keys"] = [
                key for key in self.rows("/user ssh-keys") if key.get("user") != row.get("name")
            ]

    def _renamed(self, old: str, new: str) -> None:
        for rows in self.menus.values():
            for row in rows:
                for key in ("interface", "bridge", "in-interface", "out-interface", "tagged", "untagged"):
                    names = row.get(key).split(",")
                    if old and old in names:
                        row.values[key] = ",".join(new if name == old else name for name in names)
                        row.raw = None

    def _checked(self, path: str, given: Mapping[str, str]) -> dict[str, str]:
        known = grammar.fields(path) or {}
        values = {key: written(key, known[key], value, self.names) for key, value in given.items()}
        if path == "/ip address" and "address" in values:
            values["network"] = str(ip_interface(values["address"]).network.network_address)
        if path == "/system logging action" and re.search("[^A-Za-z0-9]", values.get("name", "")):
            # …/ROS/Log, "Actions": letters and digits only
            raise Refused("failure: action name can contain only letters and numbers")
        return values

    def _alone(self, path: str, values: Mapping[str, str], mine: Row | None) -> None:
        rows = [row for row in self.rows(path) if row is not mine]
        renamed = mine is None or mine.get("name") != values.get("name")
        if path in _INTERFACES and renamed and values.get("name") in self.names("interface"):
            raise Refused("failure: already have interface with such name")
        keys, said = _UNIQUE.get(
            path, (("name",), _NAMES.format(path.rsplit(" ", 1)[1] if " " in path else ""))
        )
        wanted = [values.get(key) for key in keys]
        if all(wanted) and any([row.get(key) for key in keys] == wanted for row in rows):
            raise Refused(said)

    def export(self, path: str = "") -> Iterator[str]:
        """`export terse show-sensitive`: one line an item, nothing that is the default."""
        order = [*grammar.ORDER, *(one for one in self.menus if one not in grammar.ORDER)]
        for menu in order:
            if menu not in grammar.UNEXPORTED and (not path or f"{menu} ".startswith(f"{path} ")):
                for row in self.menus.get(menu, []):
                    text = row.raw if row.raw is not None else self.text(row)
                    if text:
                        yield text

    def text(self, row: Row) -> str:
        """An item as an export prints it; empty where all of it is the default."""
        known = grammar.fields(row.path) or {}
        shown = []
        for key, value in sorted(row.values.items()):
            default = known[key].default if key in known else None
            if key == "disabled" and row.verb == "add" and row.path.startswith(_SAYS_ON):
                default = None
            if value == row.defaults.get(key, default or "") or key in _identity(row):
                continue
            if key == "passive":
                shown.append(key)
            elif row.path == "/user group" and key == "policy":
                shown.append(f"policy={_policies(known[key].kind, value)}")
            elif row.path == "/ip address" and key == "address":
                shown.append(f"address={value.removesuffix('/32')}")
            else:
                shown.append(f"{key}={exported(value)}")
        if not shown:
            return ""
        return " ".join([row.path, row.verb, *([row.which] if row.which else []), *shown])


def _identity(row: Row) -> tuple[str, ...]:
    """What names an item that was there from the start: no value of its export line."""
    if row.verb == "add":
        return ("owner",)
    if row.path == "/interface ethernet":
        return ("default-name", *(["name"] if row.get("name") == row.get("default-name") else []))
    return {"/ip service": ("name",), "/snmp community": ("name", "default")}.get(row.path, ())


def _policies(kind: str, value: str) -> str:
    """All that are granted, then all that are not, as exports of 7.x print them."""
    known = kind[1:-1].split(",")
    granted = [word for word in known if word in value.split(",")]
    return ",".join([*granted, *(f"!{word}" for word in known if word not in granted)])

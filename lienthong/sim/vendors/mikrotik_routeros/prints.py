"""What `print` shows, in the layouts of 7.x.

Tables and blocks as in help.mikrotik.com/docs/display/ROS/Console ("General Commands") and in the
recordings behind ntc-templates' `mikrotik_routeros_*`, which a test parses with those templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Interface

from lienthong.sim.vendors.mikrotik_routeros import grammar, packets
from lienthong.sim.vendors.mikrotik_routeros.store import Row, Store

VERSION = "7.16.2"
_COLUMNS = {
    "/ip address": ("address", "network", "interface"),
    "/user": ("name", "group", "address", "last-logged-in"),
    "/interface vlan": ("name", "mtu", "arp", "vlan-id", "interface"),
    "/ip service": ("name", "port", "address"),
}
_WORDS = ("name", "on-event", "info", "source", "note", "log-prefix", "address")


def _mac(number: int) -> str:
    return f"48:A9:8A:00:{number // 256 % 256:02X}:{number % 256:02X}"


def interfaces(store: Store) -> list[Row]:
    """The items of `/interface`, made of all menus below it."""
    found = []
    kinds = (("/interface ethernet", "ether"), ("/interface bridge", "bridge"), ("/interface vlan", "vlan"),
             ("/interface wireguard", "wg"))  # fmt: skip
    for path, kind in kinds:
        for row in store.rows(path):
            values = {"name": row.get("name")}
            if row.get("default-name"):
                values["default-name"] = row.get("default-name")
            mtu = "auto" if kind == "bridge" else row.get("mtu") or ("1420" if kind == "wg" else "1500")
            actual = "1500" if mtu == "auto" else mtu
            values |= {"type": kind, "mtu": mtu, "actual-mtu": actual, "mac-address": _mac(row.number)}
            if kind == "wg":
                del values["mac-address"]
            values |= {"link-downs": "0", "disabled": row.get("disabled"), "comment": row.get("comment")}
            values["running"] = "yes" if packets.carried(store, row.get("name")) else ""
            found.append(Row(row.number, "/interface", values))
    return found


def running(store: Store, path: str) -> list[Row]:
    """Items of one menu of interfaces, with whether they run."""
    return [
        replace(
            row, values=row.values | {"running": "yes" if packets.carried(store, row.get("name")) else ""}
        )
        for row in store.rows(path)
    ]


def neighbours(store: Store) -> str:
    """`/routing ospf neighbor print`, as captured from 7.x: without interfaces. The other end answers."""
    found = "Flags: V - virtual; D - dynamic \n"
    lines = [
        (row, address)
        for row in store.rows("/routing ospf interface-template")
        if not row.off and row.get("passive") != "yes" and packets.carried(store, row.get("interfaces"))
        for address in store.rows("/ip address")
        if address.get("interface") == row.get("interfaces") and not address.off
    ]
    for at, (row, address) in enumerate(lines):
        own = IPv4Interface(address.get("address"))
        other = next((host for host in own.network.hosts() if host != own.ip), own.ip)
        found += (
            f" {at}  D instance=lienthong area={row.get('area')} address={other} router-id={other}\n"
            '      state="Full" state-changes=6 adjacency=41m28s timeout=33s\n\n'
        )
    return found


def shown(path: str, rows: Sequence[Row], how: str) -> str:
    """`print` of some items: `terse`, `detail` or a table."""
    if path in ("/ip firewall filter", "/ipv6 firewall filter", "/ip firewall nat"):
        return _rules(rows)
    if how == "terse":
        return "".join(f"{at:2} {_flags(row):4} {_terse(path, row)}\n" for at, row in enumerate(rows))
    if how == "detail" or path not in _COLUMNS:
        return _blocks(path, rows)
    return _table(path, rows)


def _flags(row: Row) -> str:
    if row.path == "/ip route":
        return ("X" if row.off else "A") + "s"
    return "X" if row.off else "R" if row.get("running") else ""


def _terse(path: str, row: Row) -> str:
    values = {
        key: value for key, value in row.values.items() if key not in ("comment", "disabled", "running")
    }
    if path == "/ip route":
        values = {
            "dst-address": row.get("dst-address"), "routing-table": row.get("routing-table") or "main",
            "gateway": row.get("gateway"), "immediate-gw": row.get("gateway"),
            "distance": row.get("distance") or "1", "scope": "30", "target-scope": "10",
            "suppress-hw-offload": "no",
        }  # fmt: skip
    comment = f"comment={row.get('comment')} " if row.get("comment") else ""
    return comment + " ".join(f"{key}={value}" for key, value in values.items())


def _blocks(path: str, rows: Sequence[Row]) -> str:
    found = "Flags: X - disabled, R - running\n" if path.startswith("/interface") else "Flags: X - disabled\n"
    for at, row in enumerate(rows):
        head = f" {at} {_flags(row):2}"
        if row.get("comment"):
            found += f"{head} ;;; {row.get('comment')}\n     {_told(path, row)}\n\n"
        else:
            found += f"{head} {_told(path, row)}\n\n"
    return found


def _told(path: str, row: Row) -> str:
    if path == "/user ssh-keys":
        # The key itself is shown by no version; what stood behind it in its file is (…/ROS/User, "SSH Keys").
        kind, _, rest = row.get("key").partition(" ")
        info = rest.partition(" ")[2]
        return f'user={row.get("user")} bits=256 key-type={kind.removeprefix("ssh-")} info="{info}"'
    if path == "/user":
        return (
            f'name="{row.get("name")}" group={row.get("group")} address="{row.get("address")}"'
            f" last-logged-in=2026-11-23 05:31:00 inactivity-timeout={row.get('inactivity-timeout') or '10m'}"
            f" inactivity-policy={row.get('inactivity-policy') or 'none'}"
        )
    if path == "/interface vlan":
        return (
            f'name="{row.get("name")}" mtu={row.get("mtu") or 1500} l2mtu=1594 mac-address={_mac(row.number)}'
            " arp=enabled arp-timeout=auto loop-protect=default loop-protect-status=off"
            " loop-protect-send-interval=5s loop-protect-disable-time=5m"
            f" vlan-id={row.get('vlan-id')} interface={row.get('interface')} use-service-tag=no"
        )
    known = grammar.fields(path) or {}
    hidden = ("comment", "disabled", "running")
    values = {key: one.default or "" for key, one in known.items()} | row.values
    return " ".join(
        f'{key}="{value}"' if key in _WORDS or not value else f"{key}={value}"
        for key, value in values.items()
        if key not in hidden and (value or key in row.values)
    )


def _rules(rows: Sequence[Row]) -> str:
    order = (
        "connection-state", "connection-nat-state", "protocol", "src-address", "dst-address",
        "src-address-list", "dst-address-list", "in-interface-list", "out-interface-list", "src-port",
        "dst-port", "in-interface", "out-interface", "jump-target", "to-addresses", "icmp-options",
    )  # fmt: skip
    found = "Flags: X - disabled, I - invalid; D - dynamic \n"
    for at, row in enumerate(rows):
        words = [f"chain={row.get('chain')}", f"action={row.get('action') or 'accept'}"]
        words += [f"{key}={row.get(key)}" for key in order if row.get(key)]
        words += [f"log={row.get('log') or 'no'}", f'log-prefix="{row.get("log-prefix")}"']
        told = " ".join(words)
        flag = "X" if row.off else " "
        if row.get("comment"):
            found += f"{at:2} {flag}  ;;; {row.get('comment')}\n      {told} \n"
        else:
            found += f"{at:2} {flag}  {told} \n"
    return found


def _table(path: str, rows: Sequence[Row]) -> str:
    columns = _COLUMNS[path]
    titles = [column.upper() for column in columns]
    cells = [[_cell(row, column) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    flags = "Flags: X - disabled \n" if path == "/user" else f"Columns: {', '.join(titles)}\n"
    if path == "/user":
        found = flags + " #   " + "  ".join(t.ljust(w) for t, w in zip(titles, widths, strict=True)) + "\n"
    else:
        found = flags + "#  " + "  ".join(t.ljust(w) for t, w in zip(titles, widths, strict=True)) + "\n"
    for at, (row, line) in enumerate(zip(rows, cells, strict=True)):
        if row.get("comment"):
            found += f";;; {row.get('comment')}\n"
        told = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        found += f"{at}  {told}\n"
    return found


def _cell(row: Row, column: str) -> str:
    return row.get(column)


def routerboard(model: str) -> str:
    """`/system routerboard print`."""
    pairs = (("routerboard", "yes"), ("model", model), ("serial-number", "HG709SIMULATED"),
             ("firmware-type", "al2"), ("factory-firmware", "7.8"), ("current-firmware", VERSION),
             ("upgrade-firmware", VERSION))  # fmt: skip
    return "".join(f"{key:>18}: {value}\n" for key, value in pairs)


def resource(model: str, up_s: float) -> str:
    """`/system resource print`."""
    minutes, seconds = divmod(int(up_s), 60)
    pairs = (("uptime", f"{minutes}m{seconds}s"), ("version", f"{VERSION} (stable)"),
             ("build-time", "2024-11-26 12:09:40"), ("free-memory", "912.4MiB"),
             ("total-memory", "1024.0MiB"), ("cpu", "ARM64"), ("cpu-count", "4"), ("cpu-load", "1%"),
             ("free-hdd-space", "466.9MiB"), ("total-hdd-space", "512.0MiB"),
             ("architecture-name", "arm64"), ("board-name", model), ("platform", "MikroTik"))  # fmt: skip
    return "".join(f"{key:>20}: {value}\n" for key, value in pairs)

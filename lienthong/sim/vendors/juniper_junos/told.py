"""What `show` tells. Formats: the commands' own pages of the CLI Reference; as `ntc-templates` reads them.

A switch that stands alone writes `fpc0:` above some answers; where the common parser does not know it the
line is left out here.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface, IPv4Network

from lienthong.sim.vendors.juniper_junos.box import JunosBox
from lienthong.sim.vendors.juniper_junos.checks import units
from lienthong.sim.vendors.juniper_junos.reachable import open_legs, vlan_ports
from lienthong.sim.vendors.juniper_junos.schema import paths
from lienthong.sim.vendors.juniper_junos.tree import Node
from lienthong.sim.vendors.juniper_junos.values import Refused

RELEASE = "21.4R3.15"


def configuration(tree: Node, words: list[str], pipes: list[str], head: str = "") -> str:
    """`show configuration …`, and `show` in configuration mode.

    Raises:
        Refused: there is no such statement.
    """
    flat = any(pipe.split() == ["display", "set"] for pipe in pipes)
    prefix: tuple[str, ...] = ()
    node = tree
    if words:
        (path,) = paths(words, removing=True)
        for step in path:
            item = node.items.get(step.key)
            if item is None:
                return ""
            node, prefix = item, (*prefix, *item.words)
        if not node.items:
            return f"set {' '.join(prefix)}\n" if flat else f"{' '.join(node.words)};\n"
    if flat:
        return "".join(f"{one}\n" for one in node.sets(prefix))
    return ("" if words else head) + "".join(f"{one}\n" for one in node.curly())


def show(box: JunosBox, words: list[str]) -> str:
    """Any other `show`.

    Raises:
        Refused: there is none of that name.
    """
    known: dict[str, Callable[[JunosBox], str]] = {
        "version": _version, "system commit": _commits, "system uptime": _uptime,
        "interfaces terse": _terse, "vlans": _vlans, "arp": _arp, "arp no-resolve": _arp,
        "route": _routes, "route terse": _routes, "ospf neighbor": _neighbours,
        "lldp neighbors": _lldp,
    }  # fmt: skip
    found = known.get(" ".join(words))
    if found is None:
        raise Refused("syntax error.", min(2, len(words)))
    return found(box)


def _version(box: JunosBox) -> str:
    name = box.active.one("system", "host-name") or ""
    model = box.model.lower()
    if box.routes:
        return f"Hostname: {name}\nModel: {model}\nJunos: {RELEASE}\nJUNOS Software Release [{RELEASE}]\n"
    packages = "".join(
        f"JUNOS {what} [20221009.{RELEASE}]\n"
        for what in ("Kernel Software Suite", "Base OS boot", "Crypto Software Suite", "Online Documentation")
    )
    line = "-" * 74
    return f"fpc0:\n{line}\nHostname: {name}\nModel: {model}\nJunos: {RELEASE}\n{packages}"


def _commits(box: JunosBox) -> str:
    """ "show system commit": the entry keeps its words; below it stands whether it still waits."""
    said = ""
    for number, one in enumerate(box.history):
        said += f"{number:<4}{one.when:%Y-%m-%d %H:%M:%S} UTC by {one.user} {one.how}\n"
        if number == 0 and box.waiting is not None:
            said += "    rollback pending\n"
    return said


def _uptime(box: JunosBox) -> str:
    now, boot, last = box.clock(), box.booted, box.history[0]
    form = "%Y-%m-%d %H:%M:%S UTC"
    seconds = int((now - boot).total_seconds())
    ago = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02} ago"
    users = max(1, len(box.shells))
    return (
        f"Current time: {now:{form}}\nTime Source:  LOCAL CLOCK \nSystem booted: {boot:{form}} ({ago})\n"
        f"Protocols started: {boot:{form}} ({ago})\n"
        f"Last configured: {last.when:{form}} ({ago}) by {last.user}\n"
        f" {now:%I:%M%p}  up {seconds // 60} mins, {users} user{'s' if users > 1 else ''},"
        " load averages: 0.21, 0.17, 0.12\n"
    )


def _terse(box: JunosBox) -> str:
    tree = box.active
    up = {name for name, _ in open_legs(tree)}
    said = "Interface               Admin Link Proto    Local                 Remote\n"
    for port in sorted({*box.ports, *tree.entries("interfaces")}, key=lambda one: (len(one), one)):
        admin = "down" if tree.has("interfaces", port, "disable") else "up"
        said += f"{port:<24}{admin:<6}{admin}\n"
        for name, number, _, unit in units(tree):
            if name != port:
                continue
            state = "down" if admin == "down" or unit.has("disable") else "up"
            link = state if port != "irb" or f"irb.{number}" in up else "down"
            line = f"{f'{port}.{number}':<24}{state:<6}{link:<5}"
            if unit.has("family", "ethernet-switching"):
                line += "eth-switch"
            rows = [f"{family:<9}{one}" for family in ("inet", "inet6")
                    for one in unit.several("family", family, "address")]  # fmt: skip
            said += f"{line}{rows[0] if rows else ''}".rstrip() + "\n"
            said += "".join(f"{' ' * 35}{row}\n" for row in rows[1:])
    return said


def _vlans(box: JunosBox) -> str:
    said = "\nRouting instance        VLAN name             Tag          Interfaces\n"
    for name, vlan in box.active.entries("vlans").items():
        said += f"{'default-switch':<24}{name:<22}{vlan.one('vlan-id') or 'NA':<13}\n"
        ports = vlan_ports(box.active, name)
        said += "".join(f"{' ' * 59}{port}*\n" for port in ports) or f"{' ' * 59}\n"
    return said


def _arp(box: JunosBox) -> str:
    rows = []
    for name, one in open_legs(box.active):
        around = [ip for ip in (one.network[1 % one.network.num_addresses], one.network[-2]) if ip != one.ip]
        other = next(iter(around), None)
        if other is not None:
            rows.append(
                f"02:00:5e:{one.ip.packed[1]:02x}:{one.ip.packed[2]:02x}:01 {other!s:<15} {name:<24} none\n"
            )
    head = "MAC Address       Address         Interface                Flags\n"
    return head + "".join(rows) + f"Total entries: {len(rows)}\n"


def _routes(box: JunosBox) -> str:
    legs = dict(open_legs(box.active))
    rows: list[tuple[IPv4Network, str]] = []
    for name, one in legs.items():
        rows.append((one.network, f"*[Direct/0] 00:10:00\n{' ' * 20}>  via {name}"))
    for net, route in box.active.entries("routing-options", "static", "route").items():
        for hop in [*route.several("next-hop"), *route.entries("qualified-next-hop")]:
            via = _via(hop, legs)
            if via:
                preference = route.one("preference") or "5"
                text = f"*[Static/{preference}] 00:10:00\n{' ' * 20}>  to {hop} via {via}"
                rows.append((IPv4Network(net), text))
    said = "".join(f"{net!s:<19}{text}\n" for net, text in sorted(rows))
    count = len(rows)
    return (
        f"\ninet.0: {count} destinations, {count} routes ({count} active, 0 holddown, 0 hidden)\n"
        f"+ = Active Route, - = Last Active, * = Both\n\n{said}"
    )


def _via(hop: str, legs: dict[str, IPv4Interface]) -> str | None:
    return next(
        (name for name, one in legs.items() if hop == name or hop in {str(ip) for ip in one.network}), None
    )


def _neighbours(box: JunosBox) -> str:
    """OSPF neighbours: on every link of two addresses, with a key."""
    said = ""
    legs = dict(open_legs(box.active))
    for area in box.active.entries("protocols", "ospf", "area").values():
        for name, one in area.entries("interface").items():
            leg = legs.get(name if "." in name else f"{name}.0")
            if (
                leg is None
                or one.has("passive")
                or leg.network.prefixlen < 30
                or not one.has("authentication")
            ):
                continue
            other = next(ip for ip in leg.network if ip != leg.ip and (leg.network.prefixlen == 31 or ip in
                         list(leg.network.hosts())))  # fmt: skip
            said += f"{other!s:<17}{name:<23}{'Full':<10}{'10.255.0.1':<17}1    35\n"
    return (
        f"Address          Interface              State     ID               Pri  Dead\n{said}"
        if said
        else ""
    )


def _lldp(_: JunosBox) -> str:
    return "Local Interface    Parent Interface    Chassis Id          Port info          System Name\n"

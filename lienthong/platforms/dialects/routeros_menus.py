"""The menus of RouterOS that the plan speaks of: what tells items apart, what is not printed, what is hidden.

Defaults are those of RouterOS 7.16 (help.mikrotik.com/docs/display/ROS/…, the page of each menu): an export
leaves them out, but routing menus print some of them where another tool has set them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_interface

from lienthong.platforms.dialects.routeros_words import Item

#: What a comment of ours begins with; a word after it is the item's own, then come words for people.
OURS = "lienthong:"
#: Names of ours where a menu has no comments.
NAMED = "lienthong"
#: No value of the device's: a rule of ours that stands behind one that it must precede.
PLACE = "place"
OTHER = "<other secret>"
SECRET = re.compile(r"<secret [a-z0-9][a-z0-9._/-]*>")
#: Values that `show-sensitive` prints; one that is no secret of the plan is never told.
HIDDEN = frozenset(
    {
        "auth-key", "authentication-password", "encryption-password", "ipsec-secret", "passphrase",
        "password", "preshared-key", "private-key", "secret", "tcp-md5-key", "wpa-pre-shared-key",
        "wpa2-pre-shared-key",
    }
)  # fmt: skip
#: Values that are said by their name alone, and taken back by `!` before it.
FLAGS = frozenset({"passive"})
_LISTS = frozenset({"tagged", "untagged", "policy", "topics", "connection-state", "addresses", "dst-port"})
_HOSTS = frozenset({"src-address", "dst-address", "address"})
_TIMES = frozenset({"lease-time", "hello-interval", "dead-interval", "inactivity-timeout"})
_CLOCK = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True)
class Menu:
    """One menu whose items the plan adds."""

    keys: tuple[str, ...] = ()
    """Values that no two items share: an item that has an intended item's is the plan's too."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    """What is always typed with `add`, since its default has not always been the same."""


_ROUTE = {
    "distance": "1", "scope": "30", "target-scope": "10", "routing-table": "main", "pref-src": "",
    "suppress-hw-offload": "no", "vrf-interface": "",
}  # fmt: skip
_OSPF = {
    "passive": "no", "use-bfd": "no", "type": "broadcast", "auth": "", "priority": "128", "cost": "1",
    "hello-interval": "10s", "dead-interval": "40s", "retransmit-interval": "5s",
}  # fmt: skip
_ON = {"disabled": "no"}
#: In the order in which items need each other. What is removed goes the other way round.
MENUS: dict[str, Menu] = {
    "/interface wireguard": Menu(("name",), {"mtu": "1420"}),
    "/interface wireguard peers": Menu(("name",), {"preshared-key": "", "responder": "no"}),
    "/interface list": Menu(("name",)),
    "/interface bridge": Menu(("name",), {"vlan-filtering": "no", "protocol-mode": "rstp", "pvid": "1"}),
    "/interface bridge port": Menu(
        ("interface",),
        {
            "pvid": "1",
            "frame-types": "admit-all",
            "ingress-filtering": "yes",
            "bpdu-guard": "no",
            "edge": "auto",
        },
    ),
    "/interface vlan": Menu(("name",), {"mtu": "1500", "arp": "enabled"}),
    "/interface bridge vlan": Menu(("bridge", "vlan-ids"), {"tagged": "", "untagged": ""}),
    "/interface list member": Menu(("interface", "list")),
    "/ip address": Menu(("address",)),
    "/ipv6 address": Menu(
        ("address",), {"advertise": "yes", "eui-64": "no", "from-pool": "", "no-dad": "no"}
    ),
    "/routing ospf instance": Menu(("name",), {"version": "2", "vrf": "main", "redistribute": ""}, _ON),
    "/routing ospf area": Menu(("name",), {"area-id": "0.0.0.0", "type": "default"}, _ON),  # noqa: S104
    "/routing bfd configuration": Menu((), {"min-rx": "200ms", "min-tx": "200ms", "multiplier": "5"}, _ON),
    "/routing ospf interface-template": Menu((), _OSPF, _ON),
    "/ip route": Menu((), _ROUTE),
    "/ipv6 route": Menu((), _ROUTE),
    "/ip pool": Menu(("name",)),
    "/ip dhcp-server network": Menu(("address",)),
    "/ip dhcp-server": Menu(("name",), {"lease-script": ""}, _ON),
    "/ip dhcp-relay": Menu(("name",), {}, _ON),
    "/ip firewall address-list": Menu(("address", "list")),
    "/ip firewall filter": Menu((), {"log": "no", "log-prefix": ""}),
    "/ip firewall nat": Menu((), {"log": "no", "log-prefix": ""}),
    "/ipv6 firewall filter": Menu((), {"log": "no", "log-prefix": ""}),
    "/system logging action": Menu(("name",), {"remote-port": "514"}),
    "/system logging": Menu(("action", "topics"), {"prefix": ""}),
    "/system ntp client servers": Menu(("address",)),
    "/radius": Menu(("address",), {"timeout": "300ms"}),
    "/snmp community": Menu(("name",), {"read-access": "yes", "write-access": "no"}),
    "/user group": Menu(("name",), {"skin": "default"}),
    "/user": Menu(("name",), {"address": "", "inactivity-timeout": "10m", "inactivity-policy": "none"}),
    "/user ssh-keys": Menu(),
}

_SERVICE = {"disabled": "no", "address": ""}
#: What the plan sets where there is nothing to add: (menu, item) → value → what it is when nobody set it.
SETTINGS: dict[tuple[str, str], Mapping[str, str]] = {
    ("/snmp community", "[ find default=yes ]"): {"disabled": "no"},
    ("/system identity", ""): {"name": "MikroTik"},
    ("/system note", ""): {"note": "", "show-at-login": "yes"},
    ("/ip dns", ""): {"servers": "", "allow-remote-requests": "no"},
    ("/system ntp client", ""): {"enabled": "no"},
    ("/snmp", ""): {"enabled": "no"},
    ("/user aaa", ""): {"use-radius": "no"},
    ("/ip neighbor discovery-settings", ""): {"discover-interface-list": "!dynamic"},
    ("/tool mac-server", ""): {"allowed-interface-list": "all"},
    ("/tool mac-server mac-winbox", ""): {"allowed-interface-list": "all"},
    ("/tool mac-server ping", ""): {"enabled": "yes"},
    ("/tool bandwidth-server", ""): {"enabled": "yes"},
    ("/ip service", "telnet"): _SERVICE,
    ("/ip service", "ftp"): _SERVICE,
    ("/ip service", "www"): _SERVICE,
    ("/ip service", "www-ssl"): {"disabled": "yes", "address": ""},
    ("/ip service", "api"): _SERVICE,
    ("/ip service", "api-ssl"): _SERVICE,
    ("/ip service", "winbox"): _SERVICE,
    ("/ip ssh", ""): {"strong-crypto": "no", "forwarding-enabled": "no"},
    ("/ip service", "ssh"): {**_SERVICE, "port": "22"},
}
PORT = "/interface ethernet"
#: Of a port that the plan speaks of.
ON_PORT: Mapping[str, str] = {"comment": "", "disabled": "no"}


def settings(path: str, which: str) -> Mapping[str, str]:
    """What of a `set` may be the plan's, with its defaults."""
    return ON_PORT if path == PORT else SETTINGS.get((path, which), {})


def plain(item: Item) -> Item:
    """An item in the one spelling in which it is compared."""
    menu = MENUS.get(item.path)
    if item.verb != "add" or menu is None:
        return item.of({key: _hide(key, value) for key, value in item.values.items()})
    values = {key: _spelt(item, key, value) for key, value in item.values.items()}
    for key, default in {"disabled": "no", "comment": "", **menu.defaults}.items():
        if values.get(key) == default:
            del values[key]
    if item.path == "/ip address":
        values = _without_network(values)
    return item.of(values)


def _spelt(item: Item, key: str, value: str) -> str:
    if key in HIDDEN:
        return _hide(key, value)
    if key in _LISTS:
        words = [word for word in value.split(",") if not (key == "policy" and word.startswith("!"))]
        return ",".join(sorted(words, key=lambda word: (len(word), word) if word.isdigit() else (99, word)))
    if key in _HOSTS and "firewall" in item.path:
        return value.removesuffix("/32").removesuffix("/128")
    if key in _TIMES:
        return duration(value)
    return value


def _hide(key: str, value: str) -> str:
    return OTHER if key in HIDDEN and value and SECRET.fullmatch(value) is None else value


def _without_network(values: Mapping[str, str]) -> dict[str, str]:
    """`network=` is computed and always printed; an address without a length is one of /32."""
    found = dict(values)
    try:
        address = ip_interface(found.get("address", ""))
    except ValueError:
        return found
    found["address"] = str(address)
    if found.get("network") == str(address.network.network_address):
        del found["network"]
    return found


def duration(text: str) -> str:
    """Seconds as the console prints them: `600s` is `10m`."""
    found = _CLOCK.fullmatch(text)
    if found is None or not text:
        return text
    seconds = sum(int(part or 0) * unit for part, (unit, _) in zip(found.groups(), _UNITS, strict=True))
    words = []
    for unit, letter in _UNITS:
        if seconds >= unit:
            words.append(f"{seconds // unit}{letter}")
            seconds %= unit
    return "".join(words) or "0s"


def ident(item: Item) -> str | None:
    """The item's own word in a comment of ours."""
    comment = item.get("comment")
    return comment.split()[0] if comment.startswith(OURS) else None


def natural(item: Item) -> tuple[str, ...] | None:
    """What no other item of the menu has; None where the menu has nothing of the kind."""
    keys = MENUS[item.path].keys if item.path in MENUS else ()
    return tuple(item.get(key) for key in keys) if keys else None

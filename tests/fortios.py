"""FortiGates for tests: the intent, a simulated one under the tool, and one that somebody else had before."""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import IPv4Interface

from lienthong.model.wanted import Wanted
from lienthong.model.words import Role
from lienthong.platforms import Lines, platform
from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.render import render
from lienthong.sim.box import Shell
from lienthong.sim.vendors.fortinet_fortios import VENDOR, FortiGate
from tests.boxes import ROOT, Drive, node_of, told

KIND = platform("fortinet-fortios")
MODEL = "FortiGate 60F"


def lines_of(wanted: Wanted) -> Lines:
    return render(wanted, KIND, FORTIOS, ROOT / "templates")


def gateway(model: str | None = MODEL) -> Wanted:
    return told(node_of(KIND, Role.GATEWAY, model))


def drive() -> Drive:
    return Drive(VENDOR, Role.GATEWAY, MODEL)


def box_of(found: Drive) -> FortiGate:
    assert isinstance(found.box, FortiGate)
    return found.box


def by_hand(found: Drive, *lines: str) -> None:
    """What an officer types, without a word from the device."""
    shell = found.box.log_in("netadm")
    assert isinstance(shell, Shell)
    for line in lines:
        assert shell.line(line) == "", line
    shell.closed = True


def merged(day0: str, old: str) -> str:
    """One configuration of two, each section once."""
    box = FortiGate("x", IPv4Interface("10.0.44.1/24"))
    box.load(day0 + old)
    return box.configuration()


_ADDRESS = """    edit "{name}"
        set uuid {n:08x}-51ef-51ef
        set color {n}
        set subnet 192.168.{n}.0 255.255.255.0
    next
"""
_ROUTE = """    edit {n}
        set dst 192.168.{n}.0 255.255.255.0
        set gateway 192.0.2.1
        set device "wan1"
        set comment "The entry is used by other {n} entries: Command fail. Return code -{n}"
    next
"""
_RULE = """    edit {n}
        set name "rule {n}"
        set uuid {n:08x}-aaaa
        set srcintf "dmz"
        set dstintf "wan1"
        set action accept
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "ALL"
        set utm-status enable
        set av-profile "p{n}"
    next
"""
_LOCAL = """    edit {n}
        set intf "dmz"
        set srcaddr "all"
        set dstaddr "all"
        set action accept
        set service "HTTPS"
        set schedule "always"
        set virtual-patch enable
    next
"""
_WIFI = """    edit "ssid{n}"
        set ssid "Ủy ban {n}"
        set passphrase ENC x{n}
        config portal-message-overrides
            set auth-disclaimer-page "x"
        end
        set schedule "always"
    next
"""
_OTHER = """config vpn ipsec phase1-interface
    edit "to-hq"
        set interface "wan1"
        set psksecret ENC abc+/=
        set proposal aes128-sha256 aes256-sha256
    next
end
config system replacemsg mail "partial"
end
config vpn certificate local
    edit "old"
        set certificate "-----BEGIN X-----
AB
config x"
        set comments "say \\"hi\\" # end
next
end"
    next
end
"""


def history(seed: int) -> str:
    """Some 500 lines of several kinds that somebody else configured."""
    rng = random.Random(seed)

    def many(one: str, least: int) -> str:
        numbers = rng.sample(range(2, 250), rng.randint(least, least + 8))
        kind = rng.choice(["Old LAN", "srv", "lan-to-wan", "ghi chú", "a b"])
        return "".join(one.format(n=n, name=f"{kind}{n}") for n in numbers)

    tables: list[Callable[[], str]] = [
        lambda: f"config firewall address\n{many(_ADDRESS, 25)}end\n",
        lambda: f"config router static\n{many(_ROUTE, 15)}end\n",
        lambda: f"config firewall policy\n{many(_RULE, 15)}end\n",
        lambda: f"config wireless-controller vap\n{many(_WIFI, 5)}end\n",
        lambda: f"config firewall local-in-policy\n{many(_LOCAL, 3)}end\n",
        lambda: _OTHER,
    ]
    rng.shuffle(tables)
    return "".join(table() for table in tables)

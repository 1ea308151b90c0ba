"""The commands of the simulated VRP8 devices: those of VRP5 but for what CloudEngine spells in another way.

CloudEngine 8800 to 5800 command reference (https://support.huawei.com/enterprise/en/doc/EDOC1000166501);
configurations of CE6880 and CE12800 in public repositories; `traffic-filter acl NAME inbound` as Ansible's
module `ce_acl_interface` has it.
"""

from __future__ import annotations

from lienthong.sim.vendors.huawei_vrp.forms import GLOBAL, OPENING, ORDER, VIEWS
from lienthong.sim.vendors.huawei_vrp.grammar import Form, form
from lienthong.sim.vendors.huawei_vrp.tables import Tables

#: Beginnings of commands that VRP8 does not have.
_GONE = (
    ("ipv6",), ("ntp-service",), ("traffic-filter",), ("hwtacacs-server",),
    ("radius-server",), ("port-security", "max-mac-num"), ("dhcp", "relay", "server-ip"), ("nat",),
    ("dot1q",), ("arp", "broadcast"),
)  # fmt: skip


def _kept(forms: tuple[Form, ...]) -> tuple[Form, ...]:
    return tuple(
        one
        for one in forms
        if not any(one.words[: len(gone)] == gone and (len(gone) > 1 or gone != ("ipv6",)) for gone in _GONE)
        and one.words != ("ipv6",)
        and one.do != "ipv6_there"
        and "privilege" not in one.words[2:3]
    )


_SYSTEM = (
    *_kept(GLOBAL),
    form("sys", "ssh server-source all-interface", 2),
    form("sys", "ssh server-source -i <port>", 2),
    form("sys", "ntp unicast-server <ip>", 3),
    form("sys", "ntp unicast-server <ip> source-interface <port>", 3, do="interface_there"),
)
_VIEWS = (
    form("if", "undo portswitch", undo=""),
    form("if", "ipv6 enable"),
    *_kept(VIEWS),
    form("if", "portswitch", undo="", do="portswitch"),
    form("if", "port-security maximum <int:1-4096>", 2, do="secured"),
    form("if", "dhcp relay binding server ip <ip>", do="dhcp_there"),
    form("if", "traffic-filter acl <word:32> inbound", do="filter8"),
    form("if", "traffic-filter acl ipv6 <word:32> inbound", do="filter8"),
    form("aaa", "local-user <word:64> level <int:0-3>", 3, "local-user <word:64>", do="local_user"),
    form("tac", "hwtacacs server authentication <ip>"),
    form("tac", "hwtacacs server authentication <ip> secondary"),
    form("tac", "hwtacacs server authorization <ip>"),
    form("tac", "hwtacacs server authorization <ip> secondary"),
    form("tac", "hwtacacs server shared-key cipher <word:392>", 4, "hwtacacs server shared-key", do="cipher"),
    form("rad", "radius server shared-key cipher <word:392>", 4, "radius server shared-key", do="cipher"),
    form("rad", "radius server authentication <ip> <int:1-65535> weight <int:0-100>"),
    form("domain", "hwtacacs server <word:32>", 2),
    form("domain", "radius server <word:32>", 2),
)  # fmt: skip
_NAMED, _NAMED6 = "acl name <word:32>", "acl ipv6 name <word:32>"
_ACLS = (
    (form("sys", f"{_NAMED} number <int:2000-2999>", undo=_NAMED, do="open_acl"), "basic"),
    (form("sys", f"{_NAMED} number <int:3000-3999>", undo=_NAMED, do="open_acl"), "adv"),
    (
        form("sys", f"{_NAMED6} number <int:3000-3999>", undo=_NAMED6, do="open_acl"),
        "adv6",
    ),
    (form("sys", "hwtacacs server template <word:32>"), "tac"),
    (form("sys", "radius server template <word:32>"), "rad"),
)
_SPELT = {
    "hwtacacs-server ": "hwtacacs server ", "radius-server ": "radius server ", "ntp-service ": "ntp ",
    "interface GigabitEthernet": "interface GE", "interface XGigabitEthernet": "interface 10GE",
}  # fmt: skip
_FIVE = {"hwtacacs-server", "radius-server"}
VRP8 = Tables(
    header="!Software Version V300R022C00SPC100",
    version="8.220",
    system=_SYSTEM,
    opening=(
        *_ACLS,
        *(pair for pair in OPENING if "name" not in pair[0].words and pair[0].words[0] not in _FIVE),
    ),
    views=_VIEWS,
    order=tuple(_SPELT.get(one, one) for one in ORDER),
    two_phase=True,
    link_type="access",
)

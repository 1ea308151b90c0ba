"""The simulated FortiGate says what FortiGates say, and refuses what they refuse."""

from __future__ import annotations

import pytest
from ntc_templates.parse import parse_output  # type: ignore[import-untyped]

from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.undo import Rejected
from tests.boxes import Drive
from tests.fortios import box_of, by_hand, drive


@pytest.fixture
def brought() -> Drive:
    found = drive()
    found.bring()
    return found


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("get system status", {"hostname": "loc-ninh-gw-wan", "current_ha_mode": "standalone"}),
        ("get system interface", {"name": "lt-vlan40", "ip_address": "10.0.44.1"}),
        ("get system interface physical", {"name": "wan1", "ip_address": "172.16.0.41"}),
        ("get router info routing-table all", {"destination": "10.0.44.0/24", "interface": "lt-vlan40"}),
        ("get system arp", {"interface": "wan1"}),
        ("execute date", {"year": "2026"}),
        ("execute time", {"hour": "06"}),
    ],
)
def test_what_is_shown_is_read_by_ntc_templates(brought: Drive, command: str, says: dict[str, str]) -> None:
    rows = parse_output("fortinet", command, brought.session().ask(command))
    assert any(says.items() <= row.items() for row in rows), rows


def test_paging_is_turned_off_as_netmiko_does_it(brought: Drive) -> None:
    by_hand(brought, "config system console", "unset output", "end")
    shell = brought.box.log_in("netadm")
    assert shell is not None
    assert shell.page
    assert "output              : more" in shell.line("get system console")
    for line in ("config system console", "set output standard", "end"):
        assert shell.line(line) == ""
    assert not shell.page


def test_neighbours_are_told_as_well(brought: Drive) -> None:
    found = FORTIOS.health
    assert found is not None
    assert found(brought.session().ask) == {
        "wan1 ospf 172.16.0.40 full",
        "wan2 ospf 172.16.0.42 full",
    }


REFUSED = {
    "config firewall nothing": "parse error",
    "nonsense": "Unknown action",
    "show what": "parse error",
    "get never": "parse error",
    "execute something": "parse error",
    "end": "Unknown action",
}
#: Lines that lead somewhere, and one that is refused there.
SECTIONS = [
    (("config system global",), "set admintimeout 999", "-651"),
    (("config system global",), "set hostname", "-160"),
    (("config system global",), 'set hostname "' + "x" * 36 + '"', "too long"),
    (("config system interface",), 'edit "a-name-of-16-abc"', "too long"),
    (("config system interface",), 'delete "wan1"', "-61"),
    (("config system interface",), 'delete "lt-vlan10"', "is used by other"),
    (("config system interface", 'edit "new"', 'set vdom "root"'), "next", "MUST be set"),
    (("config system interface", 'edit "wan1"'), "set ip 10.0.44", "-160"),
    (("config system interface", 'edit "wan1"'), "set ip 10.0.44.300 255.255.255.0", "invalid ip address"),
    (("config system interface", 'edit "wan2"', "set ip 10.0.44.129 255.255.255.128"), "next", "overlap"),
    (("config system interface", 'edit "wan2"', "set mode dhcp"), "set ip 10.9.9.9/24", "parse error"),
    (("config firewall policy",), "delete 99", "not found"),
    (("config firewall policy", "edit 9"), 'set srcaddr "nobody"', "entry not found in datasource"),
    (("config firewall policy", "edit 9"), "set action maybe", "parse error"),
    (("config firewall policy", "edit 9"), 'set name "(x)"', "XSS"),
    (("config firewall policy", "edit 9"), "set colour 3", "parse error"),
    (("config firewall policy", "edit 9", 'set name "x"'), "next", "MUST be set"),
    (("config firewall service custom", 'edit "x"'), "next", "cannot all be empty"),
    (("config firewall service custom", 'edit "x"'), "set tcp-portrange 100-10", "-650"),
    (("config router static", "edit 9"), "next", "MUST be set"),
    (("config system admin", 'edit "x"'), 'set ssh-public-key1 "nonsense"', "SSH public key"),
    (("config router ospf",), 'unselect passive-interface "wan1"', "not found"),
]


@pytest.mark.parametrize("line", REFUSED)
def test_an_unknown_command_is_noticed(brought: Drive, line: str) -> None:
    with pytest.raises(Rejected, match=REFUSED[line]):
        brought.session().ask(line)


def test_every_line_that_the_device_refuses_is_noticed(brought: Drive) -> None:
    before = box_of(brought).configuration()
    for way, line, why in SECTIONS:
        session = brought.session()
        for step in way:
            session.ask(step)
        said = session.shell.line(line)
        assert why in said, (line, said)
        with pytest.raises(Rejected):
            session._looked(line, said)
        session.close()
    assert box_of(brought).configuration() == before

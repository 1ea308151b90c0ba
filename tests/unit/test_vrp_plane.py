"""Huawei VRP: keys, AAA, relays, translation, subinterfaces, health; and both editions over real SSH."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong.inventory import load
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import AaaServer, Wanted
from lienthong.model.words import Role, Target
from lienthong.plan.wanted import wanted
from lienthong.platforms import Lines, platform
from lienthong.platforms.undo import Rejected
from lienthong.render import render
from lienthong.runners import netmiko
from lienthong.sim.fleet import Fleet, fleet
from lienthong.sim.vendors import huawei_vrp
from lienthong.sim.vendors.huawei_vrp.box import VrpBox
from lienthong.sim.vendors.huawei_vrp.forms import VRP5
from lienthong.target import Access
from lienthong.transport.veil import Veil
from tests.boxes import KEY, ROOT, Drive, Store, new_box, node_of, province
from tests.unit.test_vrp import AR651, CE6881, CE_GATEWAY, RSA, S5735, Kind, drive

both = pytest.mark.parametrize("kind", [S5735, CE6881], ids=lambda k: k.model)


def rendered(device: Drive, told: Wanted) -> Lines:
    lines = render(told, device.kind, device.dialect, ROOT / "templates")
    device.veil = Veil(Store(), [*device.intended, *lines])
    return lines


@both
def test_an_rsa_key_is_the_plan_s_and_another_takes_its_place(kind: Kind) -> None:
    device = drive(kind)
    device.bring(rendered(device, wanted(province(), device.node, "netadm", RSA)))
    assert device.box.keys_of("netadm") == [" ".join(RSA.split()[:2])]
    other = RSA.replace("AAADAQABAAABAQC2", "AAADAQABAAABAQC3")
    lines = rendered(device, wanted(province(), device.node, "netadm", other))
    diff = device.bring(lines)
    assert {line[0] for line in (*diff.added, *diff.removed)} == {"rsa peer-public-key lienthong-netadm"}
    assert device.box.keys_of("netadm") == [" ".join(other.split()[:2])]


def test_a_key_of_a_kind_that_the_device_does_not_know_is_refused_and_never_sent() -> None:
    device = drive(S5735)
    session = device.session()
    with pytest.raises(Rejected, match="public key is invalid"):
        session.configure(("rsa peer-public-key x", "public-key-code begin", KEY, "public-key-code end"))
    assert not [line for line in device.intended if "peer-public-key" in line[0] or "assign" in line[0]]


@pytest.mark.parametrize("kind", [S5735, AR651, CE6881, CE_GATEWAY], ids=lambda k: f"{k.model}-{k.role}")
@pytest.mark.parametrize("protocol", ["tacacs", "radius"])
def test_servers_are_asked_first_and_the_device_s_own_accounts_after(kind: Kind, protocol: str) -> None:
    device = drive(kind)
    told = wanted(province(), device.node, "netadm", KEY)
    servers = tuple(
        AaaServer(IPv4Address(f"10.0.1.{number}"), protocol, SecretRef("aaa/wan")) for number in (20, 21)
    )
    lines = rendered(device, replace(told, plane=replace(told.plane, aaa=servers)))
    device.bring(lines)
    assert not device.diff(lines)
    name = "hwtacacs" if protocol == "tacacs" else "radius"
    assert f"  authentication-mode {name} local\n" in device.box.configuration()
    device.bring(device.intended)
    assert f"{name}-server" not in device.box.configuration()
    assert f"{name} server" not in device.box.configuration()


@pytest.mark.parametrize("kind", [AR651, CE_GATEWAY], ids=lambda k: k.model)
def test_a_gateway_that_leased_can_relay_instead(kind: Kind) -> None:
    device = drive(kind)
    device.bring()
    told = wanted(province(), device.node, "netadm", KEY)
    leases = tuple(replace(one, servers=(IPv4Address("10.0.1.10"),)) for one in told.leases)
    lines = rendered(device, replace(told, leases=leases))
    device.bring(lines)
    left = device.box.configuration()
    assert " dhcp select relay\n" in left
    assert "ip pool" not in left
    assert "select global" not in left
    device.bring(device.intended)
    assert not device.diff()


def test_an_internet_gateway_translates_and_lets_replies_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.boxes.CONTROLLER", IPv4Address("10.128.4.10"))
    device = drive(AR651)
    node = province().nodes["loc-ninh-gw-net"]
    assert node.device is not None
    device.node = replace(node, device=replace(node.device, platform="huawei-vrp", model="AR651"))
    device.box = new_box(huawei_vrp.VENDOR, device.node)
    device.intended = rendered(device, wanted(province(), device.node, "netadm", KEY))
    device.bring()
    assert not device.diff()
    left = device.box.configuration()
    assert " nat outbound 2991\n" in left
    assert "permit tcp source-port eq www tcp-flag established" in left
    assert "ip route-static 0.0.0.0 0.0.0.0 203.0.113.21 preference 1 tag 227\n" in left


def test_a_router_whose_sockets_all_route_cuts_its_trunk_into_subinterfaces() -> None:
    device = drive(replace(AR651, model="AR6140"))
    managed = device.box.managed_by
    sockets = [f"GigabitEthernet0/0/{number}" for number in range(9)]
    text = huawei_vrp.day0(device.node.name, managed, [KEY], trunk=sockets[0])
    device.box = VrpBox(device.node.name, managed, VRP5, text, (), sockets, "AR6140")
    device.box.power_on()
    device.bring()
    assert not device.diff()
    left = device.box.configuration()
    assert "interface GigabitEthernet0/0/0.20\n" in left
    assert "vlan batch" not in left
    less = tuple(line for line in device.intended if "0.35" not in " ".join(line) and "vlan35" not in line[0])
    device.bring(less)
    assert "GigabitEthernet0/0/0.35" not in device.box.configuration()


def test_what_is_well_is_told_by_interface() -> None:
    device = drive(AR651)
    device.bring()
    health = device.dialect.health
    assert health is not None
    session = device.session()
    both_lines = {
        "GigabitEthernet0/0/8 ospf 172.16.0.40 full",
        "GigabitEthernet0/0/9 ospf 172.16.0.42 full",
    }
    assert health(session.show) == both_lines
    session.configure(("interface GigabitEthernet0/0/9", "shutdown"))
    assert health(session.show) == {"GigabitEthernet0/0/8 ospf 172.16.0.40 full"}
    assert drive(S5735).dialect.health is not None


NODES = {
    "loc-ninh-gw-wan": ("huawei-vrp", "AR651"),
    "loc-ninh-sw-wan": ("huawei-vrp", "S5735-L24T4S"),
    "tinh-uy-sw-wan": ("huawei-vrp8", "CE6881-48S6CQ"),
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Fleet]:
    found = fleet(tmp_path, "vrp", load(ROOT / "inventory"), NODES)
    found.start()
    found.write()
    yield found
    found.stop()


def test_over_ssh_the_second_run_sends_nothing(lab: Fleet) -> None:
    home = lab.folder
    access = Access(
        Target.LAB, ROOT, "lienthong", "netadm", home / "id_ed25519", home / "known_hosts",
        {name: IPv4Address("127.0.0.1") for name in NODES}, home / "secrets",
        ports={name: one.port for name, one in lab.served.items()}, simulated=True,
    )  # fmt: skip
    nodes = [lab.plan.nodes[name] for name in NODES]
    said: list[str] = []
    for outcome in ("changed", "unchanged"):
        results = netmiko.run(access, Store(), lab.plan, nodes, check=False, progress=said.append)
        assert {result.outcome for result in results} == {outcome}, results
    for one in lab.served.values():
        assert one.box.configuration() == one.box.saved()


def test_models_say_what_they_can() -> None:
    five, eight = platform("huawei-vrp"), platform("huawei-vrp8")
    assert "ospf" not in five.able("S5735-L24T4S")
    assert "nat" in five.able("AR651")
    assert "switching" not in five.able("AR651")
    assert {"ospf", "switching"} <= eight.able("CE6881-48S6CQ")
    assert node_of(five, Role.GATEWAY, "AR651").device is not None

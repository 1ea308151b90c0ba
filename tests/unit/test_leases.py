"""Leases: what the inventory reserves, what Kea has given, and who is told of as a stranger."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong.hosts.leases import held, known, reservations
from lienthong.inventory import load
from lienthong.model.asset import Client
from lienthong.model.intent import SitePlan
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]
HEAD = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
)
PC, PRINTER = "52:54:00:12:34:56", "52:54:00:12:34:57"


def line(address: str, mac: str, until: int = 2000, lasting: int = 600, state: int = 0) -> str:
    return f"{address},{mac},01:{mac},{lasting},{until},100,0,0,whatever&#x2c it says,{state},\n"


@pytest.fixture(scope="module")
def site() -> SitePlan:
    return build(load(ROOT / "inventory")).sites["loc-ninh"]


def with_clients(site: SitePlan) -> SitePlan:
    clients = {
        "pc-01": Client(segment="net-users", mac=PC, id=201),
        "printer-1": Client(segment="net-users", mac=PRINTER),
        "pc-02": Client(segment="users", mac="52:54:00:12:34:58", id=201),
    }
    return replace(site, site=site.site.model_copy(update={"clients": clients}))


def test_a_client_with_a_number_always_gets_its_address(site: SitePlan) -> None:
    found = with_clients(site)
    segment = found.segments["net-users"]
    address = str(segment.prefix.network_address + 201)
    assert reservations(found.site, segment) == [
        {"hw-address": PC, "ip-address": address, "hostname": "pc-01"}
    ]


def test_reserved_addresses_are_never_leased_to_others(site: SitePlan) -> None:
    segment = site.segments["net-users"]
    first, last = segment.dhcp_range
    for number in (200, 249):
        address = segment.prefix[number]
        assert not first <= address <= last
        assert address not in {segment.gateway, segment.probe}


def test_every_thing_with_an_ethernet_address_is_known(site: SitePlan) -> None:
    assert known(with_clients(site).site) == (PC, PRINTER, "52:54:00:12:34:58")


def test_the_last_word_on_an_address_counts() -> None:
    old = HEAD + line("10.0.0.100", PC) + line("10.0.0.101", PRINTER)
    new = HEAD + line("10.0.0.100", PC, lasting=0) + line("10.0.0.101", PC, until=3000)
    (lease,) = held([old, new], now_s=1000)
    assert (lease.address, lease.mac, lease.vlan) == (IPv4Address("10.0.0.101"), PC, 100)
    assert len(held([old], now_s=1000)) == 2


@pytest.mark.parametrize(
    "text",
    [
        line("10.0.0.100", PC, until=900),  # over
        line("10.0.0.100", PC, state=1),  # declined: somebody else has the address
        line("10.0.0.100", PC, state=2),  # reclaimed
        "10.0.0.100,52:54:00",  # being written
        line("10.0.0.100", "$(reboot)"),
        line("not an address", PC),
        "\x00\xff,,,,,\n",
    ],
)
def test_what_is_no_lease_now_is_left_out(text: str) -> None:
    assert held([HEAD + text], now_s=1000) == ()


def test_a_stranger_is_told_of_once(tmp_path: Path) -> None:
    """By its Ethernet address, and with nothing that it says of itself."""
    source = (ROOT / "templates/hosts/dhcp/unknown-devices.py").read_text(encoding="utf-8")
    for path, name in (
        ("/etc/lienthong/known-macs", "known"),
        ("/run/lienthong-unknown-devices", "told"),
        ("/var/lib/kea/kea-leases4.csv", "leases"),
    ):
        source = source.replace(path, str(tmp_path / name))
    source = source.replace("time.sleep(1)", "").replace("syslog.syslog(syslog.LOG_WARNING, ", "print(")
    (tmp_path / "known").write_text(f"{PC}\n")
    hostile = line("10.0.0.102", "52:54:00:00:00:99").replace("whatever", "\x1b[2Jwhatever")
    (tmp_path / "leases").write_text(HEAD + line("10.0.0.100", PC) + hostile + "10.0.0.103,52:54")
    (tmp_path / "script.py").write_text(source)

    def run() -> str:
        argv = [sys.executable, "-I", str(tmp_path / "script.py")]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    assert run() == "unknown device 52:54:00:00:00:99 has 10.0.0.102 in VLAN 100\n"
    assert run() == ""

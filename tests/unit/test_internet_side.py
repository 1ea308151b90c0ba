"""What is seen of a site on the Internet, which names it finds, whose time it believes: the pure parts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong.audit import exposure
from lienthong.facts import nft, parse
from lienthong.hosts.deploying import CERTIFICATE, KEY, render
from lienthong.hosts.webserver import WAF, Public
from lienthong.inventory import load
from lienthong.model.intent import ProvincePlan
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.services import Ends, ServiceContext, dns, portal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plan() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


def test_only_what_nobody_declared_is_named(plan: ProvincePlan) -> None:
    office, district = plan.sites["tinh-uy"], plan.sites["loc-ninh"]
    assert exposure.declared(office) == {("tcp", 443)}
    assert exposure.declared(district) == frozenset()
    doors = [("tcp", 22), ("tcp", 443), ("udp", 53)]
    assert exposure.undeclared(office, doors, ["open", "open", "open"]) == [("tcp", 22), ("udp", 53)]
    assert exposure.undeclared(office, doors, ["refused", "open", "silent"]) == []
    assert exposure.undeclared(district, doors, ["silent", "open", "garbled"]) == [
        ("tcp", 443),
        ("udp", 53),
    ]


def test_every_public_address_and_every_declared_port_is_tried(plan: ProvincePlan) -> None:
    office = plan.sites["tinh-uy"]
    assert exposure.public(office) == (IPv4Address("203.0.113.2"),)
    tries = exposure.tries(office)
    assert {("tcp", 22), ("tcp", 443), ("tcp", 9100), ("udp", 53)} <= set(tries)
    flow = next(flow for flow in office.flows if flow.src.label == "internet")
    odd = replace(office, flows=(*office.flows, replace(flow, ports=((61000, 61001),))))
    assert set(exposure.tries(odd)) - set(tries) == {("tcp", 61000), ("tcp", 61001)}


def test_a_question_by_udp_is_one_that_the_service_answers() -> None:
    asked = exposure.targets(IPv4Address("192.0.2.1"), [("tcp", 22), ("udp", 161)])
    assert asked[0] == ["tcp", "192.0.2.1", 22]
    assert b"public" in bytes.fromhex(str(asked[1][3]))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", False),
        ("ECDHE-RSA-CHACHA20-POLY1305", False),
        ("AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-AES128-SHA256", True),
        ("DHE-RSA-AES128-GCM-SHA256", True),
        ("NULL-MD5", True),
    ],
)
def test_suites_without_secrecy_for_good_are_weak(name: str, bad: bool) -> None:
    assert exposure.weak([name]) == ([name] if bad else [])


def context(params: portal.Params) -> ServiceContext:
    return ServiceContext("tinh-uy", "tinh-uy-portal", Side.NET, IPv4Address("10.128.6.10"), params)


def test_port_80_is_open_only_to_send_on() -> None:
    def opened(params: portal.Params) -> list[int]:
        flows = portal.contribute(context(params)).flows
        return [low for flow in flows if flow.src == Ends(outside="internet") for low, _ in flow.ports]

    assert opened(portal.Params()) == [443]
    assert opened(portal.Params(redirect=True)) == [443, 80]


@pytest.mark.parametrize("redirect", [False, True])
def test_the_web_server_listens_where_it_is_declared(plan: ProvincePlan, redirect: bool) -> None:
    me = plan.nodes["tinh-uy-portal"]
    text = render(
        "portal/nginx.conf.j2",
        me=me,
        names=(me.fqdn, *me.names),
        certificate=CERTIFICATE,
        key=KEY,
        public=Public(20, redirect=redirect),
        waf=WAF,
    )
    assert (f"listen {me.address}:80" in text) is redirect
    assert "return 301 https://$" not in text, "sends browsers wherever the asker says"
    assert f"modsecurity_rules_file {WAF};" in text


def test_an_inner_web_server_has_no_application_firewall(plan: ProvincePlan) -> None:
    me = plan.nodes["loc-ninh-srv"]
    text = render(
        "portal/nginx.conf.j2", me=me, names=(me.fqdn,), certificate="c", key="k", public=None, waf=WAF
    )
    assert "modsecurity" not in text
    assert "limit_req" not in text


def test_resolvers_by_https_are_hidden_on_the_internet_side_only() -> None:
    params = dns.Params(blocked=("bad.example.net",))
    assert set(dns.filtered(params, Side.NET)) == {"bad.example.net", *dns.DOH}
    assert dns.filtered(params, Side.WAN) == ("bad.example.net",)
    assert dns.filtered(dns.Params(doh=True), Side.NET) == ()


def made(tmp_path: Path, text: bytes) -> str:
    """The zone that the script makes of an officers' list."""
    listed, zone, script = tmp_path / "list", tmp_path / "zone", tmp_path / "script.py"
    listed.write_bytes(text)
    source = (ROOT / "templates/hosts/dns/blocked-names.py").read_text(encoding="utf-8")
    source = source.replace("/etc/lienthong/blocked-names", str(listed))
    source = source.replace("/etc/unbound/rpz/officer.zone", str(zone))
    script.write_text(source, encoding="utf-8")
    subprocess.run([sys.executable, "-I", str(script)], check=True)
    return zone.read_text(encoding="ascii")


def test_an_officers_list_becomes_a_zone(tmp_path: Path) -> None:
    zone = made(tmp_path, "# why\nBad.Example.COM.\n\n xấu.example.vn # and why\n".encode())
    assert zone.count(" CNAME .") == 4
    assert "\nbad.example.com CNAME .\n*.bad.example.com CNAME .\n" in zone
    assert "\nxn--" in zone


@pytest.mark.parametrize(
    "line",
    [
        b"com",
        b"$INCLUDE /etc/shadow",
        b"a.example.com A 10.0.0.1",
        b"a.example.com\tCNAME evil.example.",
        b'"a.example.com"',
        b"a..example.com",
        b"-a.example.com;",
        b"\xff\xfe.example.com",
        b"a" * 64 + b".example.com",
        b"10.0.0.1",
    ],
)
def test_a_line_that_is_no_name_changes_nothing(tmp_path: Path, line: bytes) -> None:
    """Neither does it take the good lines beside it along."""
    zone = made(tmp_path, line + b"\ngood.example.com\n")
    assert zone.splitlines()[4:] == ["good.example.com CNAME .", "*.good.example.com CNAME ."]


def test_a_missing_list_is_an_empty_one(tmp_path: Path) -> None:
    assert "CNAME" not in made(tmp_path, b"")


def test_how_time_servers_are_believed_is_read() -> None:
    text = "10.0.1.10,NTS,1,15,256,33,0,0,8,100\n10.0.1.11,-,0,0,0,4294967295,0,0,0,0\n"
    nts, plain = parse.time_proofs(text)
    assert (nts.address, nts.mode, nts.cookies) == ("10.0.1.10", "NTS", 8)
    assert (plain.mode, plain.cookies) == ("-", 0)
    assert parse.time_proofs("") == ()


def test_a_set_that_others_fill_is_no_address_but_strange() -> None:
    left = {"payload": {"protocol": "ip", "field": "saddr"}}
    match = {"match": {"op": "==", "left": left, "right": "@banned"}}
    raw = {"family": "inet", "table": "t", "chain": "input", "expr": [match, {"drop": None}]}
    (rule,) = nft.rules([{"rule": raw}])
    assert rule.verdict == "drop"
    assert rule.strange == ("@banned",)

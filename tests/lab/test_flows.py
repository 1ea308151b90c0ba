"""Flow records in a lab of its own: both sides, every gateway; kept apart, and gone when not wanted.

The lab's base has neither pmacct nor nfdump: gateways and collectors get them in layers, since the inventory
of this test declares `flows` at the office. What takes minutes is in long_flows.py (`make soak`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lab.conftest import ROOT
from tests.lab.second import Second, second

LAB, SITES = "test-flows", ("tinh-uy", "loc-ninh")
WAN, NET = "tinh-uy-svc-wan", "tinh-uy-svc-net"
GATEWAYS = ("loc-ninh-gw-wan", "loc-ninh-gw-net", "tinh-uy-gw-wan", "tinh-uy-gw-net")
DECLARED = """
hosts:
  svc-wan: {runs: {flows: {retention_days: 30}}}
  svc-net: {runs: {flows: {}}}
"""
SHOWN = 3000
#: Every trace of the service but what it kept.
LOOK = """
exec 2>/dev/null
ls -d /etc/lienthong/flows /usr/local/sbin/lienthong-flows* /run/lienthong-flows* \
  /etc/systemd/system/lienthong-flows* /var/lib/lienthong/lienthong-flows /var/lib/lienthong/owned/flows
getent passwd lienthong-flows; getent group lienthong-flows
pgrep -a 'pmacctd|nfcapd'; ss -Hlun 'sport = 4739'
systemctl list-units --all --plain --no-legend | grep lienthong-flows
nft list ruleset | grep 'comment "flows[.]'
grep -rl 'flows[.]' /etc/unbound
true
"""


class Lab:
    """The lab, and the checkout that knows of `flows`."""

    def __init__(self, checkout: Second) -> None:
        self.checkout = checkout
        self.office = checkout.site("tinh-uy")
        self.plain = self.office.read_text(encoding="utf-8")

    def declare(self, flows: bool) -> None:
        self.office.write_text(self.plain + (DECLARED if flows else ""), encoding="utf-8")

    def good(self, *words: str, timeout_s: float = 900) -> str:
        done = self.checkout.run(*words, timeout_s=timeout_s)
        assert done.returncode == 0, done.stdout[-SHOWN:] + done.stderr[-SHOWN:]
        return done.stdout

    def on(self, node: str, script: str) -> str:
        return self.good("lab", "exec", node, "--", "sh", "-c", script)

    def checks(self, *hosts: str) -> subprocess.CompletedProcess[str]:
        """DEV-20 of these nodes, as plain pytest runs it."""
        words = ["-m", "pytest", "checks", "-q", "-rA", "--control=DEV-20", "-p", "no:cacheprovider"]
        words += [f"--site={','.join(SITES)}", *([f"--hosts={','.join(hosts)}"] if hosts else [])]
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, "LIENTHONG_LAB": LAB, "LIENTHONG_ROOT": str(self.checkout.root)},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def passes(self, *hosts: str) -> str:
        done = self.checks(*hosts)
        assert done.returncode == 0, done.stdout[-SHOWN:] + done.stderr[-SHOWN:]
        return done.stdout


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with second(ROOT, LAB, tmp_path_factory.mktemp("flows")) as checkout:
        found = Lab(checkout)
        found.declare(True)
        checkout.run("lab", "down")
        try:
            found.good("lab", "up", *SITES, timeout_s=1800)
            found.good("apply", *SITES)
            yield found
        finally:
            checkout.run("lab", "down")


def test_a_flow_through_every_gateway_is_in_the_store_of_its_side(lab: Lab) -> None:
    told = lab.passes()
    for node in (*GATEWAYS, WAN, NET):
        assert f"[{node}]" in told, told[-SHOWN:]
    assert " 0 changes" in lab.good("apply", *SITES)


def test_each_side_keeps_its_own(lab: Lab) -> None:
    """Addresses of the sides differ in their second byte (10.128.0.0/9), so that one word tells."""
    seen = "nfdump -q -R /srv/flows/new -o fmt:%ra 2>/dev/null | grep '[0-9]' | sort -u"
    sides = {collector: lab.on(collector, seen).split() for collector in (WAN, NET)}
    assert len(sides[WAN]) == len(sides[NET]) == 2, sides
    assert not [address for address in sides[WAN] if int(address.split(".")[1]) >= 128], sides
    assert not [address for address in sides[NET] if int(address.split(".")[1]) < 128], sides


def test_nothing_is_left_but_what_was_kept(lab: Lab) -> None:
    there = (*GATEWAYS, WAN, NET)
    assert all(lab.on(node, LOOK).strip() for node in there), "it sees no service at all"
    lab.declare(False)
    lab.good("apply", *SITES)
    assert {node: lab.on(node, LOOK) for node in there} == dict.fromkeys(there, "")
    for node in (WAN, NET):
        assert lab.on(node, "stat -c '%a %U:%G' /srv/flows").split() == ["700", "root:root"]
    assert " 0 changes" in lab.good("apply", *SITES)

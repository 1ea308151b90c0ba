"""What is taken out of the inventory is taken away everywhere by the next apply; nothing of it is left."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab.conftest import NAME, ROOT, SITES, District
from tests.lab.second import Second, second

#: Everything by which a node can believe in another. Not looked at: what only tells of the past (logs, borg's
#: reports, `frr.conf.sav`, the log inside of Open vSwitch's database file).
HOLDS = (
    "nft list ruleset; ip route; ip neigh show nud permanent;"
    "for f in /etc/wireguard/*; do cat $f; done; wg show 2>&1;"
    "if test -e /etc/frr/frr.conf; then vtysh -c 'show running-config'; cat /etc/frr/frr.conf; fi;"
    "if pgrep -x ovs-vswitchd >/dev/null; then ovs-vsctl list-ports br-a; ovs-vsctl list-ports br-b;"
    " ovs-vsctl -f json --columns=name,tag,trunks list Port; fi;"
    "cat /etc/hosts /etc/nftables.d/* /etc/rsyslog.d/* /etc/unbound/unbound.conf.d/* /etc/kea/kea-dhcp4.conf"
    " /etc/prometheus/*.yml /etc/kamailio/* /etc/lienthong/backup/job.json /etc/lienthong/backup/known_hosts"
    " /var/lib/lienthong/fetch/.ssh/authorized_keys /etc/chrony/conf.d/*; true"
)
ENDPOINT = r"loc-ninh-vc|\bvc\.loc-ninh|\b10\.0\.42\.20\b"
SITE = (
    r"loc-ninh|\b10\.0\.4[0-7]\.|\b10\.128\.4[0-7]\.|\b172\.16\.0\.4[0-3]\b|\b203\.0\.113\.22\b|\bt[ab]5\b"
    r"|\b1005\b"
)


@pytest.fixture
def other(district: District, tmp_path: Path) -> Iterator[Second]:
    """An inventory of the test's own; in the end the nodes are what the first one says again."""
    with second(ROOT, NAME, tmp_path) as found:
        try:
            yield found
        finally:
            again = district.run("apply", *SITES)
            assert again.returncode == 0, again.stdout + again.stderr[-2000:]
            # Refused for a minute, baresip asks again later and later, at last every half hour; who plugs a
            # retired endpoint in again switches it on.
            district.on("loc-ninh-vc", "systemctl", "restart", "baresip")


def nodes(district: District, *sites: str) -> list[str]:
    done = district.run("lab", "status", "--json")
    return [name for name in re.findall(r'"node": "([a-z0-9-]+)"', done.stdout) if name.startswith(sites)]


def traces(district: District, names: list[str], pattern: str) -> dict[str, list[str]]:
    """Lines of what each node holds that speak of the retired one."""

    def of(node: str) -> list[str]:
        told = district.on(node, "sh", "-c", HOLDS)
        return [line.strip() for line in told.splitlines() if re.search(pattern, line)]

    with ThreadPoolExecutor(4) as pool:
        return {name: found for name, found in zip(names, pool.map(of, names), strict=True) if found}


def good(done: object) -> str:
    assert getattr(done, "returncode", None) == 0, f"{done}"
    return str(getattr(done, "stdout", ""))


def test_a_retired_endpoint_and_a_retired_site_leave_no_trace(district: District, other: Second) -> None:
    there = [name for name in nodes(district, *SITES) if name != "loc-ninh-vc"]
    office = [name for name in there if name.startswith("tinh-uy")]
    before = traces(district, there, ENDPOINT)
    assert {"tinh-uy-svc-wan", "tinh-uy-gw-wan", "loc-ninh-gw-wan"} <= set(before), before
    assert "1005" in district.on("tinh-uy-reg", "cat", "/etc/kamailio/accounts.cfg")

    good(other.run("retire", "loc-ninh-vc"))
    told = good(other.run("apply", "loc-ninh", "tinh-uy", "--side", "wan"))
    for line in ("- port br-lan e3 access 30", "+ interface e3 / shutdown", "accounts.cfg", "prometheus.yml"):
        assert line in told, told
    assert traces(district, there, ENDPOINT) == {}
    assert "1005" not in district.on("tinh-uy-reg", "cat", "/etc/kamailio/accounts.cfg")
    assert "DOWN" in district.on("loc-ninh-sw-wan", "ip", "-br", "link", "show", "e3")

    good(other.run("retire", "loc-ninh"))
    plan = other.run("plan", "tinh-uy")
    assert plan.returncode == 1, plan.stderr
    for line in (
        "- port br-a ta5 access 1005 internal",
        "- interface ta5 / description loc-ninh",
        "wg-net.conf",
    ):
        assert line in plan.stdout, plan.stdout
    good(other.run("apply", "tinh-uy"))
    assert traces(district, office, SITE) == {}
    assert " 0 changes" in good(other.run("apply", "tinh-uy"))


def test_after_it_the_district_is_what_it_was(district: District) -> None:
    """The fixture above has applied the first inventory; the port of the endpoint is open again."""
    assert "UP" in district.on("loc-ninh-sw-wan", "ip", "-br", "link", "show", "e3")
    assert (
        "shutdown"
        not in district.on("loc-ninh-sw-wan", "vtysh", "-c", "show running-config").split("interface e24")[0]
    )
    assert "interface ta5" in district.on("tinh-uy-gw-wan", "vtysh", "-c", "show running-config")
    # It was away for minutes, and refused for some: a timer looks every 30 s for a minute of silence.
    for _ in range(110):
        if "1005" in (known := district.on("tinh-uy-reg", "kamcmd", "ul.dump", "brief")):
            break
        time.sleep(1)
    assert "1005" in known, known

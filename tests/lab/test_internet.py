"""The Internet side: who attacks is refused and at last banned; names are filtered; strangers are found.

Each fault is put in by hand and must be found by its own check, as in test_services.py.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lienthong.lab.namespace import run_in
from lienthong.lab.place import Place
from lienthong.lab.state import State, read
from lienthong.services.logs import STORE
from tests.lab.conftest import ROOT, SITES, District

PORTAL, COLLECTOR, RESOLVER = "tinh-uy-portal", "tinh-uy-svc-net", "loc-ninh-gw-net"
CONTROLS = "NET-08,NET-09,APP-04,DEV-11,INV-02"
CHECKS = ("portal", "exposure", "dns", "ntp", "dhcp")
ATTACK = "/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20"
STRANGER = "52:54:00:5a:5a:01"
CONF = "/etc/unbound/unbound.conf.d/lienthong.conf"

#: By node: what is put wrong, how it is mended, and the checks that must find it, each with its place.
FAULTS: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    PORTAL: (
        "sed -i.kept 's/SecRuleEngine On/SecRuleEngine DetectionOnly/' /etc/nginx/lienthong-waf.conf && "
        "sed -i.kept 's/ssl_ciphers /ssl_ciphers ECDHE-ECDSA-AES128-SHA:/' /etc/nginx/nginx.conf && "
        "systemctl restart nginx && systemctl stop fail2ban",
        "cd /etc/nginx && for f in lienthong-waf.conf nginx.conf; do mv $f.kept $f; done && "
        "systemctl restart nginx && systemctl start fail2ban",
        (
            ("test_attacks_are_refused_and_logged", PORTAL),
            ("test_who_goes_on_is_banned", PORTAL),
            ("test_what_answers_encrypts_well", "tinh-uy"),
        ),
    ),
    "tinh-uy-gw-net": (
        "nft insert rule inet lienthong input iifname inet0 tcp dport 22 accept",
        "nft -f /etc/nftables.conf",
        (("test_nothing_undeclared_answers", "tinh-uy"),),
    ),
    RESOLVER: (
        f"sed -i.kept 's/respip //; /^rpz:/,/^$/d' {CONF} && systemctl restart unbound",
        f"mv {CONF}.kept {CONF} && systemctl restart unbound",
        (
            ("test_blocked_names_are_refused", "loc-ninh"),
            ("test_names_of_other_resolvers_are_refused", "loc-ninh"),
        ),
    ),
    "loc-ninh-srv": (
        "sed -i.kept 's/ nts$//' /etc/chrony/chrony.conf && systemctl restart chrony",
        "mv /etc/chrony/chrony.conf.kept /etc/chrony/chrony.conf && systemctl restart chrony",
        (("test_time_is_authenticated", "loc-ninh-srv"),),
    ),
    # Believes anybody but the CA of its side, so that it gets no keys.
    "loc-ninh-vc": (
        "cd /etc/chrony/conf.d && systemctl stop chrony && rm -f /var/lib/chrony/*.nts && "
        "mv ca.crt ca.kept && cp /etc/ssl/certs/ISRG_Root_X1.pem ca.crt && systemctl start chrony && sleep 2",
        "cd /etc/chrony/conf.d && mv ca.kept ca.crt && systemctl restart chrony",
        (("test_time_is_authenticated", "loc-ninh-vc"),),
    ),
}


def lab(district: District) -> tuple[Place, State]:
    place = Place(ROOT, district.environment["LIENTHONG_LAB"])
    state = read(place)
    assert state is not None
    return place, state


def probe(district: District, name: str, *argv: str) -> tuple[int, str]:
    """A command at a probe: its exit code and output."""
    place, state = lab(district)
    done = run_in(state.probes[name]["netns"], argv, place)
    return done.returncode, done.stdout


def failing(district: District, folder: Path) -> set[tuple[str, str]]:
    """Checks that fail now, each with its node or site."""
    report = folder / "findings.json"
    files = [f"checks/test_{name}.py" for name in CHECKS]
    words = (f"--site={','.join(SITES)}", f"--control={CONTROLS}", f"--findings={report}", "-q")
    done = district.tool("pytest", *files, *words)
    told = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    findings = [line["finding"] for line in told if "finding" in line]
    assert findings, done.stdout
    broken = [f"{f['check']} {f['node']}: {f['detail']}" for f in findings if f["status"] == "error"]
    assert not broken, broken
    return {(f["check"].split("::")[-1], f["node"] or f["site"]) for f in findings if f["status"] == "fail"}


@contextmanager
def stranger(district: District) -> Iterator[None]:
    """A device that the inventory does not know holds a lease among the users, for as long as it lasts."""
    where = "probe-loc-ninh-net-users"
    own = json.loads(probe(district, where, "ip", "-j", "link", "show", "eth0")[1])[0]["address"]

    def be(address: str) -> None:
        for words in (("down",), ("address", address), ("up",)):
            assert probe(district, where, "ip", "link", "set", "eth0", *words)[0] == 0

    routes = probe(district, where, "ip", "-4", "route", "show", "default")[1].split()
    be(STRANGER)
    try:
        words = ("-f", "-q", "-n", "-i", "eth0", "-t", "5", "-T", "1", "-s", "/bin/true")
        offered = probe(district, where, "udhcpc", *words)[0]
        be(own)
        probe(district, where, "ip", "route", "replace", *routes)
        assert offered == 0, "nobody offered it an address"
        yield
    finally:
        # It cannot give the lease back: udhcpc sends that from the address itself, which it never had.
        district.on(
            RESOLVER,
            "sh",
            "-c",
            f"systemctl stop kea-dhcp4-server && sed -i '/{STRANGER}/d' /var/lib/kea/kea-leases4.csv* && "
            "rm -f /run/lienthong-unknown-devices && systemctl start kea-dhcp4-server",
        )


def test_each_fault_is_found_by_its_own_check(district: District, tmp_path: Path) -> None:
    mend = []
    try:
        for node, (broken, mended, _) in FAULTS.items():
            mend.append((node, mended))
            district.on(node, "sh", "-c", broken)
        with stranger(district):
            wanted = {found for _, _, several in FAULTS.values() for found in several}
            assert failing(district, tmp_path) == wanted | {
                ("test_every_lease_is_of_a_known_device", RESOLVER)
            }
            told = district.on(RESOLVER, "journalctl", "-t", "lienthong-unknown-devices", "-o", "cat")
            assert f"unknown device {STRANGER} has 10." in told
    finally:
        for node, mended in mend:
            district.on(node, "sh", "-c", mended)


def test_nothing_fails_once_all_is_mended(district: District, tmp_path: Path) -> None:
    assert failing(district, tmp_path) == set()


def status(district: District, path: str) -> str:
    """What the portal answers somebody on the Internet; `000` when it does not."""
    words = ("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "3")
    return probe(district, "probe-internet", *words, f"https://203.0.113.2{path}")[1].strip()


def test_who_attacks_again_and_again_is_banned_for_a_while(district: District) -> None:
    """Bans change no rule: the live filter stays equal to its files, and a plan sees nothing to do."""
    try:
        assert status(district, "/") == "200"
        seen = [status(district, ATTACK) for _ in range(22)]
        assert set(seen) <= {"403", "000"}
        until = time.monotonic() + 15
        while (now := status(district, "/")) != "000" and time.monotonic() < until:
            time.sleep(0.5)
        assert now == "000", f"still answered with {now} after {len(seen)} attacks"
        again = district.run("plan", "tinh-uy")
        assert again.returncode == 0, again.stdout
        assert status(district, "/") == "000"
        until = time.monotonic() + 15
        while not (told := district.on(COLLECTOR, STORE, "show", "--newest", "2", "--text", "[portal] Ban ")):
            assert time.monotonic() < until, "the collector has not heard of the ban"
            time.sleep(0.5)
        assert "fail2ban" in told
    finally:
        district.on(PORTAL, "fail2ban-client", "unban", "--all")
    assert status(district, "/") == "200"


@pytest.mark.parametrize("name", ["www.example.org"])
def test_an_officers_list_is_in_force_within_seconds(district: District, name: str) -> None:
    """A line that is no name does not stop the resolver; what was listed is found again without it."""

    def found() -> str:
        ask = f"from lienthong.probe import dns; print(*dns({resolver!r}, {name!r})['answers'])"
        return probe(district, "probe-loc-ninh-net-users", sys.executable, "-c", ask)[1].strip()

    def becomes(answer: str) -> None:
        until = time.monotonic() + 15
        while (now := found()) != answer and time.monotonic() < until:
            time.sleep(0.5)
        assert now == answer

    place = "/etc/lienthong/blocked-names"
    route = probe(district, "probe-loc-ninh-net-users", "ip", "-4", "route", "show", "default")[1].split()
    resolver = route[route.index("via") + 1]
    before = found()
    assert before
    district.on(RESOLVER, "cp", "-p", place, "/root/kept")
    try:
        district.on(RESOLVER, "sh", "-c", f"printf '%s\\n' '$INCLUDE /etc/shadow' {name} >> {place}")
        becomes("")
        assert district.on(RESOLVER, "systemctl", "is-active", "unbound").strip() == "active"
    finally:
        district.on(RESOLVER, "sh", "-c", f"cat /root/kept > {place}; rm /root/kept")
    becomes(before)

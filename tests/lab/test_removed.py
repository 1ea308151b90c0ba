"""Every service is taken out of the inventory; after one apply nothing of any of them is left on any system.

Documents, logs and backups are data: they stay, for root alone, and are given back when the service returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from lienthong.hosts.claims import OWNED
from lienthong.services import discover
from tests.lab.conftest import NAME, ROOT, SITES, District
from tests.lab.second import Second, second
from tests.lab.test_retire import good, nodes

SERVICES = "|".join(discover())
#: What can still be seen of a service, one kind a section. What is true of a bare system (undo of gear, the
#: lease, the plan's filter and its marks for conference segments, queues of lines, the journal's settings,
#: whom to believe the time) is left out, and so is what officers wrote, so that each line is a trace.
LOOK = rf"""
echo '#ports'; ss -Hlntup | grep '"' |
  grep -vE '"(sshd|chronyd|zebra|ospfd|bfdd|staticd|mgmtd|watchfrr|wireguard-go|ovs[a-z-]*)"'
echo '#filter'; nft list ruleset | grep -oE 'comment "({SERVICES}|system-[^."]*)[.][^"]*'
echo '#names'; grep nameserver /etc/resolv.conf; getent hosts logs.tinh-uy.wan.binhphuoc.internal
echo '#accounts'
grep -hE '^(docs|vault|vault-read|baresip|lienthong-fetch|lienthong-ca):' /etc/passwd /etc/group /etc/shadow
echo '#units'
{{ systemctl list-units --all --plain --no-legend -t service,timer,path,socket | grep -E ' (active|failed) '
  systemctl list-unit-files --no-legend --state=enabled; ls /etc/systemd/system | grep -v 'wants$'
}} | grep -E '^(lienthong|baresip|kamailio|nginx|fail2ban|unbound|kea|prometheus|snmpd|mariadb|postgresql)' |
  grep -vE '^(lienthong-(undo|qos)|unbound-resolvconf[.])'  # the package's own, on every system
echo '#cron'; ls /var/spool/cron/crontabs /etc/cron.d | grep -E 'lienthong|docs|vault'
echo '#files'; grep -rlE 'Written by Liên Thông|pyinfra, deploys/' /etc /usr/local /var/lib/lienthong |
  grep -vE '^/etc/nftables.d/(00-base|50-policy|60-qos)|^/etc/wireguard/|^/usr/local/sbin/lienthong-undo$' |
  grep -vE '^/etc/(chrony/conf.d/nts|systemd/journald.conf.d/lienthong).conf$' |
  grep -vE '/lienthong[/-]qos([.]tc|[.]service)?$'
find /etc/lienthong /var/lib/lienthong -mindepth 1 ! -path '*/pki*' ! -path '{OWNED}*' \
  ! -path '/var/lib/lienthong/ca*' ! -path '/var/lib/lienthong/vault*' |
  grep -vE '^/var/lib/lienthong/(pending|lease.*|undo.*)$|^/etc/lienthong/(qos.tc|blocked-names)$'
find {OWNED} -type f | grep -vE '/(firewall|pki|tunnel|qos|logs|ntp)$'
ls -d /var/lib/docs /var/lib/baresip /var/lib/kea/*leases4* /var/lib/lienthong-logs /var/lib/snmp/snmpd.conf \
  /var/lib/lienthong/vault-read /var/lib/fail2ban/*.sqlite3 \
  /etc/systemd/system/chrony.service.d/lienthong.conf
echo '#end'
"""
DATA = (
    ("loc-ninh-srv", "/srv/documents"),
    ("tinh-uy-portal", "/srv/documents"),
    ("tinh-uy-vault-wan", "/srv/vault"),
    ("tinh-uy-vault-wan", "/var/lib/lienthong/vault"),
    ("tinh-uy-svc-wan", "/var/log/lienthong"),
    ("tinh-uy-svc-wan", "/var/lib/lienthong-central"),
    ("tinh-uy-svc-wan", "/var/lib/lienthong/ca"),
)
Traces = dict[str, list[str]]


@pytest.fixture
def other(district: District, tmp_path: Path) -> Iterator[Second]:
    """An inventory of the test's own; in the end the nodes are what the first one says again."""
    with second(ROOT, NAME, tmp_path) as found:
        try:
            yield found
        finally:
            again = district.run("apply", *SITES)
            assert again.returncode == 0, again.stdout + again.stderr[-2000:]


def without_services(inventory: Path) -> None:
    """Take everything that runs out of every file, and the systems that ran on it."""
    for path in sorted(inventory.rglob("*.yaml")):
        said: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        site = said.get("site", said)
        site.pop("systems", None)
        for group in ("devices", "hosts"):
            for thing in (site.get(group) or {}).values():
                thing.pop("runs", None)
        if isinstance(site.get("hosts"), dict):
            site["hosts"] = {name: thing for name, thing in site["hosts"].items() if thing}
        path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")


def look(district: District, names: list[str]) -> dict[str, Traces]:
    """Node → kind → what is seen."""

    def of(node: str) -> Traces:
        told = district.on(node, "sh", "-c", f"exec 2>/dev/null; {LOOK}")
        parts = dict(re.findall(r"#(\w+)\n((?:(?!#).*\n)*)", told))
        assert "end" in parts, told
        return {kind: text.splitlines() for kind, text in parts.items() if text.strip()}

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(of, names), strict=True))


def test_nothing_of_a_removed_service_is_left(district: District, other: Second) -> None:
    there = nodes(district, *SITES)
    for node in ("loc-ninh-srv", "tinh-uy-portal"):
        district.on(
            node, "sh", "-c", "echo kept > /srv/documents/kept.txt; chown docs:docs /srv/documents/kept.txt"
        )
    before = look(district, there)
    seen = {kind for traces in before.values() for kind in traces}
    assert seen >= {"ports", "filter", "names", "accounts", "units", "files"}, "it sees no services at all"

    without_services(other.root / "inventory")
    good(other.run("apply", *SITES))
    assert {node: traces for node, traces in look(district, there).items() if traces} == {}
    for node, path in DATA:
        assert district.on(node, "stat", "-c", "%a %U:%G", path).split() == ["700", "root:root"], node
    assert " 0 changes" in good(other.run("apply", *SITES))


def test_what_was_kept_is_given_back(district: District) -> None:
    """The fixture above has applied the first inventory."""
    for node in ("loc-ninh-srv", "tinh-uy-portal"):
        said = district.on(node, "stat", "-c", "%a %U:%G", "/srv/documents", "/srv/documents/kept.txt")
        assert said.splitlines() == ["2750 docs:docs", "644 docs:docs"], node
        district.on(node, "rm", "/srv/documents/kept.txt")
    assert district.on("tinh-uy-vault-wan", "find", "/srv/vault", "-not", "-user", "vault").strip() == ""

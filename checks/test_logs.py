"""Logs: an event on any system is found at the side's collector and at Central."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from lienthong.audit.probes import Probes
from lienthong.checks import ALL, Evidence, Host, Hosts, control, not_assessed, runs
from lienthong.errors import LienThongError
from lienthong.facts import Facts
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.model.words import Side
from lienthong.services.logs import Params
from lienthong.target import Access

WITHIN_S = 12.0
#: Seconds to `collector` and `central` by node, nodes that could not log, and the names of the two.
Heard = tuple[dict[str, dict[str, float]], dict[str, str], str, str]


def _heard(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, side: Side
) -> Heard:
    """One event on every system of the site and side, and where each was found."""
    nodes = [node for node in site.nodes.values() if node.side is side and access.reaches(node)]
    collectors = [node for node in plan.running("logs", side) if access.reaches(node)]
    if not collectors:
        not_assessed(f"the collector of side {side} is not reached: does it hear {site.site.slug}?")
    collector = collectors[0]
    central = _params(collector).central
    return probes.share(
        ("events", site.site.slug, side),
        lambda: _send_and_wait(nodes, collector.name, central, access, hosts),
    )


def _params(collector: Node) -> Params:
    params = collector.services["logs"].params
    assert isinstance(params, Params)
    return params


def _send_and_wait(nodes: list[Node], collector: str, central: str, access: Access, hosts: Hosts) -> Heard:
    nonces = {node.name: f"lienthong-audit-{secrets.token_hex(8)}" for node in nodes}
    broken = {}

    def send(name: str) -> None:
        try:
            done = hosts(name).run("logger -t lienthong-audit %s", nonces[name])
            if done.rc:
                broken[name] = done.stderr
        except (LienThongError, RuntimeError) as error:
            broken[name] = str(error)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(send, nonces))
    started = monotonic()
    places = {"collector": (collector, "/var/log/lienthong")}
    if access.management_interfaces:
        places["central"] = (central, "/var/log/central")
    found: dict[str, dict[str, float]] = {name: {} for name in nonces}
    while monotonic() - started < WITHIN_S:
        for what, (where, folder) in places.items():
            missing = [name for name in nonces if what not in found[name]]
            if not missing:
                continue
            said = (
                hosts(where)
                .run("grep -rhoE 'lienthong-audit-[0-9a-f]{16}' --include=*.log %s", folder)
                .stdout
            )
            seen = set(said.split())
            for name in missing:
                if nonces[name] in seen:
                    found[name][what] = monotonic() - started
        if all(len(times) == len(places) for times in found.values()):
            break
        sleep(0.5)
    return found, broken, collector, central


@control("DEV-10", kind="probe", nodes=ALL)
def test_an_event_reaches_the_collector(
    node: Node,
    site: SitePlan,
    plan: ProvincePlan,
    access: Access,
    probes: Probes,
    hosts: Hosts,
    evidence: Evidence,
) -> None:
    """An event logged on the system is found at the collector of its side within seconds."""
    found, broken, collector, _ = _heard(site, plan, access, probes, hosts, node.side)
    if node.name in broken:
        raise RuntimeError(broken[node.name])
    seconds = found[node.name].get("collector")
    evidence(f"at {collector} after {seconds:.1f} s" if seconds is not None else f"not at {collector}")
    assert seconds is not None, f"not found at {collector} within {WITHIN_S:g} s"


@control("MON-02", kind="probe", nodes=ALL)
def test_an_event_reaches_central(
    node: Node,
    site: SitePlan,
    plan: ProvincePlan,
    access: Access,
    probes: Probes,
    hosts: Hosts,
    evidence: Evidence,
) -> None:
    """An event logged on the system is found at Central's collector within seconds."""
    if not access.management_interfaces:
        not_assessed(f"ask Central: is an event of {node.name} found there?")
    found, broken, _, central = _heard(site, plan, access, probes, hosts, node.side)
    if node.name in broken:
        raise RuntimeError(broken[node.name])
    seconds = found[node.name].get("central")
    evidence(f"at {central} after {seconds:.1f} s" if seconds is not None else f"not at {central}")
    assert seconds is not None, f"not found at {central} within {WITHIN_S:g} s"


@control("SRV-13", nodes=ALL)
def test_logs_leave_encrypted(facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """rsyslog runs and sends to the collector of its side over TLS, and accepts that name only."""
    collectors = plan.running("logs", node.side)
    text = facts.text("rsyslog")
    assert "rsyslogd" in facts.processes, "rsyslog does not run"
    targets = re.findall(r'target="([^"]+)"', text)
    peers = re.findall(r'tls\.permittedPeer=\["([^"]+)"\]', text)
    evidence(f"sends to {', '.join(targets) or 'nobody'}; believes {', '.join(peers) or 'nobody'}")
    if node.runs("logs"):
        central = _params(node).central
        assert targets == [str(plan.outside[central])], f"sends to {targets}, planned {plan.outside[central]}"
    else:
        assert targets == [str(collectors[0].address)], f"sends to {targets}, planned {collectors[0].address}"
        assert peers == [collectors[0].fqdn], f"believes {peers}, planned {collectors[0].fqdn}"
    assert text.count('tls="on"') == len(re.findall(r'type="(?:om|im)relp"', text)), "an action without TLS"
    plain = re.findall(r"^\s*\S+\s+@{1,2}[\w\[(].*$", text, re.MULTILINE) + re.findall(
        r'type="omfwd".*', text
    )
    assert not plain, f"also sends in the clear: {plain}"


@control("SRV-14", nodes=runs("logs"))
def test_logs_are_kept_long_enough(host: Host, node: Node, evidence: Evidence) -> None:
    """The collector keeps what it collects for as long as the plan says, and it is no-one else's to read."""
    folder = host.file("/var/log/lienthong")
    assert folder.is_directory, "the collector has no folder"
    assert folder.mode & 0o007 == 0, f"everyone may read the logs (mode {folder.mode:o})"
    days = _params(node).retention_months * 30
    said = host.file("/etc/tmpfiles.d/lienthong-logs.conf").content_string
    found = re.search(r"^d /var/log/lienthong \S+ \S+ \S+ (\d+)d", said, re.MULTILINE)
    evidence(said.strip().splitlines()[-1])
    assert found is not None and int(found.group(1)) >= days, f"kept for less than {days} days"

"""Logs: an event on any system is found at the side's collector and at Central."""

from __future__ import annotations

import json
import re

from lienthong.audit.probes import Probes
from lienthong.checks import ALL, Evidence, Host, Hosts, control, not_assessed, runs
from lienthong.coverage.heard import CENTRAL, COLLECTOR, WITHIN_S, Heard, Places, hear, places_of, what_is
from lienthong.facts import Facts
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.services.logs import STORE, Params
from lienthong.target import Access


def _heard(
    node: Node, site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts
) -> tuple[Heard, Places]:
    """What became of one event of this system; every system of the site and side is asked at once."""
    places = places_of(plan, access, node.side)
    if places is None:
        not_assessed(f"the collector of side {node.side} is not reached: does it hear {site.site.slug}?")
    if not node.debian:
        not_assessed(f"{node.name} is {what_is(node, access)}: is it heard at {places.collector}?")
    nodes = [one for one in site.nodes.values() if one.side is node.side and access.reaches(one)]

    def run(name: str, line: str) -> str:
        done = hosts(name).run(line)
        if done.rc:
            raise RuntimeError(f"{name}: exit {done.rc}: {done.stderr.strip()[-300:]}")
        return str(done.stdout)

    found = probes.share(("events", site.site.slug, node.side), lambda: hear(nodes, plan, access, run))
    return next(one for one in found if one.node.name == node.name), places


def _params(collector: Node) -> Params:
    params = collector.services["logs"].params
    assert isinstance(params, Params)
    return params


def _said(found: Heard, place: str, name: str, evidence: Evidence) -> None:
    if found.why:
        raise RuntimeError(found.why)
    seconds = found.after_s.get(place)
    evidence(f"at {name} after {seconds:.1f} s" if seconds is not None else f"not at {name}")
    assert seconds is not None, f"not found at {name} within {WITHIN_S:g} s"


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
    found, places = _heard(node, site, plan, access, probes, hosts)
    _said(found, COLLECTOR, places.collector, evidence)


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
    found, places = _heard(node, site, plan, access, probes, hosts)
    assert places.central is not None
    _said(found, CENTRAL, places.central, evidence)


@control("SRV-13", nodes=ALL)
def test_logs_leave_encrypted(facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """The system sends its events, over TLS and to the collector of its side only, by that one's name."""
    collector = plan.running("logs", node.side)[0]
    wanted = [(str(collector.address), collector.fqdn)]
    if node.runs("logs"):
        central = _params(node).central
        wanted.append((str(plan.outside[central]), central))
    text = facts.text("logs")
    found = list(
        zip(re.findall(r'"address": "([^"]*)"', text), re.findall(r'"peer": "([^"]*)"', text), strict=True)
    )
    evidence("sends to " + (", ".join(f"{peer} ({address})" for address, peer in found) or "nobody"))
    assert sorted(found) == sorted(wanted), f"sends to {found}, planned {wanted}"
    assert text.count('"authority"') == len(found), "believes whom it sends to without an authority"
    units = facts.text("units")
    for unit in ("lienthong-logs", "lienthong-central")[: len(wanted)]:
        seen = re.search(rf"^{unit}\.service +(\S+ +\S+ +\S+)", units, re.MULTILINE)
        state = " ".join(seen[1].split()) if seen else f"not among {len(units.splitlines())} units"
        assert state == "loaded active running", f"{unit} does not run: {state}"
    other = facts.text("rsyslog")
    plain = re.findall(r"^\s*\S+\s+@{1,2}[\w\[(].*$", other, re.MULTILINE)
    plain += re.findall(r'type="om(?:fwd|relp)".*', other)
    assert not plain, f"also sends by rsyslog: {plain}"


@control("SRV-14", nodes=runs("logs"))
def test_logs_are_kept_long_enough(host: Host, node: Node, evidence: Evidence) -> None:
    """The collector keeps what it collects for as long as the plan says, and it is no-one else's to read."""
    folder = host.file("/var/log/lienthong")
    assert folder.is_directory, "the collector has no folder"
    assert folder.mode & 0o007 == 0, f"everyone may read the logs (mode {folder.mode:o})"
    days = _params(node).retention_months * 30
    said = host.file("/etc/tmpfiles.d/lienthong-logs.conf").content_string
    found = re.search(r"^d /var/log/lienthong \S+ \S+ \S+ m:(\d+)d", said, re.MULTILINE)
    evidence(said.strip().splitlines()[-1])
    assert found is not None and int(found.group(1)) >= days, f"kept for less than {days} days"


@control("SRV-14", nodes=runs("logs"))
def test_no_event_is_missing(host: Host, evidence: Evidence) -> None:
    """Numbers of the events in the store have no gap since yesterday: what was sent is there."""
    said = host.run(f"{STORE} state --newest 2")
    assert said.rc == 0, f"the store does not tell: {said.stderr.strip()[-300:]}"
    by_host = json.loads(said.stdout)
    missing = {name: one["missing"] for name, one in by_host.items() if one["missing"]}
    evidence(f"{sum(one['events'] for one in by_host.values())} events of {len(by_host)} systems")
    evidence(f"{sum(one['repeats'] for one in by_host.values())} repeats dropped")
    assert not missing, f"numbers are missing: {missing}"

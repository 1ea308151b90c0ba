"""Leases: a workstation that is plugged in gets what it needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address

from lienthong.audit.probes import Probes
from lienthong.checks import Evidence, control, not_applicable, not_assessed, runs
from lienthong.facts import Facts
from lienthong.model.intent import ProvincePlan, SitePlan


@control("DEV-14", kind="probe", gear=True)
def test_a_workstation_gets_an_address(
    site: SitePlan, plan: ProvincePlan, probes: Probes, evidence: Evidence
) -> None:
    """In every segment with leases a workstation gets an address, gateway and resolver of the plan."""
    segments = [segment for segment in site.segments.values() if segment.dhcp]
    if not segments:
        not_applicable(f"inventory: {site.site.slug} leases no addresses")
    missing = [segment.name for segment in segments if probes.at(site.site.slug, segment.name) is None]
    there = [segment for segment in segments if segment.name not in missing]
    wrong = []
    with ThreadPoolExecutor(max_workers=len(segments)) as pool:
        leases = list(pool.map(lambda s: probes.need(site.site.slug, s.name).ask("dhcp", timeout_s=5), there))
    for segment, lease in zip(there, leases, strict=True):
        evidence(f"{segment.name}: {lease or 'nobody offered an address'}")
        if not lease:
            wrong.append(f"{segment.name}: nobody offered an address")
            continue
        first, last = segment.dhcp_range
        if not first <= IPv4Address(lease["ip"]) <= last:
            wrong.append(f"{segment.name}: got {lease['ip']}, planned {first} to {last}")
        if lease.get("router") != str(segment.gateway):
            wrong.append(f"{segment.name}: router {lease.get('router')}, planned {segment.gateway}")
        resolvers = {str(n.address) for n in plan.running("dns", segment.side) if n.site == segment.site}
        resolvers.add(str(segment.gateway))
        if lease.get("dns", "").split(" ")[0] not in resolvers:
            wrong.append(
                f"{segment.name}: resolver {lease.get('dns')}, planned {', '.join(sorted(resolvers))}"
            )
    assert not wrong, "\n".join(wrong)
    if missing:
        not_assessed(f"no probe in {', '.join(missing)}: does a workstation get an address there?")


@control("DEV-14", nodes=runs("dhcp"))
def test_leases_are_logged(facts: Facts, evidence: Evidence) -> None:
    """The lease server runs with a configuration that is valid, and its leases go to the log."""
    unit = facts.units.get("kea-dhcp4-server.service")
    evidence(f"kea-dhcp4-server is {unit.active if unit else 'not there'}")
    assert unit is not None and unit.active == "active", "Kea does not run"
    assert facts.section("kea").rc == 0, f"Kea refuses its configuration: {facts.section('kea').out[:200]}"

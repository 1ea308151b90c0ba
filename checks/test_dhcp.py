"""Leases: a workstation that is plugged in gets what it needs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address

from lienthong.audit.probes import Probes
from lienthong.checks import Evidence, control, not_applicable, not_assessed, runs
from lienthong.facts import Facts
from lienthong.hosts.leases import held, known
from lienthong.model.intent import Node, ProvincePlan, SitePlan


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


@control("INV-02", kind="probe", nodes=runs("dhcp"))
def test_every_lease_is_of_a_known_device(
    facts: Facts, node: Node, site: SitePlan, probes: Probes, evidence: Evidence
) -> None:
    """Whatever holds a lease is in the inventory, by its Ethernet address; the audit's own probes aside."""
    texts = [facts.section(name).out for name in ("leases_old", "leases") if not facts.section(name).rc]
    if not texts:
        not_assessed(f"{node.name} has written no leases: which devices are plugged in there?")
    leases = held(texts, time.time())
    ours = {mac for probe in probes.of_site(site.site.slug) for mac in probe.ask("hello")["macs"]}
    mine = set(known(site.site)) | ours
    strange = [lease for lease in leases if lease.mac not in mine]
    evidence(f"{len(leases)} leases, {len(strange)} of unknown devices")
    assert not strange, "not in the inventory: " + ", ".join(
        f"{lease.mac} with {lease.address} in VLAN {lease.vlan}" for lease in strange
    )


@control("DEV-14", nodes=runs("dhcp"))
def test_unknown_devices_are_told(facts: Facts, evidence: Evidence) -> None:
    """A lease of a device that the inventory does not know goes to the log."""
    unit = facts.units.get("lienthong-unknown-devices.path")
    evidence(f"lienthong-unknown-devices.path is {unit.active if unit else 'not there'}")
    assert unit is not None and unit.active == "active", "nobody looks for unknown devices"

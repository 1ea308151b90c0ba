"""The spare way: a line is cut, and traffic comes back over the other one."""

from __future__ import annotations

from time import monotonic, sleep

from lienthong.audit.play import listen
from lienthong.audit.probes import Probes
from lienthong.checks import Evidence, Host, Hosts, control, not_applicable, not_assessed
from lienthong.model.intent import ProvincePlan, SitePlan
from lienthong.model.words import WAN_LINES
from lienthong.target import Access

WITHIN_S = 5.0
WATCH_S = 8.0
MENDED_WITHIN_S = 25.0


@control("NET-12", kind="drill", lab_only=True)
def test_traffic_returns_over_the_other_line(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, evidence: Evidence
) -> None:
    """With its first line cut, a workstation reaches the office again within five seconds."""
    lines = [u for u in site.uplinks if u.kind in WAN_LINES]
    hub = next(s for s in plan.sites.values() if s.site.hub)
    if site.site.hub or len(lines) < 2:
        not_applicable(f"inventory: {site.site.slug} has no second line to the office")
    here, there = probes.need(site.site.slug, "users"), probes.need(hub.site.slug, "servers")
    listen(probes)
    target = ("tcp", str(there.address), 443)
    assert here.reach([target], 3.0) == ["open"], "the office is not reached before anything is cut"
    from lienthong.lab import line
    from lienthong.lab.lifecycle import running
    from lienthong.lab.place import place
    from lienthong.lab.topology import derive

    lab = place(access.root)
    topology = derive(plan, running(lab).sites)
    gateway = plan.nodes[lines[0].node]
    seen = here.begin("follow", address=str(there.address), port=443, seconds=WATCH_S, interval_s=0.1)
    sleep(1.0)
    cut_at = monotonic()
    line.cut(lab, topology, site.site.slug, lines[0].name)
    try:
        answers = here.result(seen, "follow", WATCH_S + 10)
    finally:
        line.mend(lab, topology, site.site.slug, lines[0].name)
    lost = [at for at, answered in answers if not answered]
    gap = max(lost) - min(lost) + 0.1 if lost else 0.0
    evidence(
        f"{lines[0].name} cut {monotonic() - cut_at:.1f} s long; {len(answers)} attempts, {len(lost)} lost"
    )
    evidence(f"traffic was away for {gap:.1f} s")
    back = _full_again(hosts(gateway.name), lines[0].name)
    evidence(f"mended; the neighbour on {lines[0].name} was full again after {back:.1f} s")
    assert answers and answers[-1][1], "traffic did not return"
    assert gap <= WITHIN_S, f"traffic was away for {gap:.1f} s"
    assert lost, "no packet was lost: was the line cut at all?"


def _full_again(host: Host, name: str) -> float:
    """Seconds until the line's neighbour is full again after mending."""
    started = monotonic()
    while monotonic() - started < MENDED_WITHIN_S:
        said = host.run("vtysh -c 'show ip ospf neighbor'").stdout
        if any(name in row and "Full" in row for row in said.splitlines()):
            return monotonic() - started
        sleep(0.5)
    return not_assessed(f"{name} did not come back within {MENDED_WITHIN_S:g} s after it was mended: why?")

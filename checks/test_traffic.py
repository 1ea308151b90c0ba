"""What passes and what does not, shown by packets between real systems and probes."""

from __future__ import annotations

from time import sleep

from lienthong.audit.play import Swept, listen, play, stage_of, sweep
from lienthong.audit.probes import Probes
from lienthong.checks import Evidence, control, not_assessed
from lienthong.model.intent import ProvincePlan, SitePlan
from lienthong.model.words import Side, Zone
from lienthong.target import Access

SHOWN = 40


@control("NET-02a", kind="probe", gear=True)
def test_every_flow_of_the_plan_passes(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, evidence: Evidence
) -> None:
    """Every flow of the plan passes from its source to its destination."""
    if not list(probes):
        not_assessed(f"{site.site.slug} has no probes: does each declared flow pass?")
    result = play(stage_of(plan, access, probes), probes, site.flows)
    evidence(f"{len(result.passed)} attempts passed, {len(result.blocked)} did not")
    for line in result.not_played:
        evidence(f"not played: {line}")
    for line in result.passed[:SHOWN]:
        evidence(line)
    for line in result.passed:
        evidence.holds(line.rpartition(": ")[0])  # a port that is shut says so, and was reached
    if result.broken:
        raise RuntimeError("; ".join(result.broken))
    assert not result.blocked, "\n".join(result.blocked[:SHOWN])


def _sweep(site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes) -> Swept:
    if not probes.of_site(site.site.slug):
        not_assessed(f"{site.site.slug} has no probes: does anything pass that no flow names?")
    return probes.share(("sweep", site.site.slug), lambda: sweep(plan, access, probes, site))


@control("NET-02b", kind="probe")
def test_nothing_else_passes(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, evidence: Evidence
) -> None:
    """Between every two segments of one side, from and to the Internet, nothing passes that no flow names."""
    result = _sweep(site, plan, access, probes)
    evidence(
        f"{result.tried} packets ({result.tried6} by IPv6) between {result.pairs} ordered pairs, "
        f"{len(result.same_side)} came through"
    )
    assert not result.same_side, "\n".join(result.same_side[:SHOWN])
    if result.blind:
        not_assessed(f"nothing could be heard in {', '.join(sorted(result.blind))}: what passes there?")
    if not result.tried6 and any(segment.prefix6 for segment in site.segments.values()):
        not_assessed("no probe has an address of IPv6: what passes by it?")


@control("NET-04", kind="probe")
def test_the_two_sides_are_apart(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, evidence: Evidence
) -> None:
    """No packet of one side reaches any segment of the other side."""
    result = _sweep(site, plan, access, probes)
    across = [pair for pair in site.forbidden if pair.never]
    evidence(
        f"{len(across)} ordered pairs that the law keeps apart, {len(result.across)} packets came through"
    )
    assert not result.across, "\n".join(result.across[:SHOWN])
    if result.blind:
        not_assessed(
            f"nothing could be heard in {', '.join(sorted(result.blind))}: are the sides apart there?"
        )


@control("NET-04", kind="probe")
def test_no_system_of_the_other_side_answers(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, evidence: Evidence
) -> None:
    """No probe of one side is answered by a system of the other side."""
    here = probes.of_site(site.site.slug)
    if not here:
        not_assessed(f"{site.site.slug} has no probes: does a system of the other side answer?")
    # The controller of one side knows where the other's systems are, though it does not reach them.
    nodes = [node for node in plan.nodes.values() if access.reaches(node) or access.is_beyond(node)]
    wrong, tried = [], 0
    asked = []
    for probe in here:
        targets = [
            (proto, str(node.address), port)
            for node in nodes
            if node.side is not probe.place.side
            for proto, port in (("tcp", 22), ("icmp", 0))
        ]
        asked.append((probe, targets, probe.begin("reach", targets=targets, timeout_s=2.0)))
    for probe, targets, future in asked:
        outcomes = probe.result(future, "reach")
        tried += len(outcomes)
        wrong += [
            f"{probe.place.label} to {target[1]} {target[0]}: {outcome}"
            for target, outcome in zip(targets, outcomes, strict=True)
            if outcome in {"open", "refused"}
        ]
    evidence(f"{tried} attempts")
    assert tried, "nothing was tried"
    assert not wrong, "\n".join(wrong[:SHOWN])


@control("NET-10", kind="probe")
def test_forged_sources_are_dropped(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, evidence: Evidence
) -> None:
    """A packet with a source of another segment does not get out of the segment it was sent in."""
    slug = site.site.slug
    forger, honest, target = (probes.need(slug, name) for name in ("users", "management", "servers"))
    listen(probes)
    # The honest one shows that this very packet would pass if its source were believed.
    echo = [("icmp", str(target.address), 0)]
    if honest.reach(echo, 3.0) != ["open"]:
        not_assessed("management does not reach servers at all: would a forged source pass?")
    segment = next(s for s in site.segments.values() if s.side is Side.WAN and s.zone is Zone.MANAGEMENT)
    forged = str(segment.prefix[200])
    outsider = "192.0.2.77"
    for source in (forged, outsider):
        forger.ask("forge", source=source, target=str(target.address))
    sleep(1.0)
    heard = {source for source, *_ in target.ask("heard")}
    evidence(f"sent as {forged} and as {outsider} from {forger.place.label} to {target.place.label}")
    came = {forged, outsider} & heard
    assert not came, f"{target.place.label} heard packets that claimed to come from {', '.join(sorted(came))}"

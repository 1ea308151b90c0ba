"""What of a site is seen on the Internet, and nothing besides."""

from __future__ import annotations

from typing import Any

from lienthong.audit.exposure import declared, public, targets, tries, undeclared, weak
from lienthong.audit.probes import INTERNET, Probes
from lienthong.checks import Evidence, control, not_applicable, not_assessed
from lienthong.model.intent import SitePlan

WAIT_S = 1.5


def _outside(site: SitePlan, probes: Probes) -> Any:
    if not public(site):
        not_applicable(f"inventory: {site.site.slug} has no line to the Internet")
    if probes.internet is None:
        not_assessed(f"no probe stands on the Internet: which ports of {site.site.slug} answer from there?")
    return probes.internet


@control("APP-04", kind="probe")
def test_nothing_undeclared_answers(site: SitePlan, probes: Probes, evidence: Evidence) -> None:
    """From the Internet no port of the site's public addresses answers but those that are declared."""
    outside = _outside(site, probes)
    doors, wrong = tries(site), []
    for address in public(site):
        outcomes = outside.ask("reach", targets=targets(address, doors), timeout_s=WAIT_S, wait_s=WAIT_S + 25)
        told = [f"{p} {n}" for (p, n), seen in zip(doors, outcomes, strict=True) if seen == "open"]
        evidence(
            f"{address} from the {INTERNET}: {len(doors)} ports tried, open: {', '.join(told) or 'none'}"
        )
        wrong += [f"{address} answers on {p} {n}" for p, n in undeclared(site, doors, outcomes)]
        closed = [
            f"{address} does not answer on {door[0]} {door[1]}, which is declared"
            for door, seen in zip(doors, outcomes, strict=True)
            if door in declared(site) and seen != "open"
        ]
        wrong += closed
    assert not wrong, "\n".join(wrong)
    six = [uplink.address6 for uplink in site.site.uplinks.values() if uplink.address6 is not None]
    if six:
        not_assessed(f"the probe asks by IPv4 only: what of {', '.join(map(str, six))} answers?")


@control("APP-04", kind="probe")
def test_what_answers_encrypts_well(site: SitePlan, probes: Probes, evidence: Evidence) -> None:
    """What is published on 443 speaks TLS 1.2 and 1.3 only, with suites that keep secrets for good."""
    outside = _outside(site, probes)
    if ("tcp", 443) not in declared(site):
        not_applicable(f"inventory: {site.site.slug} publishes nothing on 443")
    for address in public(site):
        seen = outside.ask("tls", address=str(address))
        evidence(f"{address}: " + "; ".join(f"{v} {', '.join(c)}" for v, c in seen.items()))
        assert set(seen) <= {"TLSv1.2", "TLSv1.3"}, f"{address} also speaks {', '.join(sorted(seen))}"
        assert "TLSv1.3" in seen, f"{address} does not speak TLS 1.3: {seen}"
        bad = weak(seen.get("TLSv1.2", ()))
        assert not bad, f"{address} agrees to {', '.join(bad)}"

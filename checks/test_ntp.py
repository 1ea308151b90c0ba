"""Time: whose word is taken for it."""

from __future__ import annotations

from lienthong.checks import ALL, Evidence, control, not_applicable, runs
from lienthong.facts import Facts
from lienthong.model.intent import Node, ProvincePlan


@control("DEV-11", nodes=ALL & ~runs("ntp"))
def test_time_is_authenticated(facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """Every time server that is asked proves by NTS who it is, and has done so lately or gave keys to."""
    if not plan.running("ntp", node.side):
        not_applicable(f"inventory: side {node.side} has no time server")
    seen = facts.time_proofs
    for proof in seen:
        evidence(f"{proof.address}: {proof.mode}, {proof.cookies} keys at hand")
    assert seen, "asks no time server"
    plain = [proof.address for proof in seen if proof.mode != "NTS"]
    assert not plain, f"believes whatever answers for {', '.join(plain)}"
    # An answer only counts when it is authentic; keys are used up where answers get lost, and asked for anew.
    answered = {source.address for source in facts.time.sources if source.reach}
    refused = [p.address for p in seen if not p.cookies and p.address not in answered]
    assert not refused, f"{', '.join(refused)} gave no keys: its certificate, or port 4460"


@control("DEV-11", nodes=runs("ntp"))
def test_keys_for_the_time_are_given_out(facts: Facts, evidence: Evidence) -> None:
    """The time server gives out keys for NTS."""
    ports = [seen for seen in facts.listeners if seen.port == 4460 and not seen.local]
    evidence(", ".join(f"{seen.process} on {seen.address}" for seen in ports) or "nobody listens on 4460")
    assert [seen for seen in ports if seen.process == "chronyd"], "chronyd gives out no keys on 4460"

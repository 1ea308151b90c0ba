"""Packet filters: live rules against the plan and against the law."""

from __future__ import annotations

from collections import Counter

from lienthong.checks import ALL, GATEWAYS, Evidence, control
from lienthong.facts import Facts, nft
from lienthong.model.intent import Node, ProvincePlan
from lienthong.plan.policy import forward_rules, forwarding, input_rules

#: Rules that every node has beside the plan's flows; their comments begin so.
BASE = ("base.", "source.", "source6.", "qos.", "nat.")


@control("NET-02c", nodes=ALL)
def test_live_rules_equal_the_plan(facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence) -> None:
    """The rules on the node let pass exactly what the plan's flows name, no more and no less."""
    wrong = []
    for chain, wanted in (
        ("policy_input", input_rules(plan, node)),
        ("policy_forward", forward_rules(plan, node)),
    ):
        live = Counter(rule.match for rule in nft.accepts(facts.ruleset, chain))
        plans = {nft.expected(rule): rule.flow.id for rule in wanted}
        evidence(f"{chain}: {sum(live.values())} live, {len(plans)} in the plan")
        wrong += [f"{chain} lacks {plans[rule]}: {rule}" for rule in plans if rule not in live]
        wrong += [f"{chain} has besides: {rule}" for rule in live if rule not in plans]
    for rule in nft.rules(facts.ruleset):
        known = rule.comment.startswith(BASE) or rule.chain in {"policy_input", "policy_forward"}
        if not known and rule.verdict not in {"drop", "reject"}:
            wrong.append(
                f"{rule.table} {rule.chain} has a rule that nobody planned: {rule.verdict} {rule.match}"
            )
        elif rule.chain in {"policy_input", "policy_forward"} and rule.verdict != "accept":
            wrong.append(f"{rule.chain} has {rule.verdict or 'a rule'} where only flows belong: {rule.match}")
    assert not wrong, "\n".join(wrong)


@control("NET-03", nodes=ALL)
def test_no_rule_lets_anything_pass(facts: Facts, evidence: Evidence) -> None:
    """No rule lets anything from anywhere pass to anywhere."""
    seen = nft.rules(facts.ruleset)
    evidence(f"{len(seen)} rules")
    wide = [
        f"{rule.table} {rule.chain}: {rule.comment or rule.match}"
        for rule in seen
        if rule.verdict == "accept" and rule.match.any_any and not rule.strange and rule.match.iif != {"lo"}
    ]
    assert not wide, "\n".join(wide)


@control("SRV-09", nodes=ALL)
def test_nothing_comes_in_by_default(facts: Facts, evidence: Evidence) -> None:
    """The node's own filter drops what no rule names, coming in and passing through."""
    found = {
        hook.hook: hook
        for hook in nft.hooks(facts.ruleset)
        if hook.kind == "filter" and hook.policy == "drop"
    }
    evidence("; ".join(f"{hook.table} {hook.chain}: {hook.policy}" for hook in found.values()))
    missing = [hook for hook in ("input", "forward") if hook not in found]
    assert not missing, f"no chain drops by default at: {', '.join(missing)}"


@control("NET-04", nodes=GATEWAYS)
def test_translation_equals_the_plan(
    facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence
) -> None:
    """Addresses are translated only as the plan says; on the WAN side never."""
    wanted = forwarding(plan, node)
    masks = {(out, str(source)) for source, out in wanted.masquerade}
    ways = {(into, proto, port) for into, proto, port, _ in wanted.dnat}
    live_masks, live_ways, other = set(), set(), []
    for rule in nft.rules(facts.ruleset):
        if rule.verdict == "masquerade":
            live_masks |= {
                (out, str(source)) for out in rule.match.oif for source in rule.match.src or {"any"}
            }
        elif rule.verdict == "dnat":
            live_ways |= {
                (into, rule.match.proto, low) for into in rule.match.iif for low, _ in rule.match.ports
            }
        elif rule.strange and set(rule.strange) & {"snat", "redirect", "tproxy"}:
            other.append(f"{rule.table} {rule.chain} {rule.strange}")
    evidence(f"masquerade {sorted(live_masks)}; dnat {sorted(live_ways)}")
    assert live_masks == masks, f"masquerade is {sorted(live_masks)}, planned {sorted(masks)}"
    assert live_ways == ways, f"dnat is {sorted(live_ways)}, planned {sorted(ways)}"
    assert not other, f"other translation: {other}"


@control("NET-10", nodes=GATEWAYS)
def test_sources_are_checked_where_they_come_in(
    facts: Facts, node: Node, plan: ProvincePlan, evidence: Evidence
) -> None:
    """Each segment's interface lets in only sources of that segment; lines let in none of the site's own."""
    live = [rule for rule in nft.rules(facts.ruleset) if rule.verdict == "drop" and rule.chain == "source"]
    jumps = {rule.chain for rule in nft.rules(facts.ruleset) if rule.verdict == "jump source"}
    evidence(f"{len(live)} rules against forged sources, from {', '.join(sorted(jumps))}")
    legs = {s.interface for s in plan.sites[node.site].segments.values() if s.side is node.side}
    guarded = {name for rule in live for name in rule.match.iif}
    assert legs <= guarded, f"sources are not checked on {', '.join(sorted(legs - guarded))}"
    assert {"input", "forward"} <= jumps, "forged sources are not dropped in both ways"

"""The lab itself: its management network must not join what the plan keeps apart."""

from __future__ import annotations

from lienthong.audit.probes import Probes
from lienthong.checks import ALL, Evidence, control
from lienthong.facts import Facts
from lienthong.model.intent import Node
from lienthong.target import Access


@control("LAB-01", kind="probe", nodes=ALL, lab_only=True)
def test_management_ports_are_apart(node: Node, access: Access, probes: Probes, evidence: Evidence) -> None:
    """By its management port the node reaches no other system, only the controller reaches it."""
    others = [str(address) for name, address in access.addresses.items() if name != node.name]
    targets = [(proto, address, port) for address in others for proto, port in (("tcp", 22), ("icmp", 0))]
    outcomes = probes.on(node.name).reach(targets, 1.5)
    evidence(f"{len(targets)} attempts at {len(others)} management addresses")
    wrong = [
        f"{proto} {address}: {outcome}"
        for (proto, address, _), outcome in zip(targets, outcomes, strict=True)
        if outcome in {"open", "refused"}
    ]
    assert not wrong, "\n".join(wrong)


@control("LAB-01", nodes=ALL, lab_only=True)
def test_management_is_not_routed(facts: Facts, node: Node, access: Access, evidence: Evidence) -> None:
    """The management port's network stands in no routing protocol and nothing is passed on to or from it."""
    frr = facts.section("frr").out if "frr" in facts.sections else ""
    own = str(access.address(node))
    ways = [route for route in facts.routes if route.get("dev") in access.management_interfaces]
    evidence(f"routes by the management port: {', '.join(sorted({str(route['dst']) for route in ways}))}")
    assert all(route["dst"] != "default" for route in ways), (
        "a default route leads out of the management port"
    )
    assert own.rsplit(".", 2)[0] not in "\n".join(line for line in frr.splitlines() if "network" in line)
    assert "redistribute connected" not in frr, "connected networks are redistributed, the management's too"

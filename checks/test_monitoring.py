"""Metrics: Prometheus of each side sees every system of its side."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import sleep
from typing import Any

from lienthong.audit.probes import Probes
from lienthong.checks import ALL, Evidence, Host, Hosts, control, not_assessed, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Side
from lienthong.services.monitoring import NODE_EXPORTER, Params
from lienthong.target import Access

#: What Prometheus says of each node, and how often it asks.
Targets = tuple[dict[str, dict[str, Any]], int]
ASK = """for scheme in http https; do
curl -sk -o /dev/null --max-time 4 -w '%%{http_code} ' $scheme://127.0.0.1:%s/metrics; code=$?
done; echo $code"""
TARGETS = "curl -sf --max-time 4 http://127.0.0.1:9090/api/v1/targets?state=active"


def _targets(plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, side: Side) -> Targets:
    """Prometheus' own list of what it asks, by node; asked again a little later what is not (yet) up."""
    servers = [node for node in plan.running("monitoring", side) if access.reaches(node)]
    if not servers:
        not_assessed(f"Prometheus of side {side} is not reached: does it see every system?")

    def ask() -> Targets:
        params = servers[0].services["monitoring"].params
        assert isinstance(params, Params)
        interval = params.interval_s
        found = {}
        for attempt in range(2):
            said = hosts(servers[0].name).run(TARGETS)
            if said.rc:
                raise RuntimeError(
                    f"Prometheus on {servers[0].name} does not answer: curl ended with {said.rc}"
                )
            active = json.loads(said.stdout)["data"]["activeTargets"]
            found = {target["labels"].get("node", ""): target for target in active}
            if attempt or all(target["health"] == "up" for target in active):
                break
            sleep(interval + 0.5)
        return found, interval

    return probes.share(("targets", side), ask)


@control("MON-01", kind="read", nodes=ALL)
def test_prometheus_sees_the_system(
    node: Node, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, evidence: Evidence
) -> None:
    """Prometheus of the side has asked this system within the last rounds, and got an answer."""
    found, interval = _targets(plan, access, probes, hosts, node.side)
    assert node.name in found, f"Prometheus does not know {node.name}"
    target = found[node.name]
    # Nanoseconds are more than Python's dates hold.
    last = datetime.fromisoformat(target["lastScrape"][:19]).replace(tzinfo=UTC)
    age = (datetime.now(UTC) - last).total_seconds()
    evidence(f"{target['scrapeUrl']}: {target['health']}, asked {age:.0f} s ago")
    assert target["health"] == "up", f"{target['health']}: {target.get('lastError', '')[:200]}"
    assert age < 4 * interval + 10, f"asked {age:.0f} s ago, every {interval} s is planned"


@control("MON-03", nodes=runs("monitoring"))
def test_alerts_are_loaded(host: Host, evidence: Evidence) -> None:
    """Prometheus has its alert rules, among them one for a system that does not answer."""
    said = host.run("curl -sf --max-time 4 http://127.0.0.1:9090/api/v1/rules")
    assert said.rc == 0, "Prometheus does not answer"
    names = {rule["name"] for group in json.loads(said.stdout)["data"]["groups"] for rule in group["rules"]}
    evidence(f"rules: {', '.join(sorted(names))}")
    assert {"HostDown", "DiskFull"} <= names, f"rules are {', '.join(sorted(names)) or 'none'}"


@control("MON-04", nodes=ALL)
def test_the_exporter_asks_for_a_certificate(host: Host, node: Node, evidence: Evidence) -> None:
    """Without a certificate of the side the exporter tells nothing."""
    said = host.run(ASK, str(NODE_EXPORTER)).stdout.split()
    evidence(f"plain HTTP {said[0]}, TLS without a certificate {said[1]}, curl ended with {said[2]}")
    assert said[2] != "7", "the exporter does not run"
    assert said[0] != "200", "the exporter answers in the clear"
    assert said[1] != "200", "the exporter answers to anybody"

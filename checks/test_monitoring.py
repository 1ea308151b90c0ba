"""Metrics: Prometheus of each side sees every system of its side, gear by SNMPv3; alerts have a way out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from lienthong.audit.probes import Probes
from lienthong.checks import ALL, GEAR, Evidence, Host, Hosts, Selector, control, not_assessed, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Side
from lienthong.plan.systems import on_host
from lienthong.services.monitoring import NODE_EXPORTER, Params
from lienthong.target import Access

DEBIAN = Selector("a Debian system", lambda node: node.debian)
#: What Prometheus says of each node, by job; and how often it asks.
Targets = tuple[dict[str, dict[str, dict[str, Any]]], int]
ASK = """for scheme in http https; do
curl -sk -o /dev/null --max-time 4 -w '%%{http_code} ' $scheme://127.0.0.1:%s/metrics; code=$?
done; echo $code"""
SUCCESS = (
    "curl -sf --max-time 4 --data-urlencode 'query=probe_success or up{job=\"snmp\"}' "
    "http://127.0.0.1:9090/api/v1/query"
)
#: The engine tells who it is to anybody; a reading in the clear it must refuse.
SNMP_ASK = """n=%s
o=1.3.6.1.2.1.1.3.0
snmpget -v2c -c public -t 1 -r 0 "$n" $o >/dev/null 2>&1 && echo "v2c answers" || echo "v2c silent"
said=$(snmpget -v3 -l noAuthNoPriv -u lienthong -t 2 -r 1 "$n" $o 2>&1)
case $said in *uthorization*) echo "v3 in the clear refused";; *) echo "v3 in the clear: $said";; esac"""
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
        first = monotonic()
        while True:
            said = hosts(servers[0].name).run(TARGETS)
            if said.rc:
                raise RuntimeError(
                    f"Prometheus on {servers[0].name} does not answer: curl ended with {said.rc}"
                )
            active = json.loads(said.stdout)["data"]["activeTargets"]
            if monotonic() - first > max(map(patience_s, active), default=0.0):
                break
            sleep(2.0)
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for target in active:
            labels = target["labels"]
            job = labels["job"] if "system" not in labels else f"system {labels['system']}"
            jobs = found.setdefault(labels.get("node", ""), {})
            if job not in jobs or target["health"] != "up":  # one of several pages: the worst counts
                jobs[job] = target
        return found, interval

    return probes.share(("targets", side), ask)


@control("MON-01", kind="read", nodes=ALL)
def test_prometheus_sees_the_system(
    node: Node, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, evidence: Evidence
) -> None:
    """Prometheus has asked this system in every way it should within the last rounds, and got an answer."""
    found, interval = _targets(plan, access, probes, hosts, node.side)
    jobs = found.get(node.name, {})
    wanted = (
        {"ping"} | ({"node"} if node.debian else set()) | ({"snmp"} if node.device is not None else set())
    )
    wanted |= {
        f"system {slug}"
        for slug, system in on_host(plan.sites[node.site].site, node.short).items()
        if system.watch
    }
    assert wanted <= set(jobs), (
        f"Prometheus does not ask {node.name} by {', '.join(sorted(wanted - set(jobs)))}"
    )
    for job in sorted(wanted):
        target = jobs[job]
        # Nanoseconds are more than Python's dates hold.
        last = datetime.fromisoformat(target["lastScrape"][:19]).replace(tzinfo=UTC)
        age = (datetime.now(UTC) - last).total_seconds()
        evidence(f"{job}: {target['health']}, asked {age:.0f} s ago")
        assert target["health"] == "up", f"{job}: {target['health']}: {target.get('lastError', '')[:200]}"
        every_s = duration_s(target.get("scrapeInterval", f"{interval}s"))
        assert age < 4 * every_s + 10, f"{job}: asked {age:.0f} s ago, every {every_s:g} s is planned"
    answers = _answers(plan, access, probes, hosts, node.side).get(node.name, {})
    silent = sorted(job for job in wanted & set(answers) if answers[job] != "1")
    assert not silent, f"does not answer as it should: {', '.join(silent)}"


def patience_s(target: dict[str, Any]) -> float:
    """How long a target that is not up may take to be: one never asked has its first round before it."""
    every_s = duration_s(target.get("scrapeInterval", "5s"))
    return {"up": 0.0, "unknown": min(every_s + 10.0, 70.0)}.get(target["health"], min(every_s, 15.0))


def duration_s(text: str) -> float:
    """Prometheus' way to say how long: `1m30s`."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(n) * units[unit] for n, unit in re.findall(r"([0-9.]+)(ms|h|m|s)", text))


def _answers(
    plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, side: Side
) -> dict[str, dict[str, str]]:
    """`1` or `0` by node and job, for what is asked on Prometheus' behalf."""
    server = next(node for node in plan.running("monitoring", side) if access.reaches(node))

    def ask() -> dict[str, dict[str, str]]:
        said = hosts(server.name).run(SUCCESS)
        if said.rc:
            raise RuntimeError(f"Prometheus on {server.name} does not answer: curl ended with {said.rc}")
        found: dict[str, dict[str, str]] = {}
        for one in json.loads(said.stdout)["data"]["result"]:
            labels = one["metric"]
            job = labels["job"] if "system" not in labels else f"system {labels['system']}"
            jobs = found.setdefault(labels.get("node", ""), {})
            jobs[job] = min(jobs.get(job, "1"), one["value"][1])
        return found

    return probes.share(("answers", side), ask)


@control("DEV-09", nodes=GEAR & DEBIAN)
def test_snmp_is_version_3_with_privacy(
    host: Host, node: Node, plan: ProvincePlan, evidence: Evidence
) -> None:
    """The device answers SNMPv3 with authentication and privacy, and nothing that asks in the clear."""
    said = host.run(SNMP_ASK, str(node.address)).stdout.split("\n")
    evidence(f"SNMP {', '.join(line.strip() for line in said if line.strip())}")
    assert "v2c silent" in said, "answers a community"
    assert "v3 in the clear refused" in said, "answers SNMPv3 without privacy"
    conf = host.file("/etc/snmp/snmpd.conf")
    assert conf.mode & 0o077 == 0, f"others may read the passwords (mode {conf.mode:o})"
    assert host.service("snmpd").is_running, "snmpd does not run"


@control("MON-03", nodes=runs("monitoring"))
def test_alerts_have_a_way_out(host: Host, evidence: Evidence) -> None:
    """Prometheus has an Alertmanager, and what makes an event of an alert listens."""
    said = host.run("curl -sf --max-time 4 http://127.0.0.1:9090/api/v1/alertmanagers")
    assert said.rc == 0, "Prometheus does not answer"
    active = [one["url"] for one in json.loads(said.stdout)["data"]["activeAlertmanagers"]]
    evidence(f"Alertmanager: {', '.join(active) or 'none'}")
    assert active, "Prometheus knows no Alertmanager"
    assert host.run("curl -sf --max-time 4 http://127.0.0.1:9093/-/ready").rc == 0, (
        "Alertmanager is not ready"
    )
    code = host.run("curl -s -o /dev/null --max-time 4 -w '%{http_code}' -d '{}' http://127.0.0.1:9094/")
    assert code.stdout == "400", "nobody makes an event of an alert"


@control("MON-03", nodes=runs("monitoring"))
def test_alerts_are_loaded(host: Host, evidence: Evidence) -> None:
    """Prometheus has its alert rules, among them one for a system that does not answer."""
    said = host.run("curl -sf --max-time 4 http://127.0.0.1:9090/api/v1/rules")
    assert said.rc == 0, "Prometheus does not answer"
    names = {rule["name"] for group in json.loads(said.stdout)["data"]["groups"] for rule in group["rules"]}
    evidence(f"rules: {', '.join(sorted(names))}")
    assert {"HostDown", "GearDown", "NoAnswer", "DiskFull"} <= names, (
        f"rules are {', '.join(sorted(names)) or 'none'}"
    )


@control("MON-04", nodes=ALL)
def test_the_exporter_asks_for_a_certificate(host: Host, node: Node, evidence: Evidence) -> None:
    """Without a certificate of the side the exporter tells nothing."""
    said = host.run(ASK, str(NODE_EXPORTER)).stdout.split()
    evidence(f"plain HTTP {said[0]}, TLS without a certificate {said[1]}, curl ended with {said[2]}")
    assert said[2] != "7", "the exporter does not run"
    assert said[0] != "200", "the exporter answers in the clear"
    assert said[1] != "200", "the exporter answers to anybody"

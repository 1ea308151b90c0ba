"""Flow records: what passes a gateway stands in the store of its side's collector within a minute."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from time import monotonic, sleep

from lienthong.audit.probes import Probe, Probes
from lienthong.checks import GATEWAYS, Evidence, Host, Hosts, control, not_assessed, runs
from lienthong.coverage.heard import what_is
from lienthong.model.intent import Node, ProvincePlan
from lienthong.services.flows import NEW, Params
from lienthong.target import Access

#: A flow is told of within 45 s. A collector that was started anew may understand a gateway only later.
WITHIN_S = 150.0
ASK_EVERY_S = 5.0
SEND_EVERY_S = 15.0
#: Documentation addresses (RFC 5737): nobody has one, no line leads there.
NOWHERE = "192.0.2"
HEADERS = 28
FILES_OF_MIN = 20
#: A record is kept at most so long after its day; the job runs every five minutes.
SLACK_DAYS = 1


@dataclass(frozen=True)
class Nonce:
    """A flow that nobody else makes: an address, a port and a length of its packets."""

    address: str
    port: int
    payload: str
    packets: int

    @property
    def bytes(self) -> int:
        """Of all its packets, with headers of IP and UDP."""
        return self.packets * (len(self.payload) // 2 + HEADERS)


def nonce() -> Nonce:
    """A new one; RFC 6335 assigns no port above 49151."""
    address = f"{NOWHERE}.{random.randint(1, 254)}"  # noqa: S311 - no secret
    length = random.randint(100, 1000)  # noqa: S311
    return Nonce(address, random.randint(49152, 65535), "5a" * length, 1)  # noqa: S311


def question(sent: Nonce, gateway: Node) -> str:
    """Asks the store for records of that flow by that gateway: (gateway, packets, bytes) a line."""
    wanted = f"router ip {gateway.address} and proto udp and dst ip {sent.address} and dst port {sent.port}"
    return (
        f"find {NEW} -name 'nfcapd.2*' -mmin -{FILES_OF_MIN} -print | sort | while read -r f; do "
        f"nfdump -q -r \"$f\" -o 'fmt:%ra,%pkt,%byt' '{wanted}' 2>/dev/null; done; true"
    )


def records(said: str) -> list[tuple[str, int, int]]:
    """(gateway, packets, bytes) of each line that is one."""
    lines = (re.fullmatch(r"\s*([\d.]+),\s*(\d+),\s*(\d+)\s*", line) for line in said.splitlines())
    return [(found[1], int(found[2]), int(found[3])) for found in lines if found]


def told(sent: Nonce, gateway: Node, said: str) -> bool:
    """Whether a record of exactly that flow is there."""
    return any(
        by == str(gateway.address) and packets and count == packets * sent.bytes // sent.packets
        for by, packets, count in records(said)
    )


def sender(node: Node, probes: Probes) -> Probe | None:
    """A probe behind the gateway."""
    behind = [one for one in probes.of_site(node.site) if one.place.side is node.side]
    return min(behind, key=lambda one: one.place.segment, default=None)


@control("DEV-20", kind="probe", nodes=GATEWAYS)
def test_a_flow_is_in_the_store(
    node: Node, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, evidence: Evidence
) -> None:
    """A flow that nobody else makes, sent through the gateway, is in the store of its side's collector."""
    collectors = plan.running("flows", node.side)
    if not collectors:
        not_assessed(f"no host of side {node.side} runs flows: who sees what passes {node.name}?")
    collector = collectors[0]
    if not node.debian or node.name in access.acted:
        not_assessed(f"{node.name} is {what_is(node, access)}: does it tell {collector.name} what passes?")
    if not access.reaches(collector):
        not_assessed(f"{collector.name} is not reached: does it know what passes {node.name}?")
    probe = sender(node, probes)
    if probe is None:
        not_assessed(f"no probe stands behind {node.name}: does {collector.name} know what passes there?")
    sent, began, last = nonce(), monotonic(), -SEND_EVERY_S
    evidence(
        f"{probe.place.label} to {sent.address} UDP {sent.port}, {len(sent.payload) // 2} bytes, "
        f"looked for at {collector.name} as told by {node.address}"
    )
    while (now := monotonic() - began) < WITHIN_S:
        if now - last >= SEND_EVERY_S:
            probe.ask("reach", targets=[["udp", sent.address, sent.port, sent.payload]], timeout_s=0.2)
            last = now
        sleep(ASK_EVERY_S)
        said = hosts(collector.name).run(question(sent, node))
        if said.rc:
            raise RuntimeError(f"{collector.name}: the store does not tell: {said.stderr.strip()[-300:]}")
        if told(sent, node, said.stdout):
            evidence(f"found after {monotonic() - began:.0f} s")
            return
    raise AssertionError(f"not found at {collector.name} within {WITHIN_S:g} s")


@control("DEV-20", nodes=runs("flows"))
def test_records_are_kept_as_long_as_planned(node: Node, host: Host, evidence: Evidence) -> None:
    """Records are no-one else's to read, none is older than planned, and the job that sees to it works."""
    params = node.services["flows"].params
    assert isinstance(params, Params)
    units = ("lienthong-flows.service", "lienthong-flows-keep.timer")
    states = host.run(f"systemctl is-active {' '.join(units)}").stdout.split()
    result = host.run("systemctl show -P Result lienthong-flows-keep.service").stdout.strip()
    owner = host.run("stat -c '%U %a' /srv/flows /srv/flows/new /srv/flows/store").stdout.splitlines()
    old = host.run(
        f"find /srv/flows -name 'nfcapd.2*' -mtime +{params.retention_days + SLACK_DAYS} -print | head -n 3"
    ).stdout.split()
    said = host.run("nfexpire -l /srv/flows/store 2>/dev/null | grep -E '^(First|Numfiles|Filesize)'").stdout
    evidence(f"the job ended with {result}; {' '.join(said.split()) or 'nothing is in the store yet'}")
    assert states == ["active", "active"], f"{units} are {states}"
    assert result == "success", f"the job that keeps and deletes ended with {result}"
    assert owner == ["lienthong-flows 750"] * 3, f"the folders of records belong to {owner}"
    assert not old, f"older than {params.retention_days} days: {old[0]}"

"""Priority of conferences on the lines: queues as planned, and a call on lines that are full."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from typing import NamedTuple

from lienthong.audit.probes import Probes
from lienthong.checks import Evidence, Host, Hosts, control, not_applicable, not_assessed
from lienthong.conference import endpoint
from lienthong.conference.call import Busy, End, NoCall, Placed, place
from lienthong.conference.measured import beyond
from lienthong.conference.partners import endpoints, number, why_not
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.model.words import WAN_LINES, Side
from lienthong.plan.queues import LineQueues, queues_of
from lienthong.target import Access

LISTEN_S = 8.0
#: From the first packet of the flood through dialling to hanging up, with some air.
FLOOD_S = LISTEN_S + 15
#: Of the line's rate: more than it carries.
TOO_MUCH = 1.5
TRIES = 2
#: Discard (RFC 863): no gateway takes it, but it is for the line to carry it there.
PORT = 9
KBIT = {"bit": 0.001, "Kbit": 1, "Mbit": 1000, "Gbit": 1_000_000}


@control("VC-02")
def test_lines_have_their_queues(site: SitePlan, access: Access, hosts: Hosts, evidence: Evidence) -> None:
    """On each line to another site conferences go before everything but routing, as the plan shares it."""
    known = [(node, line) for node in gateways(site, access) for line in queues_of(node)]
    wrong = []
    for node, line in known:
        evidence(f"{node.name} {line.interface}: {line.rate_kbit / 1000:g} Mbit/s, {len(line.shares)} queues")
        wrong += [f"{node.name} {line.interface}: {text}" for text in differences(line, hosts(node.name))]
    assert not wrong, "\n".join(wrong)
    lines = [uplink.name for uplink in site.uplinks if uplink.kind in WAN_LINES]
    if not lines:
        not_applicable(f"inventory: {site.site.slug} has no line to another site")
    if not gateways(site, access):
        not_assessed(f"no gateway of {site.site.slug} is a Debian system here: what goes first on its lines?")
    if not known:
        not_assessed(f"the inventory gives no bandwidth_mbps of {', '.join(lines)}: does a call wait there?")


@control("VC-02", kind="drill", lab_only=True)
def test_a_call_on_full_lines_loses_nothing(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, hosts: Hosts, evidence: Evidence
) -> None:
    """While a line is filled both ways with packets of no class, a call is set up and loses nothing."""
    hub = next(s for s in plan.sites.values() if s.site.hub)
    ends = {node.site: node for node in endpoints(plan) if access.reaches(node) and why_not(node) is None}
    if site.site.hub or not {site.site.slug, hub.site.slug} <= ends.keys():
        not_applicable(f"inventory: no call goes from {site.site.slug} over a line to the office")
    near, far = (as_end(ends[slug], hosts) for slug in (site.site.slug, hub.site.slug))
    lines = both_ends(site, hub, access)
    for _ in range(TRIES):
        before = [dropped(hosts(one.gateway.name), one.queues) for one in lines]
        placed = call_while_full(near, far, lines, probes)
        after = [dropped(hosts(one.gateway.name), one.queues) for one in lines]
        gone = [now[-1] - was[-1] for now, was in zip(after, before, strict=True)]
        kept = sum(sum(now[:-1]) - sum(was[:-1]) for now, was in zip(after, before, strict=True))
        for line, count in zip(lines, gone, strict=True):
            evidence(f"{line.gateway.name} {line.queues.interface}: {count} packets of no class dropped")
        evidence(f"set up in {placed.setup_ms:.0f} ms; {kept} marked packets dropped in the queues")
        for one in placed.measured:
            evidence(
                f"at {one.listener} from {one.sender}: {one.medium} {one.lost} of {one.expected} lost, "
                f"jitter {one.jitter_ms:.1f} ms, longest gap {one.gap_s * 1000:.0f} ms"
            )
        suffered = [text for one in placed.measured for text in beyond(one)]
        if not suffered or kept:
            break
        # A lab on a busy machine loses packets of every class where a switch was not woken in time.
    assert not suffered, "\n".join(suffered)
    assert all(gone), "a line took all that was sent: it was never full, and nothing is learnt of the queues"


def call_while_full(near: End, far: End, lines: list[Line], probes: Probes) -> Placed:
    """A call from its dialling to its end, while each line gets more than it carries."""
    with ThreadPoolExecutor(len(lines)) as pool:
        floods = [
            pool.submit(
                probes.on(one.gateway.name).ask,
                "flood",
                address=str(one.far),
                port=PORT,
                seconds=FLOOD_S,
                mbps=one.queues.rate_kbit / 1000 * TOO_MUCH,
                wait_s=FLOOD_S + 20,
            )
            for one in lines
        ]
        for who in (near, far):
            endpoint.ask(who.run, "hangup")
        try:
            placed = place(near, far, LISTEN_S)
        except Busy as error:
            not_assessed(f"{error.what}: does it suffer when the line is full?")
        except NoCall as error:
            raise AssertionError(error.what) from error
        for flood in floods:
            flood.result()
    return placed


def gateways(site: SitePlan, access: Access) -> list[Node]:
    """The site's WAN gateways whose queues this tool keeps."""
    found = [node for node in site.nodes.values() if node.is_gateway and node.side is Side.WAN]
    return [node for node in found if node.debian and access.reaches(node)]


class Line(NamedTuple):
    """One end of a line: who sends there, in which queues, and whom it reaches."""

    gateway: Node
    queues: LineQueues
    far: IPv4Address


def both_ends(site: SitePlan, hub: SitePlan, access: Access) -> list[Line]:
    """The site's first line with queues, at the site and at the office."""
    here, there = (next(iter(gateways(one, access)), None) for one in (site, hub))
    if here is None or there is None or here.device is None or there.device is None:
        not_applicable("inventory: a gateway is no Debian system")
    own = {line.interface: line for line in queues_of(here)}
    for uplink in site.uplinks:
        for far in there.device.interfaces:
            if uplink.name in own and uplink.address is not None and far.address.ip == uplink.peer:
                other = next(q for q in queues_of(there) if q.interface == far.name)
                return [Line(here, own[uplink.name], far.address.ip), Line(there, other, uplink.address.ip)]
    return not_applicable(f"inventory: no line of {site.site.slug} has a bandwidth_mbps")


def differences(line: LineQueues, host: Host) -> list[str]:
    """What of the queues on the system is not as planned."""
    told = host.run(
        f"tc class show dev {line.interface}; tc filter show dev {line.interface} parent 1:"
    ).stdout
    classes = {
        found[1]: (float(found[2]) * KBIT[found[3]], float(found[4]) * KBIT[found[5]])
        for found in re.finditer(r"^class htb (\S+) .*?rate ([\d.]+)(\w+) ceil ([\d.]+)(\w+)", told, re.M)
    }
    marks = re.findall(r"flowid 1:(\d+).*\n\s+match 00([0-9a-f]{2})0000/00fc0000 at 0", told)
    sent_to = {int(mark, 16) >> 2: int(queue) for queue, mark in reversed(marks)}
    wrong = []
    for share in line.shares:
        name = f"1:{share.queue.number}"
        if classes.get(name) != (share.rate_kbit, line.rate_kbit):
            wrong.append(f"queue {share.queue.name} is {classes.get(name)} kbit/s, not {share.rate_kbit}")
        wrong += [
            f"DSCP {mark} does not go to the queue of {share.queue.name}"
            for mark in share.queue.marks
            if sent_to.get(mark) != share.queue.number
        ]
    return wrong


def dropped(host: Host, line: LineQueues) -> list[int]:
    """Packets that each queue had no place for so far, in the order of the shares."""
    told = host.run(f"tc -s class show dev {line.interface}").stdout
    found = re.findall(r"^class htb 1:(\d+) [^(]*\(dropped (\d+)", told, re.M)
    counts = {int(number): int(count) for number, count in found}
    return [counts.get(share.queue.number, 0) for share in line.shares]


def as_end(node: Node, hosts: Hosts) -> End:
    """An endpoint as it is called."""

    def run(words: str) -> str:
        return str(hosts(node.name).run(words).stdout)

    return End(node.name, node.site, number(node), node.address, run, run)

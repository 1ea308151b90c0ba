"""Sends the packets that `traffic` thought out, between probes and real systems, and tells what arrived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from random import Random

from lienthong.audit.probes import INTERNET, Probe, Probes
from lienthong.audit.traffic import TCP_PORTS, UDP_PORTS, Shot, Spot, Stage, allows, between, shots
from lienthong.errors import LienThongError
from lienthong.model.intent import End, Flow, Forbidden, ProvincePlan, SitePlan
from lienthong.model.words import Side
from lienthong.target import Access

Address = IPv4Address | IPv6Address
#: Outside systems that the lab plays, by the name of the flow's end.
LAB_OUTSIDE = frozenset({"internet-dns", "updates", "central-wan", "central-net"})
EVERY_PORT = [("tcp", port) for port in TCP_PORTS] + [("udp", port) for port in UDP_PORTS]
WAIT_S = 2.0
#: So long each round of a sweep waits for answers, less than until the second SYN of a connection.
#: The ears are asked later.
SWEEP_WAIT_S = 0.5
#: So often everything is sent: a queue that overflows drops a packet, and what it would have shown.
SWEEP_ROUNDS = 3
#: Types of an echo request, ICMP's and ICMPv6's.
ECHO_REQUESTS = (8, 128)
#: A frame to all in a segment: heard in another, two segments are one. By its scope the sender takes
#: its global address (RFC 6724, 5), by which it is known; the frame is that of ff02::1 (RFC 2464, 7).
EVERYBODY = "ff0e::1"
AGAIN_S = 3.0
ANSWERED = frozenset({"open", "refused", "garbled"})


@dataclass
class Played:
    """What became of the flows of a site."""

    passed: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    not_played: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """sources whose agent did not work"""


@dataclass
class Swept:
    """What came through where nothing may."""

    tried: int = 0
    same_side: list[str] = field(default_factory=list)
    across: list[str] = field(default_factory=list)
    """from one side to the other"""
    blind: list[str] = field(default_factory=list)
    """places whose ears could not be proved to work: nothing was learnt there"""
    pairs: int = 0
    tried6: int = 0
    """of `tried`, those by IPv6"""


def stage_of(plan: ProvincePlan, access: Access, probes: Probes) -> Stage:
    """Everything that can be stood at on this target."""
    return Stage(
        plan,
        {probe.place.label: Spot(probe.place.name, probe.address, True) for probe in probes},
        {node.name: node for node in plan.nodes.values() if access.reaches(node)},
        LAB_OUTSIDE if access.management_interfaces else frozenset(),
    )


def listen(probes: Probes) -> None:
    """Every probe answers on every port that is tried, and remembers what arrives. Once a session."""

    def begin() -> bool:
        started = []
        for probe in probes:
            started.append((probe, probe.begin("watch")))
            started.append((probe, probe.begin("listen", ports=EVERY_PORT)))
        for probe, future in started:
            probe.result(future, "listen")
        return True

    probes.share("listen", begin)


def _by_name(probes: Probes, spot: Spot) -> Probe:
    if not spot.probe:
        return probes.on(spot.name)
    return next(probe for probe in probes if probe.place.name == spot.name)


def play(stage: Stage, probes: Probes, flows: Sequence[Flow]) -> Played:
    """Send through every flow once; what fails is tried again, because the first packet may meet no ARP."""
    listen(probes)
    result = Played()
    work: dict[Spot, list[Shot]] = defaultdict(list)
    for flow in flows:
        if flow.transit:
            continue
        found = shots(stage, flow)
        if isinstance(found, str):
            result.not_played.append(f"{flow.id}: {found}")
            continue
        for shot in found:
            work[shot.src].append(shot)
    with ThreadPoolExecutor(max_workers=max(1, len(work)), thread_name_prefix="play") as pool:
        jobs = {src: pool.submit(_shoot, _by_name(probes, src), batch) for src, batch in work.items()}
    for src, job in jobs.items():
        try:
            outcomes = job.result()
        except LienThongError as error:
            result.broken.append(f"{src.name}: {error.what}")
            continue
        for shot, outcome in zip(work[src], outcomes, strict=True):
            line = f"{src.name} to {shot.dst.name} {shot.address} {shot.proto} {shot.port or ''}: {outcome}"
            if outcome in {"open", "refused"}:
                result.passed.append(line)
            else:
                result.blocked.append(f"{line} ({shot.flow})")
    return result


def _shoot(agent: Probe, batch: list[Shot]) -> list[str]:
    def fire(some: list[Shot], wait_s: float) -> list[str]:
        targets = [[s.proto, str(s.address), s.port, *([s.payload] if s.payload else [])] for s in some]
        answer: list[str] = agent.ask("reach", targets=targets, timeout_s=wait_s, wait_s=wait_s + 25)
        return answer

    outcomes = fire(batch, WAIT_S)
    failed = [i for i, outcome in enumerate(outcomes) if outcome not in {"open", "refused"}]
    if failed:
        for i, outcome in zip(failed, fire([batch[i] for i in failed], AGAIN_S), strict=True):
            outcomes[i] = outcome
    return outcomes


def sweep(
    plan: ProvincePlan,
    access: Access,
    probes: Probes,
    site: SitePlan,
    pairs: Iterable[Forbidden] | None = None,
) -> Swept:
    """Try everything between every ordered pair of the site's forbidden list, but what a flow allows.

    By IPv4 and IPv6 both. A place is believed to hear nothing only if its own gateway reached every one of
    its ports before, by that family.
    """
    listen(probes)
    result = Swept()
    wanted = list(site.forbidden if pairs is None else pairs)
    by_label = {probe.place.label: probe for probe in probes}
    flows = {flow.id: flow for other in plan.sites.values() for flow in other.flows}
    needed = {label for pair in wanted for label in (pair.src.label, pair.dst.label)}
    hearing = _hearing(plan, access, probes, [by_label[label] for label in needed if label in by_label])
    batches: dict[str, list[tuple[Forbidden | None, str, str, int]]] = defaultdict(list)
    for pair in wanted:
        src, dst = by_label.get(pair.src.label), by_label.get(pair.dst.label)
        if src is None or dst is None or not hearing.get(pair.src.label) or not hearing.get(pair.dst.label):
            missing = pair.src.label if src is None or not hearing.get(pair.src.label) else pair.dst.label
            if missing not in result.blind:
                result.blind.append(missing)
            continue
        result.pairs += 1
        for here, there in _families(src, dst):
            open_to = between(flows.values(), here, there)
            batches[pair.src.label] += [
                (pair, proto, str(there), port)
                for proto, port in [*EVERY_PORT, ("icmp", 0)]
                if not allows(open_to, proto, port)
            ]
    _from_outside(site, batches)
    for label, batch in batches.items():
        if by_label[label].place.address6:
            batch.append((None, "icmp", EVERYBODY, 0))
    with ThreadPoolExecutor(max_workers=max(1, len(batches)), thread_name_prefix="sweep") as pool:
        jobs = {
            label: pool.submit(_rounds, by_label[label], [(p, a, n) for _, p, a, n in batch])
            for label, batch in batches.items()
        }
    for label, job in jobs.items():
        outcomes = job.result()
        result.tried += len(outcomes)
        result.tried6 += sum(":" in address for _, _, address, _ in batches[label])
        for (shot, proto, address, port), outcome in zip(batches[label], outcomes, strict=True):
            if shot is not None and outcome in ANSWERED:
                _breach(
                    plan,
                    result,
                    shot,
                    f"{label} to {shot.dst.label} {address} {proto} {port or ''}: {outcome}",
                )
    _arrivals(plan, result, wanted, by_label, flows, hearing)
    return result


def _rounds(probe: Probe, targets: list[tuple[str, str, int]]) -> list[str]:
    """The outcome of each target, of the round in which it was answered.

    Each round has an order of its own: what a full queue drops is always the end of the same burst.
    """
    outcomes = ["silent"] * len(targets)
    order = list(range(len(targets)))
    for number in range(SWEEP_ROUNDS):
        again = probe.reach([targets[i] for i in order], SWEEP_WAIT_S)
        for i, outcome in zip(order, again, strict=True):
            if outcomes[i] not in ANSWERED:
                outcomes[i] = outcome
        Random(number).shuffle(order)  # noqa: S311 - no secret
    return outcomes


def _families(src: Probe, dst: Probe) -> list[tuple[Address, Address]]:
    """(source, target) once for each family that both have."""
    return list(zip(src.addresses, dst.addresses, strict=False))


def _from_outside(site: SitePlan, batches: dict[str, list[tuple[Forbidden | None, str, str, int]]]) -> None:
    """The public address of the site answers on no port but the published ones."""
    pair = next((p for p in site.forbidden if p.src.label == INTERNET), None)
    if pair is None or INTERNET not in batches:
        return
    published = [flow for flow in site.flows if flow.src.label == INTERNET]
    public = [uplink.address.ip for uplink in site.uplinks if uplink.address and uplink.kind == "internet"]
    shown = replace(pair, dst=End(f"{site.site.slug}/public", ()))
    batches[INTERNET] += [
        (shown, proto, str(address), port)
        for address in public
        for proto, port in EVERY_PORT
        if not allows(published, proto, port)
    ]


def _breach(plan: ProvincePlan, result: Swept, pair: Forbidden, line: str) -> None:
    target = next(
        (
            s.side
            for p in plan.sites.values()
            for s in p.segments.values()
            if f"{s.site}/{s.name}" == pair.dst.label
        ),
        Side.NET,
    )
    (result.same_side if target is pair.side_src else result.across).append(line)


def _arrivals(
    plan: ProvincePlan,
    result: Swept,
    pairs: Iterable[Forbidden],
    by_label: dict[str, Probe],
    flows: dict[str, Flow],
    hearing: dict[str, bool],
) -> None:
    """What the ears remember: a packet that arrived is a breach even if no answer went back."""
    sources = {str(address): probe for probe in by_label.values() for address in probe.addresses}
    heard = {label: by_label[label].ask("heard") for label, ears in hearing.items() if ears}
    tried = {*EVERY_PORT, *(("icmp", kind) for kind in ECHO_REQUESTS)}
    told = " ".join([*result.same_side, *result.across])
    for pair in pairs:
        dst = by_label.get(pair.dst.label)
        if dst is None or not hearing.get(pair.dst.label):
            continue
        for source, proto, port, count in heard[pair.dst.label]:
            src = sources.get(source)
            if src is None or src.place.label != pair.src.label or (proto, port) not in tried:
                continue
            number = 0 if proto == "icmp" else port
            here, there = next(ends for ends in _families(src, dst) if str(ends[0]) == source)
            line = f"{pair.src.label} to {pair.dst.label} {there} {proto} {number or ''}:"
            if not allows(between(flows.values(), here, there), proto, number) and line not in told:
                _breach(plan, result, pair, f"{line} {count} arrived")


def _hearing(plan: ProvincePlan, access: Access, probes: Probes, wanted: list[Probe]) -> dict[str, bool]:
    """Whether each probe answers its own gateway on every port (on the Internet: the provider)."""
    found: dict[str, bool] = {}

    def check(probe: Probe) -> bool:
        if probe.place.label == INTERNET:
            name = "isp"
        else:
            gateway = plan.sites[probe.place.site].gateway(probe.place.side)
            if gateway is None or not access.reaches(gateway):
                return False
            name = gateway.name
        targets = [
            (proto, str(address), port)
            for address in probe.addresses
            for proto, port in [*EVERY_PORT, ("icmp", 0)]
        ]
        for _ in range(2):
            try:
                outcomes = probes.share(
                    ("hears", probe.place.label, _), lambda: probes.on(name).reach(targets, WAIT_S)
                )
            except LienThongError:
                return False
            if all(outcome == "open" for outcome in outcomes):
                return True
        return False

    with ThreadPoolExecutor(max_workers=max(1, len(wanted)), thread_name_prefix="hear") as pool:
        jobs = {probe.place.label: pool.submit(check, probe) for probe in wanted}
    for label, job in jobs.items():
        found[label] = job.result()
    return found

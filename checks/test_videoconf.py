"""Conferencing: endpoints registered, real calls with sound and picture, marked, encrypted, taken by hand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from lienthong.checks import Selector, control, not_assessed
from lienthong.conference import endpoint
from lienthong.conference.call import Busy, End, place
from lienthong.conference.endpoint import Run
from lienthong.conference.measured import MARKS, Measured, Medium
from lienthong.errors import LienThongError
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.model.words import Target, Zone
from lienthong.services.videoconf import Params
from lienthong.target import Access

LISTEN_S = 2.0
#: Of the side, on every node (deploys/pki.py).
AUTHORITY = "/etc/lienthong/pki/ca.crt"
#: Endpoints register anew every 30 s, and one that failed is started anew by its timer (20 s without a
#: connection, looked for every 15 s), so a registrar that has just started may not know them yet.
#: Its own first try after a failure comes after a minute at the latest (seen: 55 s).
REGISTER_S = 75
#: An endpoint takes one call at a time; the sites of one audit call one after the other.
CALLS = Lock()
#: Packets of each medium in `LISTEN_S`: a slow machine sends fewer than it should.
LEAST = {Medium.AUDIO: 30, Medium.VIDEO: 8}
SETUP_S = 3.0


def params(node: Node) -> Params | None:
    """What the inventory says of conferencing there, None where there is none."""
    service = node.services.get("videoconf")
    return service.params if service and isinstance(service.params, Params) else None


ENDPOINTS = Selector(
    "a conference endpoint", lambda node: (p := params(node)) is not None and p.role == "endpoint"
)
REGISTRARS = Selector("a registrar", lambda node: (p := params(node)) is not None and p.role == "registrar")


def number(node: Node) -> str:
    """The number that others dial."""
    found = params(node)
    assert found is not None and found.number is not None
    return found.number


def registrar(plan: ProvincePlan, node: Node) -> Node:
    """The registrar of the node's side."""
    return next(n for n in plan.running("videoconf", node.side) if REGISTRARS.matches(n))


def on(host: Any) -> Run:
    """Commands run there as root; a failure shows in what is missing from the output."""
    return lambda line: str(host.run(line).stdout)


def registered(node: Node, host: Any) -> list[str]:
    """Where the registrar has it; one that has just started is given time."""
    ask = (
        f"kamcmd ul.lookup location s:{number(node)}; echo; cat /proc/uptime; "
        "systemctl show -P ActiveEnterTimestampMonotonic kamailio"
    )
    contacts: list[str] = []
    for _ in range(REGISTER_S):
        told = host.run(ask).stdout
        contacts = re.findall(r"Address: sip:[^@\s]*@([\d.]+)", told)
        uptime, started = re.findall(r"^([\d.]+) [\d.]+$", told, re.M), re.findall(r"^(\d+)$", told, re.M)
        young = uptime and started and float(uptime[-1]) - int(started[-1]) / 1e6 < REGISTER_S
        if contacts or not young:
            break
        time.sleep(1)
    return contacts


@control("VC-02", kind="probe", nodes=ENDPOINTS)
def test_endpoint_is_registered(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The registrar knows the endpoint's number, at the endpoint's own address."""
    server = registrar(plan, node)
    contacts = registered(node, hosts(server.name))
    evidence(f"{server.name} has {number(node)} at {', '.join(contacts) or 'no address'}")
    assert contacts == [str(node.address)]


@control("VC-02", kind="probe", nodes=ENDPOINTS)
def test_wrong_password_is_refused(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The registrar proves who it is, speaks in cipher only, and refuses a wrong password."""
    server = registrar(plan, node)
    met = endpoint.refused(on(hosts(node.name)), server.address, number(node), AUTHORITY)
    first, second = met.codes
    evidence(
        f"REGISTER {number(node)} at {server.address} without and with a wrong password: {first}, {second}"
    )
    evidence(f"signalling: {met.tls or met.why}, in the clear: {'taken' if met.unencrypted else 'refused'}")
    assert met.tls in {"TLSv1.2", "TLSv1.3"}, f"{server.name} does not prove who it is: {met.why}"
    assert not met.unencrypted, f"{server.name} takes SIP in the clear, and keys of calls with it"
    assert first == 401, f"no challenge from {server.name}: {first}"
    assert second in {401, 403}, f"a wrong password got {second}"


@control("VC-02", nodes=ENDPOINTS | REGISTRARS)
def test_address_is_private(node: Node, facts: Any, evidence: Any) -> None:
    """The conference system stands in the conference segment and has no public address."""
    found = [a for name, listed in facts.addresses.items() if name not in {"lo", "mgmt0"} for a in listed]
    evidence(f"{node.segment.name} (VLAN {node.segment.vlan}): {', '.join(found)}")
    assert node.segment.zone is Zone.CONFERENCE
    assert [address.split("/")[0] for address in found] == [str(node.address)]
    assert node.address.is_private


@control("VC-01", nodes=ENDPOINTS)
def test_endpoint_is_closed(node: Node, hosts: Any, evidence: Any) -> None:
    """The endpoint runs without rights, its password is its own, and it is driven from nowhere else."""
    told = hosts(node.name).run(
        "ps -o user= -C baresip | sort -u | paste -sd,; stat -c '%a %U' /etc/baresip/accounts; "
        "ss -Hltn 'sport = :4444' | awk '{print $4}' | paste -sd,"
    )
    runs_as, accounts, driven = [*told.stdout.split("\n"), "", "", ""][:3]
    evidence(f"runs as {runs_as or 'nobody'}, accounts {accounts}, driven at {driven or 'nowhere'}")
    # Whether it runs at all is for VC-02 to say.
    assert runs_as in {"", "baresip"}
    assert accounts == "600 baresip"
    assert driven in {"", "127.0.0.1:4444"}


@control("VC-02", kind="probe")
def test_call_carries_sound_and_picture(
    site: SitePlan, plan: ProvincePlan, access: Access, hosts: Any, evidence: Any
) -> None:
    """A call between the site and the office carries sound (EF) and picture (AF41) both ways, encrypted."""
    pair = callers(site, plan, access)
    if pair is None:
        not_assessed("no endpoint of another site is reached from here: does a call carry sound and picture?")
    caller, callee = pair
    near, far = end(caller, hosts), end(callee, hosts)
    for node in pair:
        registered(node, hosts(registrar(plan, node).name))
    with CALLS, silence_is_failure():
        if access.target is Target.LAB:
            for who in (near, far):
                endpoint.ask(who.run, "hangup")
        try:
            placed = place(near, far, LISTEN_S, ring_s=SETUP_S, answer_s=SETUP_S)
        except Busy as error:
            not_assessed(f"{error.what}: is it marked and encrypted?")
    evidence(f"{near.number} calls {far.number}: rings after {placed.ringing_ms:.0f} ms, accepted by hand")
    for one in placed.measured:
        judge(one, evidence)
    counted = {(who, medium): stream for who, medium, stream in placed.counted}
    for name in (near.node, far.node):
        for medium in Medium:
            stream = counted.get((name, medium))
            assert stream is not None, f"{name} has no {medium}"
            evidence(
                f"{name}: {medium} sent {stream.sent}, received {stream.received}, secure {stream.secure}"
            )
            assert stream.sent and stream.received, f"{name}: {medium} goes one way only"
            assert stream.secure, f"{name}: {medium} is not encrypted"


def end(node: Node, hosts: Any) -> End:
    """An endpoint as it is called."""
    run = on(hosts(node.name))
    return End(node.name, node.site, number(node), node.address, run, run)


@contextmanager
def silence_is_failure() -> Iterator[None]:
    """An endpoint that does not run is the site's failure, not one of the check."""
    try:
        yield
    except LienThongError as error:
        raise AssertionError(error.what) from error


def callers(site: SitePlan, plan: ProvincePlan, access: Access) -> tuple[Node, Node] | None:
    """Who calls and who is called: the site calls the office; the office calls the first site it reaches."""
    there = [n for n in plan.nodes.values() if ENDPOINTS.matches(n) and access.reaches(n)]
    mine = [n for n in there if n.site == site.site.slug]
    hubs = {slug for slug, other in plan.sites.items() if other.site.hub}
    others = [n for n in there if n.site != site.site.slug and (n.site in hubs or site.site.slug in hubs)]
    return (mine[0], others[0]) if mine and others else None


def judge(one: Measured, evidence: Any) -> None:
    """A medium arrived, in number, marked as it should be and in cipher."""
    evidence(
        f"at {one.listener} from {one.sender}: {one.medium} {one.packets} packets in {LISTEN_S:g} s, "
        f"DSCP {dict(one.marks)}, {one.lost} lost, jitter {one.jitter_ms:.1f} ms"
    )
    what = f"{one.medium} from {one.sender}"
    assert one.packets >= LEAST[one.medium], (
        f"{what} does not arrive at {one.listener}: {one.packets} packets"
    )
    marks = sorted(mark for mark, _ in one.marks)
    assert marks == [MARKS[one.medium]], f"{what} has DSCP {marks}, wanted is {MARKS[one.medium]}"
    assert one.cipher is not False, f"{what} is not encrypted on the wire"

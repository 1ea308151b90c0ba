"""Gear of vendors, asked by its own command line: VLANs, addresses, who may manage it and from where."""

from __future__ import annotations

from lienthong.checks import SWITCHES, VENDOR, Evidence, control
from lienthong.facts.gear import GearFacts
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import PARKING_VLAN, Side
from lienthong.plan.addressing import SITE_BITS
from lienthong.plan.wanted import CONSOLE_USER, management_networks
from lienthong.target import Access


@control("NET-01", nodes=VENDOR & SWITCHES)
def test_ports_carry_the_planned_vlans(device: GearFacts, node: Node, evidence: Evidence) -> None:
    """Every port of the switch carries the VLANs of the plan and no others; unused ones lead nowhere."""
    assert node.device is not None
    wrong = []
    for port in (port for bridge in node.device.bridges for port in bridge.ports if not port.internal):
        socket = device.socket(port.name)
        live = device.reach.carried.get(socket, frozenset())
        evidence(f"{port.name} ({socket}): {_words(live)}")
        planned = frozenset(port.vlans) if port.enabled else frozenset[int]()
        # What is shut carries nothing; what is not shut but parked leads nowhere.
        if live != planned and (port.enabled or live != {PARKING_VLAN}):
            wrong.append(f"{port.name} ({socket}) carries {_words(live)}, planned {_words(planned)}")
    assert not wrong, "\n".join(wrong)


@control("NET-01", nodes=VENDOR)
def test_addresses_are_the_planned_ones(device: GearFacts, node: Node, evidence: Evidence) -> None:
    """The device has every address of the plan, and no other of its site's range."""
    assert node.device is not None
    planned = {interface.address for interface in node.device.interfaces}
    live = {address: name for name, address in device.addresses}
    evidence(f"{len(live)} addresses, {len(planned)} planned")
    site = node.segment.prefix.supernet(new_prefix=SITE_BITS)
    wrong = [f"{address} is missing" for address in sorted(planned - live.keys())]
    wrong += [
        f"{name} has {address}, which is in no plan"
        for address, name in sorted(live.items())
        if address not in planned and address.ip in site
    ]
    assert not wrong, "\n".join(wrong)


@control("NET-04", nodes=VENDOR)
def test_gear_has_no_leg_in_the_other_side(
    device: GearFacts, node: Node, plan: ProvincePlan, evidence: Evidence
) -> None:
    """The device has no address and carries no VLAN of the other side."""
    other = Side.NET if node.side is Side.WAN else Side.WAN
    segments = [s for site in plan.sites.values() for s in site.segments.values() if s.side is other]
    ranges = {segment.prefix.supernet(new_prefix=SITE_BITS) for segment in segments}
    vlans = {segment.vlan for segment in segments}
    evidence(f"{len(list(device.addresses))} addresses, {len(device.reach.carried)} ports that carry VLANs")
    wrong = [
        f"{name} has {address}"
        for name, address in device.addresses
        if any(address.ip in net for net in ranges)
    ]
    wrong += [
        f"{name} carries {_words(found)}"
        for name, carried in device.reach.carried.items()
        if (found := carried & vlans)
    ]
    assert not wrong, "\n".join(wrong)


@control("DEV-03", nodes=VENDOR)
def test_only_management_networks_may_log_in(
    device: GearFacts, node: Node, plan: ProvincePlan, evidence: Evidence
) -> None:
    """SSH is served, and answered from the management networks of the plan and from nowhere else."""
    known = management_networks(plan, node)
    logins = device.reach.logins or ()
    evidence(f"SSH {device.reach.ssh}; answered from {', '.join(map(str, logins)) or 'nowhere'}")
    assert device.reach.ssh, "SSH is not served"
    wrong = [
        f"logins from {one} are answered" for one in logins if not any(one.subnet_of(net) for net in known)
    ]
    wrong += [
        f"logins from {net} are not answered"
        for net in known
        if not any(net.subnet_of(one) for one in logins)
    ]
    assert not wrong, "\n".join(wrong)


@control("DEV-05", nodes=VENDOR)
def test_local_accounts_work_when_no_server_answers(device: GearFacts, evidence: Evidence) -> None:
    """A local account may log in, at least while no server for logins answers."""
    evidence(f"local accounts may log in: {device.reach.local}")
    assert device.reach.local, "nobody could log in while the servers for logins are away"


@control("DEV-08", nodes=VENDOR)
def test_accounts_are_the_planned_ones(device: GearFacts, access: Access, evidence: Evidence) -> None:
    """The tool's account and the console's may configure the device; none of the maker is left."""
    known = {access.network_user, CONSOLE_USER}
    users = device.reach.users or frozenset()
    evidence(f"accounts that configure: {', '.join(sorted(users)) or 'none'}")
    assert access.network_user in users, f"the account {access.network_user} is missing"
    assert users <= known, f"in no plan: {', '.join(sorted(users - known))}"


def _words(vlans: frozenset[int]) -> str:
    """VLANs for people."""
    found = sorted(vlans)
    if len(found) > 20:
        return f"{len(found)} VLANs, {found[0]} to {found[-1]}"
    return ", ".join(map(str, found)) or "nothing"

"""Names: they resolve, blocked ones do not, and no other resolver is reached."""

from __future__ import annotations

from lienthong.audit.play import listen
from lienthong.audit.probes import Probe, Probes
from lienthong.checks import Evidence, control, not_applicable, not_assessed
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.model.words import Side
from lienthong.services.dns import DOH, Params
from lienthong.target import Access

NXDOMAIN, NOBODY = 3, -1


def _asking(site: SitePlan, plan: ProvincePlan, probes: Probes, side: Side) -> tuple[Probe, str, Node]:
    """A users' probe of that side and the address of its resolver."""
    segment = next((s for s in site.segments.values() if s.side is side and s.zone == "users"), None)
    if segment is None:
        not_applicable(f"inventory: {site.site.slug} has no users on side {side}")
    servers = [n for n in plan.running("dns", side) if n.site == site.site.slug]
    if not servers:
        not_applicable(f"inventory: no resolver of side {side} in {site.site.slug}")
    resolver = segment.gateway if servers[0].is_gateway else servers[0].address
    return probes.need(site.site.slug, segment.name), str(resolver), servers[0]


@control("NET-08", kind="probe", gear=True)
def test_names_of_the_wan_side_resolve(
    site: SitePlan, plan: ProvincePlan, probes: Probes, evidence: Evidence
) -> None:
    """A workstation of the WAN side resolves systems of its own site and of the office."""
    _resolve(site, plan, probes, evidence, Side.WAN)


@control("NET-08", kind="probe", gear=True)
def test_names_of_the_internet_side_resolve(
    site: SitePlan, plan: ProvincePlan, probes: Probes, access: Access, evidence: Evidence
) -> None:
    """A workstation of the Internet side resolves systems of its side, and names of the Internet."""
    probe, resolver = _resolve(site, plan, probes, evidence, Side.NET)
    if access.management_interfaces:
        answer = probe.ask("dns", server=resolver, name="www.example.org")
        evidence(f"www.example.org: {answer}")
        assert answer["code"] == 0 and answer["answers"], f"a name of the Internet does not resolve: {answer}"


def _resolve(
    site: SitePlan, plan: ProvincePlan, probes: Probes, evidence: Evidence, side: Side
) -> tuple[Probe, str]:
    probe, resolver, _ = _asking(site, plan, probes, side)
    hub = next(s for s in plan.sites.values() if s.site.hub)
    wrong = []
    for node in [n for s in (site, hub) for n in s.nodes.values() if n.side is side][:12]:
        answer = probe.ask("dns", server=resolver, name=node.fqdn)
        evidence(f"{node.fqdn}: {answer}")
        if answer["code"] != 0 or str(node.address) not in answer["answers"]:
            wrong.append(f"{node.fqdn}: {answer}, planned {node.address}")
    assert not wrong, "\n".join(wrong)
    return probe, resolver


@control("NET-08", kind="probe")
def test_blocked_names_are_refused(
    site: SitePlan, plan: ProvincePlan, probes: Probes, evidence: Evidence
) -> None:
    """A name on the block list is answered as if it did not exist."""
    probe, resolver, server = _asking(site, plan, probes, Side.NET)
    params = server.services["dns"].params
    assert isinstance(params, Params)
    blocked = params.blocked
    if not blocked:
        not_assessed(f"{site.site.slug} blocks no name: is the DNS filter meant to be empty?")
    for name in blocked:
        for asked in (name, f"www.{name}"):
            answer = probe.ask("dns", server=resolver, name=asked)
            evidence(f"{asked}: {answer}")
            assert answer["code"] == NXDOMAIN, f"{asked} is answered with {answer}"


@control("NET-08", kind="probe")
def test_names_of_other_resolvers_are_refused(
    site: SitePlan, plan: ProvincePlan, probes: Probes, evidence: Evidence
) -> None:
    """Resolvers that answer by HTTPS are not found by their names, by which browsers look for them."""
    probe, resolver, server = _asking(site, plan, probes, Side.NET)
    params = server.services["dns"].params
    assert isinstance(params, Params)
    if params.doh:
        not_applicable(f"inventory: {server.name} lets resolvers by HTTPS be found")
    codes = {name: probe.ask("dns", server=resolver, name=name)["code"] for name in DOH}
    evidence(", ".join(f"{name} {code}" for name, code in codes.items()))
    found = [name for name, code in codes.items() if code != NXDOMAIN]
    assert not found, f"found: {', '.join(found)}"


@control("NET-08", kind="probe")
def test_no_other_resolver_answers(
    site: SitePlan, plan: ProvincePlan, access: Access, probes: Probes, evidence: Evidence
) -> None:
    """A workstation reaches no resolver but its own: not the provider's, not another on the Internet."""
    probe, resolver, _ = _asking(site, plan, probes, Side.NET)
    if probes.internet is None:
        not_assessed("nobody listens on the Internet: does a foreign resolver answer?")
    listen(probes)
    for server in (str(plan.outside["internet-dns"]), str(probes.internet.address)):
        for tcp in (False, True):
            answer = probe.ask("dns", server=server, name="www.example.org", tcp=tcp, timeout_s=1.5)
            evidence(f"{server} by {'tcp' if tcp else 'udp'}: {answer['code']}")
            assert answer["code"] == NOBODY, f"{server} answers by {'tcp' if tcp else 'udp'}: {answer}"
    outside = str(probes.internet.address)
    encrypted = probe.reach([("tcp", outside, 853)])
    evidence(f"{outside} by TLS (853): {encrypted[0]}")
    assert encrypted != ["open"], f"{outside} answers on 853, DNS over TLS (RFC 7858)"
    own = probe.ask("dns", server=resolver, name=next(iter(site.nodes.values())).fqdn)
    assert own["code"] != NOBODY, "its own resolver does not answer either, so nothing was shown"

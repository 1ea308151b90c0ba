"""What a conference endpoint with a software of its own is told. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface

from lienthong.model.endpoint import EndpointWanted
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import SecretRef
from lienthong.plan.wanted import management_networks
from lienthong.services.videoconf import RTP
from lienthong.services.videoconf import Params as Videoconf

#: Cisco takes 50 characters for the name of a system; nobody reads more of a name on a screen.
DISPLAY_CHARS = 50


def endpoint_wanted(plan: ProvincePlan, node: Node) -> EndpointWanted:
    """What an endpoint must be told.

    Raises:
        ValueError: the node is a Debian system, or no endpoint.
    """
    service = node.services.get("videoconf")
    params = service.params if service else None
    if node.platform is None or not isinstance(params, Videoconf) or params.number is None:
        raise ValueError(f"{node.name} is no endpoint with a software of its own")
    site = plan.sites[node.site].site
    host = site.hosts[node.short]
    resolvers = plan.running("dns", node.side)
    near = [one for one in resolvers if one.site == node.site]
    return EndpointWanted(
        node=node.name,
        platform=node.platform,
        model=host.model,
        mac=host.mac,
        display=_display(site.name.vi),
        number=params.number,
        realm=plan.domain,
        password=SecretRef(f"sip/{node.name}"),
        registrar=_registrar(plan, node),
        address=IPv4Interface(f"{node.address}/{node.segment.prefix.prefixlen}"),
        gateway=node.segment.gateway,
        domain=node.fqdn.split(".", 1)[1],
        resolvers=_addresses(near or resolvers),
        ntp=_addresses(plan.running("ntp", node.side)),
        syslog=_addresses(plan.running("logs", node.side)),
        networks=management_networks(plan, node),
        rtp=RTP[0],
    )


def endpoints(plan: ProvincePlan, site: str, kinds: frozenset[str]) -> list[EndpointWanted]:
    """The endpoints of a site that are of one of these platforms, by name."""
    return [endpoint_wanted(plan, node) for node in plan.sites[site].nodes.values() if node.platform in kinds]


def _registrar(plan: ProvincePlan, node: Node) -> IPv4Address | None:
    for other in plan.running("videoconf", node.side):
        params = other.services["videoconf"].params
        if isinstance(params, Videoconf) and params.role == "registrar":
            return other.address
    return None


def _display(name: str) -> str:
    return name[:DISPLAY_CHARS].rstrip()


def _addresses(nodes: list[Node]) -> tuple[IPv4Address, ...]:
    return tuple(node.address for node in nodes)

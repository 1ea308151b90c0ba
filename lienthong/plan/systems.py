"""What an information system of the inventory yields: flows with their reason, and a DNS name."""

from __future__ import annotations

from lienthong.model.site import Site, System
from lienthong.model.words import Reach
from lienthong.services import Ends, FlowSpec

#: Flows of a system say `system-<slug>` as their origin, so that no system can pass for the matrix.
ORIGIN = "system-"


def on_host(site: Site, host: str) -> dict[str, System]:
    """The systems that run on one host of a site, by slug."""
    return {slug: system for slug, system in sorted(site.systems.items()) if system.host == host}


def flows(system: System, hub: str, watched: bool) -> tuple[FlowSpec, ...]:
    """What may reach a system, and what it reaches, beyond the matrix; resolved on the system's own side.

    Args:
        watched: somebody of the side runs monitoring, and asks what the system wants asked.
    """
    found = []
    if watched and system.watch:
        ports = tuple((port, port) for port in sorted({watch.port for watch in system.watch}))
        found.append(FlowSpec(Ends(service="monitoring"), Ends(here=True), "tcp", ports, "is it there?"))
    for reached in system.reached_by:
        src = Ends(
            zone=reached.zone,
            near=reached.sites is Reach.OWN,
            site=hub if reached.sites is Reach.OFFICE else None,
        )
        ports = tuple((port, port) for port in sorted(set(reached.ports)))
        found.append(FlowSpec(src, Ends(here=True), reached.proto, ports, reached.why))
    for reach in system.reaches:
        dst = Ends(node=reach.node, service=reach.service, outside=reach.outside)
        ports = tuple((port, port) for port in sorted(set(reach.ports)))
        found.append(FlowSpec(Ends(here=True), dst, reach.proto, ports, reach.why))
    return tuple(found)

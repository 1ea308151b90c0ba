"""The internal web server of a site, as its users see it."""

from __future__ import annotations

from typing import Any

from lienthong.checks import control, not_assessed, runs
from lienthong.hosts.certificates import authority
from lienthong.hosts.web import judge
from lienthong.model.intent import Node, SitePlan
from lienthong.model.secret import SecretStore
from lienthong.model.words import Zone
from lienthong.target import Access


@control("APP-01", kind="probe", nodes=runs("app"))
def test_app_from_users(
    node: Node, site: SitePlan, access: Access, secrets: SecretStore, probes: Any, evidence: Any
) -> None:
    """The internal server answers the site's users by TLS 1.2 or newer, trusted, over 30 days to run."""
    places = [
        probe
        for segment in site.segments.values()
        if segment.side is node.side and segment.zone is Zone.USERS
        if (probe := probes.at(site.site.slug, segment.name)) is not None
    ]
    if not places:
        not_assessed(f"no probe stands among the users: does {node.fqdn} answer there, and trusted?")
    name = (*node.names, node.fqdn)[0]
    ca = authority(access, node.side, secrets).pem
    evidence(f"https://{name}/ at {node.address} from {places[0].place.label}")
    judge(places[0].ask("https", address=str(node.address), name=name, authority=ca), evidence)

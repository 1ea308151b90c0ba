"""The Internet server in the DMZ, as somebody on the Internet sees it."""

from __future__ import annotations

from typing import Any

from lienthong.audit.probes import INTERNET
from lienthong.checks import control, not_assessed, runs
from lienthong.hosts.certificates import authority
from lienthong.hosts.web import judge
from lienthong.model.intent import Node, SitePlan
from lienthong.model.secret import SecretStore
from lienthong.model.words import UplinkKind
from lienthong.target import Access


def public_address(site: SitePlan) -> str:
    """The address by which the site's Internet server is reached from outside."""
    for uplink in site.uplinks:
        if uplink.kind is UplinkKind.INTERNET and uplink.address is not None:
            return str(uplink.address.ip)
    raise AssertionError(f"{site.site.slug} has no public address")


@control("APP-01", kind="probe", nodes=runs("portal"))
def test_portal_from_outside(
    node: Node, site: SitePlan, access: Access, secrets: SecretStore, probes: Any, evidence: Any
) -> None:
    """The portal answers from the Internet by TLS 1.2 or newer, trusted, with HSTS, over 30 days to run."""
    outside = probes.internet
    if outside is None:
        not_assessed(f"no probe stands on the Internet: does {node.fqdn} answer from there, and trusted?")
    address, name = public_address(site), (*node.names, node.fqdn)[0]
    ca = authority(access, node.side, secrets).pem
    evidence(f"https://{name}/ at {address} from the {INTERNET}")
    judge(outside.ask("https", address=address, name=name, authority=ca), evidence)


@control("APP-01", kind="probe", nodes=runs("portal"))
def test_portal_shows_nothing_else(node: Node, site: SitePlan, probes: Any, evidence: Any) -> None:
    """From the Internet nothing but 443 of the site's public address answers."""
    outside = probes.internet
    if outside is None:
        not_assessed(f"no probe stands on the Internet: what of {node.fqdn} answers from there?")
    address = public_address(site)
    ports = (22, 80, 443, 2514, 5060, 8080, 9090, 9100)
    seen = outside.reach([("tcp", address, port) for port in ports])
    told = dict(zip(ports, seen, strict=True))
    evidence(f"{address}: " + ", ".join(f"{port} {word}" for port, word in told.items()))
    assert told.pop(443) == "open"
    answering = [port for port, word in told.items() if word == "open"]
    assert not answering, f"ports {answering} of {address} answer from the Internet"


@control("APP-01", nodes=runs("portal") | runs("app"))
def test_documents_are_read_only(node: Node, hosts: Any, evidence: Any) -> None:
    """The web server and the vault's account can read the documents and change none."""
    script = "".join(
        f"runuser -u {account} -- sh -c 'test -r /srv/documents && echo {account} reads; "
        f"test -w /srv/documents && echo {account} writes'\n"
        for account in ("www-data", "lienthong-fetch")
    )
    told = hosts(node.name).run(script + "stat -c '%U %a' /srv/documents").stdout.splitlines()
    evidence(", ".join(told))
    assert told == ["www-data reads", "lienthong-fetch reads", "docs 2750"]

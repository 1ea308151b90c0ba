"""Video conferencing: the registrar (kamailio) with every endpoint's account, and the endpoints (baresip)."""

from __future__ import annotations

from hashlib import md5

from pyinfra import host

from lienthong.hosts.deploying import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    File,
    Folder,
    place,
    render,
    service,
    tidy,
    user,
)
from lienthong.model.intent import Node
from lienthong.model.secret import SecretRef
from lienthong.model.words import Zone
from lienthong.services.videoconf import Params
from lienthong.workspace import workspace

ACCOUNTS = "/etc/baresip/accounts"
REACHABLE = "baresip-reachable.timer"
UNITS = "/etc/systemd/system"
space = workspace()
me = space.node(host.name)


def params(node: Node) -> Params:
    """What the inventory says of conferencing on that node."""
    found = node.services["videoconf"].params
    assert isinstance(found, Params)
    return found


def password(node: Node) -> str:
    """The endpoint's password, to be used at once."""
    return space.secrets.get(SecretRef(f"sip/{node.name}")).reveal()


def registrar() -> None:
    """kamailio: it holds HA1 hashes only, and answers nobody outside the conference segments."""
    realm = space.plan.domain
    accounts = []
    for node in space.plan.running("videoconf", me.side):
        number = params(node).number
        if number is not None:
            # MD5 is what SIP digest authentication is made of (RFC 3261, 22.4).
            ha1 = md5(f"{number}:{realm}:{password(node)}".encode(), usedforsecurity=False).hexdigest()
            accounts.append((number, ha1))
    prefixes = [
        segment.prefix
        for site in space.plan.sites.values()
        for segment in site.segments.values()
        if segment.side is me.side and segment.zone is Zone.CONFERENCE
    ]
    files = (
        File(
            "/etc/kamailio/kamailio.cfg",
            render("videoconf/kamailio.cfg.j2", me=me, realm=realm, prefixes=sorted(prefixes)),
            mode="0640",
            group="kamailio",
        ),
        File(
            "/etc/kamailio/tls.cfg",
            render("videoconf/tls.cfg.j2", key=KEY, certificate=CERTIFICATE, authority=AUTHORITY),
        ),
        File(
            "/etc/kamailio/accounts.cfg",
            render("videoconf/accounts.cfg.j2", accounts=sorted(accounts)),
            mode="0640",
            group="kamailio",
        ),
        File(f"{UNITS}/kamailio.service.d/lienthong.conf", render("videoconf/kamailio.service.conf")),
    )
    place(*files, name="videoconf: registrar's files")
    service(
        "kamailio",
        watch=(*(file.path for file in files), KEY, CERTIFICATE, AUTHORITY),
        renewal="reload",
        check="kamailio -c -f /etc/kamailio/kamailio.cfg >/dev/null 2>&1",
        name="videoconf: registrar",
    )


def endpoint(number: str) -> None:
    """baresip as a user without rights; it never answers by itself."""
    registrars = [
        node for node in space.plan.running("videoconf", me.side) if params(node).role == "registrar"
    ]
    if not registrars:
        return  # of one that is retired everything goes, its password too
    user("baresip", home="/var/lib/baresip", name="videoconf: account of the endpoint")
    files = (
        File("/etc/baresip/config", render("videoconf/baresip.config.j2", me=me, authority=AUTHORITY)),
        File(
            ACCOUNTS,
            render(
                "videoconf/accounts.j2", number=number, registrar=registrars[0].address, password=password(me)
            ),
            mode="0600",
            user="baresip",
            group="baresip",
        ),
        File(f"{UNITS}/baresip.service", render("videoconf/baresip.service")),
    )
    timer = File(f"{UNITS}/{REACHABLE}", render(f"videoconf/{REACHABLE}"))
    look = (
        File(
            "/usr/local/sbin/lienthong-reachable",
            render("videoconf/reachable.sh", registrar=registrars[0].address),
            mode="0755",
        ),
        File(f"{UNITS}/baresip-reachable.service", render("videoconf/baresip-reachable.service")),
        timer,
    )
    place(Folder("/etc/baresip"), *files, *look, name="videoconf: endpoint's files")
    service("baresip", watch=tuple(file.path for file in files), name="videoconf: endpoint")
    service(REACHABLE, watch=(timer.path,), name="videoconf: registers again after an outage")


if me.runs("videoconf"):
    mine = params(me)
    if mine.role == "registrar":
        registrar()
    elif mine.number is not None:
        endpoint(mine.number)
tidy("videoconf")

"""A certificate for every node from the authority of its side; its key is made on the node and stays there.

Owns /etc/lienthong/pki/. Services that may read the key are in the group lienthong-pki. Where the side has an
issuing authority (deploys/ca.py) its key is made here too, on its host, and the side's root certifies it;
every node then believes both. A node waits for it while this very run is yet to make it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from pyinfra import host, inventory, state
from pyinfra.api import StringCommand, operation

from lienthong.errors import LienThongError
from lienthong.hosts.certificates import authority, utc_now
from lienthong.hosts.deploying import (
    AUTHORITY,
    PKI_GROUP,
    Asked,
    File,
    Folder,
    certificate,
    claim,
    group,
    place,
    put,
    tidy,
)
from lienthong.hosts.issuing import believed, sign_issuing
from lienthong.hosts.nodestate import node_state
from lienthong.hosts.trust import content_once
from lienthong.model.intent import Node
from lienthong.model.words import Side
from lienthong.workspace import workspace

ISSUING = "/etc/lienthong/pki/issuing.crt"
CA_FOLDER = "/etc/lienthong/ca"
CA_KEY = f"{CA_FOLDER}/issuing.key"
CA_CERTIFICATE = f"{CA_FOLDER}/issuing.crt"
WAIT_S = 90
#: Makes the key where there is none and prints a request signed with it; one umask for all.
REQUEST = rf"""set -e; umask 077; cd {CA_FOLDER}
openssl pkey -in issuing.key -noout 2>/dev/null || {{
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out issuing.key.new
  mv -f issuing.key.new issuing.key
}}
openssl req -new -key issuing.key -subj /CN=issuing"""

space = workspace()
me = space.node(host.name)
ca = authority(space.access, me.side, space.secrets)


@operation()  # type: ignore[untyped-decorator]
def issuing_authority() -> Iterator[StringCommand]:
    """The key of the issuing authority, and the root's certificate for it."""
    if CA_KEY not in node_state().files or not believed(node_state().issuing, ca, utc_now()):
        yield Asked(f"new {CA_CERTIFICATE}, certified by the root of the side", certify)


def certify() -> None:
    """To and fro between the host and the controller."""
    good, output = host.run_shell_command(StringCommand(REQUEST), _sudo=True)
    if not good:
        raise LienThongError(f"{me.name}: no request of an issuing authority: {output.stderr}")
    province = space.inventory.province
    pool = province.wan_pool if me.side is Side.WAN else province.net_pool
    networks = [pool, province.link_pool]
    domain = f"{me.side}.{space.plan.domain}"
    put(File(CA_CERTIFICATE, sign_issuing(output.stdout, me.name, domain, networks, ca, utc_now())))


def known(server: Node) -> str:
    """The issuing authority as its host has it; empty while there is none, or no way to it."""
    return believed(content_once(space.access, server, CA_CERTIFICATE) or "", ca, utc_now())


@operation()  # type: ignore[untyped-decorator]
def believe(server: Node) -> Iterator[StringCommand]:
    """Root and issuing authority, once the latter is there."""
    node_state().touched |= {AUTHORITY, ISSUING}
    yield Asked(f"change {AUTHORITY}: {server.name} issues too", partial(wait_for, server))


def wait_for(server: Node) -> None:
    """Until the host of the issuing authority has its certificate; this run is about to make it."""
    until = time.monotonic() + WAIT_S
    while not (issuing := known(server)):
        if time.monotonic() > until:
            raise LienThongError(f"{server.name} has no issuing authority: apply its site first")
        time.sleep(1)
    put(File(ISSUING, issuing), File(AUTHORITY, ca.pem + issuing))


def in_this_run(node: Node) -> bool:
    found = inventory.get_host(node.name, default=None)
    return found is not None and state.is_host_in_limit(found)


group(PKI_GROUP, "prometheus", name="pki: who may read the key")
servers = [node for node in space.plan.running("ca", me.side) if space.access.reaches(node)]
place(
    Folder("/etc/lienthong"),
    Folder("/etc/lienthong/pki"),
    *([Folder(CA_FOLDER)] if me.runs("ca") else []),
    name="pki: folders",
)
if me.runs("ca"):
    claim(("file", CA_KEY), ("file", CA_CERTIFICATE))
    issuing_authority(name="pki: issuing authority")
# What a node believes already is good enough while the host of the issuing authority is out of reach.
issuing = (known(servers[0]) or believed(node_state().authority, ca, utc_now())) if servers else ""
if issuing:
    place(File(ISSUING, issuing), File(AUTHORITY, ca.pem + issuing), name="pki: authorities")
elif servers and in_this_run(servers[0]):
    claim(("file", ISSUING), ("file", AUTHORITY))
    believe(servers[0], name="pki: authorities")
else:
    place(File(AUTHORITY, ca.pem), name="pki: authority")
certificate(me, ca, issuing, name="pki: certificate")
tidy("pki")

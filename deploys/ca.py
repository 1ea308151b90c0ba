"""Certificates that renew themselves: the issuing service of a side, and the timer on every node that asks.

The key of the issuing authority is made by deploys/pki.py. The service gets its list of nodes from the
inventory, so that a system that is retired gets no certificate after the next apply.
"""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.deploying import File, Folder, place, render, service, tidy, user
from lienthong.services.ca import PORT, Params
from lienthong.workspace import workspace

ACCOUNT = "lienthong-ca"
CONF = "/etc/lienthong/ca"
STATE = "/var/lib/lienthong/ca"
UNITS = "/etc/systemd/system"
DAY_S = 86400
#: Made by deploys/pki.py, and read by the service through systemd, which alone may open it.
SECRET = f"{CONF}/issuing.key"
PASSED_ON = "/run/credentials/lienthong-ca.service/issuing.key"

space = workspace()
me = space.node(host.name)
servers = space.plan.running("ca", me.side)


def serve(params: Params) -> None:
    """The service, with everything it may say of the side's nodes."""
    nodes = {
        node.name: {
            "fqdn": node.fqdn,
            "names": sorted({node.fqdn, *node.names}),
            "address": str(node.address),
        }
        for node in space.plan.nodes.values()
        if node.side is me.side
    }
    said = {
        "address": str(me.address),
        "port": PORT,
        "life_s": params.life_days * DAY_S,
        "revoked": sorted(params.revoked),
        "nodes": nodes,
    }
    user(ACCOUNT, home=STATE, name="ca: account of the issuing authority")
    program = File("/usr/local/lib/lienthong/ca", render("ca/serve.py"), mode="0755")
    unit = File(
        f"{UNITS}/lienthong-ca.service", render("ca/lienthong-ca.service.j2", state=STATE, key=SECRET)
    )
    conf = File(
        f"{CONF}/openssl.cnf",
        render("ca/openssl.cnf.j2", certificate=f"{CONF}/issuing.crt", key=PASSED_ON, state=STATE),
    )
    place(
        Folder("/usr/local/lib/lienthong"),
        Folder(CONF),
        # What was issued is a record, and stays.
        Folder(STATE, mode="0700", user=ACCOUNT, group=ACCOUNT, after="keep"),
        File(f"{CONF}/job.json", json.dumps(said, indent=1, sort_keys=True) + "\n"),
        conf,
        program,
        unit,
        name="ca: issuing authority",
    )
    service(
        "lienthong-ca", watch=(program.path, unit.path, conf.path, SECRET), name="ca: issuing authority runs"
    )


if me.runs("ca"):
    mine = me.services["ca"].params
    assert isinstance(mine, Params)
    serve(mine)
if servers:
    asked = {"name": me.name, "fqdn": me.fqdn, "server": str(servers[0].address), "port": str(PORT)}
    timer = File(f"{UNITS}/lienthong-renew.timer", render("ca/lienthong-renew.timer"))
    place(
        File("/etc/lienthong/renew.json", json.dumps(asked, indent=1) + "\n"),
        File("/usr/local/sbin/lienthong-renew", render("ca/renew.py"), mode="0755"),
        File(f"{UNITS}/lienthong-renew.service", render("ca/lienthong-renew.service")),
        timer,
        name="ca: renewal",
    )
    service("lienthong-renew.timer", watch=(timer.path,), name="ca: renewal by itself")
tidy("ca")

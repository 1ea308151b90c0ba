"""Packages from a signed snapshot: the host that serves it, and the one source of every system of its side.

Owns /etc/lienthong/mirror/, /etc/apt/apt.conf.d/99lienthong and /srv/mirror/. What others wrote to apt's
lists of sources stays as it is, and is not read. The web server is a process of its own with an account that
can only read, beside whatever else the host serves (`app`, `portal`).
"""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.deploying import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    File,
    Folder,
    packages,
    place,
    render,
    service,
    tidy,
)
from lienthong.lab.apt import SUITE
from lienthong.mirror.pinned import pinned
from lienthong.mirror.wanted import serving
from lienthong.services.mirror import PACKAGES, PORT
from lienthong.workspace import workspace

CONF = "/etc/lienthong/mirror"
PINNED = f"{CONF}/key.asc"
SOURCE = f"{CONF}/mirror.list"
APT = "/etc/apt/apt.conf.d/99lienthong"
PROGRAM = "/usr/local/sbin/lienthong-mirror"
STORE = "/srv/mirror"
UNIT = "/etc/systemd/system/lienthong-mirror.service"

space = workspace()
me = space.node(host.name)
server = serving(space.plan, me)


def serve() -> None:
    """The web server, and the program that takes what an officer publishes."""
    packages(*PACKAGES, name="mirror: web server")
    if not (me.runs("app") or me.runs("portal")):
        service("nginx", enabled=False, running=False, name="mirror: no page of the package's own")
    said = {"store": STORE, "key": PINNED, "suite": SUITE}
    conf = File(
        f"{CONF}/nginx.conf",
        render(
            "mirror/nginx.conf.j2",
            certificate=CERTIFICATE,
            key=KEY,
            address=me.address,
            port=PORT,
            names=(me.fqdn, *me.names),
            root=f"{STORE}/current",
        ),
    )
    unit = File(UNIT, render("mirror/lienthong-mirror.service.j2", conf=conf.path, store=STORE))
    place(
        # Somebody carried it here.
        Folder(STORE, after="keep"),
        File(f"{CONF}/mirror.json", json.dumps(said, indent=1) + "\n"),
        File(PROGRAM, render("mirror/mirror.py"), mode="0755"),
        conf,
        unit,
        name="mirror: what serves packages",
    )
    service(
        "lienthong-mirror",
        watch=(conf.path, unit.path, CERTIFICATE, KEY),
        renewal="reload",
        name="mirror: packages are served",
    )


if server is not None:
    place(
        Folder("/etc/lienthong"),
        Folder(CONF),
        File(PINNED, pinned(space.access, space.secrets).rstrip("\n") + "\n"),
        File(SOURCE, render("mirror/mirror.list.j2", key=PINNED, server=server.fqdn, port=PORT, suite=SUITE)),
        File(APT, render("mirror/apt.conf.j2", source=SOURCE, authority=AUTHORITY)),
        name="mirror: the one source of packages",
    )
    if me.runs("mirror"):
        serve()
tidy("mirror")

"""The Internet server in the DMZ: a page and documents over TLS, and nothing else."""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import tidy
from lienthong.hosts.webserver import web_server
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)
if me.runs("portal"):
    web_server(me, space.site(me.site).site, "portal/index.html.j2", per_source=20)
tidy("portal")

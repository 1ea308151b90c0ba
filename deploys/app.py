"""The internal web server of a site: a page that stands for the paperless meeting room, with documents."""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import tidy
from lienthong.hosts.webserver import web_server
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)
if me.runs("app"):
    web_server(me, space.site(me.site).site, "app/index.html.j2")
tidy("app")

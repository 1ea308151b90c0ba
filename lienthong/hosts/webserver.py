"""A web server that shows a page and documents over TLS: what deploys/portal.py and deploys/app.py share.

Documents in /srv/documents belong to the account `docs`; the web server and the vault's account read them by
that group and can change nothing. The certificate is the node's own (deploys/pki.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.hosts.deploying import (
    CERTIFICATE,
    KEY,
    File,
    Folder,
    absent,
    group,
    packages,
    place,
    render,
    service,
    user,
)
from lienthong.model.intent import Node
from lienthong.model.site import Site
from lienthong.services.portal import PACKAGES

CONF = "/etc/nginx/nginx.conf"
UNIT = "/etc/systemd/system/nginx.service.d/lienthong.conf"
WAF = "/etc/nginx/lienthong-waf.conf"
PAGE = "/usr/local/lib/lienthong/www/index.html"
DOCUMENTS = "/srv/documents"
READERS = "docs"


@dataclass(frozen=True)
class Public:
    """What a web server has besides when anybody on the Internet may ask it."""

    per_source: int
    """connections that one source may hold"""
    redirect: bool = False
    """answer on port 80 too, and send on to 443"""


def web_server(me: Node, site: Site, page: str, public: Public | None = None) -> None:
    """Everything of the web server on `me`.

    Args:
        page: template of the first page.
        public: limits and the application firewall; None on a server that only the site's own users reach.
    """
    topic = page.split("/")[0]
    rules: tuple[File, ...] = ()
    if public is not None:
        packages(*PACKAGES, name=f"{topic}: application firewall")
        rules = (File(WAF, render("portal/waf.conf.j2")),)
    packages("nginx-light", name=f"{topic}: web server")
    user(READERS, home="/var/lib/docs", name=f"{topic}: account that owns the documents")
    group(READERS, "www-data", name=f"{topic}: readers of the documents")
    conf = File(
        CONF,
        render(
            "portal/nginx.conf.j2",
            me=me,
            names=(me.fqdn, *me.names),
            certificate=CERTIFICATE,
            key=KEY,
            public=public,
            waf=WAF,
        ),
    )
    unit = File(UNIT, render("portal/nginx.service.conf"))
    place(
        Folder("/usr/local/lib/lienthong"),
        Folder("/usr/local/lib/lienthong/www", after="wipe"),
        # The s bit gives every new document to the group that may read it.
        Folder(DOCUMENTS, mode="2750", user=READERS, group=READERS, after="keep"),
        File(PAGE, render(page, site=site)),
        conf,
        *rules,
        unit,
        name=f"{topic}: page, documents, web server's files",
    )
    absent("/etc/nginx/sites-enabled/default", name=f"{topic}: no page of the package's own")
    service(
        "nginx",
        watch=(conf.path, *(rule.path for rule in rules), unit.path, CERTIFICATE, KEY),
        check="nginx -tq",
        renewal="reload",
        name=f"{topic}: web server",
    )

"""A web server that shows a page and documents over TLS: what deploys/portal.py and deploys/app.py share.

Documents in /srv/documents belong to the account `docs`; the web server and the vault's account read them by
that group and can change nothing. The certificate is the node's own (deploys/pki.py).
"""

from __future__ import annotations

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

DOCUMENTS = "/srv/documents"
READERS = "docs"


def web_server(me: Node, site: Site, page: str, per_source: int | None) -> None:
    """Everything of the web server on `me`.

    Args:
        page: template of the first page.
        per_source: connections that one source may hold; None for no limit.
    """
    topic = page.split("/")[0]
    packages("nginx-light", name=f"{topic}: web server")
    user(READERS, home="/var/lib/docs", name=f"{topic}: account that owns the documents")
    group(READERS, "www-data", name=f"{topic}: readers of the documents")
    conf = File(
        "/etc/nginx/nginx.conf",
        render(
            "portal/nginx.conf.j2",
            me=me,
            names=(me.fqdn, *me.names),
            certificate=CERTIFICATE,
            key=KEY,
            per_source=per_source,
        ),
    )
    unit = File("/etc/systemd/system/nginx.service.d/lienthong.conf", render("portal/nginx.service.conf"))
    place(
        Folder("/usr/local/lib/lienthong"),
        Folder("/usr/local/lib/lienthong/www", after="wipe"),
        # The s bit gives every new document to the group that may read it.
        Folder(DOCUMENTS, mode="2750", user=READERS, group=READERS, after="keep"),
        File("/usr/local/lib/lienthong/www/index.html", render(page, site=site)),
        conf,
        unit,
        name=f"{topic}: page, documents, web server's files",
    )
    absent("/etc/nginx/sites-enabled/default", name=f"{topic}: no page of the package's own")
    service(
        "nginx",
        watch=(conf.path, unit.path, CERTIFICATE, KEY),
        check="nginx -tq",
        renewal="reload",
        name=f"{topic}: web server",
    )

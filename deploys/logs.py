"""Logs of every node go to its side's collector by RELP over mutual TLS; the collector sends on to Central.

Owns files in /etc/rsyslog.d/ and, on a collector, /var/log/lienthong/. What a node writes locally stays as
Debian has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra import host

from lienthong.hosts.certificates import central_authority
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
from lienthong.services.logs import RELP_TLS, Params
from lienthong.workspace import workspace

CONF = "/etc/rsyslog.d/20-lienthong.conf"
CENTRAL = "/etc/lienthong/pki/central.crt"
#: What a node keeps for a collector that is away; a day of a busy gateway is some 50 MB.
QUEUE_DISK = "256m"
DAYS_A_MONTH = 31
#: omrelp does not try again after a failed authentication; a path unit restarts rsyslog for it. What is
#: logged between the two stays on the node only.
MARK = "/run/lienthong-relp-disabled"
PAUSE_S = 5


@dataclass(frozen=True)
class Receiver:
    """Whom logs are sent to: address, and the name its certificate must carry."""

    target: str
    peer: str


space = workspace()
me = space.node(host.name)
collectors = space.plan.running("logs", me.side)
common = {
    "port": RELP_TLS,
    "queue_disk": QUEUE_DISK,
    "certificate": CERTIFICATE,
    "key": KEY,
    "authority": AUTHORITY,
    "mark": MARK,
}
retry = (
    File(
        "/etc/systemd/system/lienthong-relp.path",
        render("logs/lienthong-relp.path.j2", mark=MARK),
    ),
    File(
        "/etc/systemd/system/lienthong-relp.service",
        render("logs/lienthong-relp.service.j2", mark=MARK, pause_s=PAUSE_S),
    ),
)
watch: tuple[str, ...] = (CONF, KEY, CERTIFICATE, AUTHORITY)

packages("rsyslog", "rsyslog-relp", "rsyslog-openssl", name="logs: packages")
if me.runs("logs"):
    params = me.services["logs"].params
    assert isinstance(params, Params)
    keep = File(
        "/etc/tmpfiles.d/lienthong-logs.conf",
        render("logs/lienthong-logs.conf.j2", retention_days=params.retention_months * DAYS_A_MONTH),
    )
    conf = render(
        "logs/20-lienthong.conf.j2",
        **common,
        collector=None,
        central=Receiver(str(space.plan.outside[params.central]), params.central),
        central_authority=CENTRAL,
        senders=sorted(
            node.fqdn for node in space.plan.nodes.values() if node.side is me.side and node is not me
        ),
    )
    place(
        Folder("/var/log/lienthong", mode="0750", group="adm", after="keep"),
        File(CENTRAL, central_authority(space.access, me.side)),
        keep,
        File(CONF, conf),
        *retry,
        name="logs: collector",
    )
    watch += (CENTRAL,)
elif collectors:
    to = Receiver(str(collectors[0].address), collectors[0].fqdn)
    place(
        File(CONF, render("logs/20-lienthong.conf.j2", **common, collector=to)),
        *retry,
        name="logs: to the collector",
    )
if collectors:
    service("rsyslog", watch=watch, check="rsyslogd -N1", shared=True, name="logs: rsyslog")
    service("lienthong-relp.path", name="logs: try again after a failed authentication")
else:
    service("rsyslog", shared=True, name="logs: rsyslog keeps to itself")
tidy("logs")

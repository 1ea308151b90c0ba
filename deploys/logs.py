"""Events of every node go from its journal to its side's collector, from the collector's store to Central.

Owns the journal's settings, `lienthong-logs` with /etc/lienthong/logs/ and, on a collector, its file in
/etc/rsyslog.d/ and /var/log/lienthong/. What a node writes locally stays as Debian has it.
"""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.certificates import central_authority
from lienthong.hosts.deploying import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    File,
    Folder,
    claim,
    command,
    differs,
    packages,
    place,
    render,
    service,
    tidy,
)
from lienthong.hosts.nodestate import node_state
from lienthong.services.logs import RELP_TLS, Params
from lienthong.workspace import workspace

CONF = "/etc/rsyslog.d/20-lienthong.conf"
SENDER = "/usr/local/sbin/lienthong-logs"
SETTINGS = "/etc/lienthong/logs"
CENTRAL = "/etc/lienthong/pki/central.crt"
JOURNAL = "/etc/systemd/journald.conf.d/lienthong.conf"
UNIT = "lienthong-logs.service"
ONWARD = "lienthong-central.service"
HOLDER = "/usr/local/sbin/lienthong-store"
KEEP = "/etc/tmpfiles.d/lienthong-logs.conf"
#: What a node keeps for a collector that is away: about 500,000 events.
JOURNAL_DISK = "512M"
DAYS_A_MONTH = 31

space = workspace()
me = space.node(host.name)
collectors = space.plan.running("logs", me.side)


def settings(name: str, address: str, peer: str, authority: str, **more: str) -> File:
    """Whom to send to, and where it is kept how far."""
    said = {
        "address": address,
        "port": RELP_TLS,
        "peer": peer,
        "authority": authority,
        "certificate": CERTIFICATE,
        "key": KEY,
        **more,
    }
    return File(f"{SETTINGS}/{name}.json", json.dumps(said, indent=1) + "\n")


def journal() -> None:
    """journald reads its settings when it starts; it keeps its sockets, so that nothing is lost."""
    conf = File(JOURNAL, render("logs/journald.conf.j2", journal_disk=JOURNAL_DISK))
    state = node_state()
    found, unit = state.files.get(JOURNAL), state.units.get("systemd-journald.service")
    place(conf, name="logs: the journal's settings")
    command(
        "systemctl restart systemd-journald && journalctl --flush",
        what="restart systemd-journald",
        when=differs(conf, found) or (found is not None and unit is not None and found.mtime > unit.since),
        name="logs: the journal is on disk",
    )


def collector() -> None:
    """What takes the events, the store, and the way onward."""
    params = me.services["logs"].params
    assert isinstance(params, Params)
    onward = settings(
        "central",
        str(space.plan.outside[params.central]),
        params.central,
        CENTRAL,
        store="/var/log/lienthong",
        state="/var/lib/lienthong-central/cursor",
    )
    conf = render(
        "logs/20-lienthong.conf.j2",
        port=RELP_TLS,
        store=HOLDER,
        authority=AUTHORITY,
        certificate=CERTIFICATE,
        key=KEY,
        senders=sorted(node.fqdn for node in space.plan.nodes.values() if node.side is me.side),
    )
    unit = File(f"/etc/systemd/system/{ONWARD}", render("logs/lienthong-central.service"))
    place(
        Folder("/var/log/lienthong", mode="0750", group="adm", after="keep"),
        File(CENTRAL, central_authority(space.access, me.side)),
        File(
            KEEP, render("logs/lienthong-logs.conf.j2", retention_days=params.retention_months * DAYS_A_MONTH)
        ),
        File(HOLDER, render("logs/store.py"), mode="0755"),
        File(CONF, conf),
        onward,
        unit,
        name="logs: collector",
    )
    service(
        "rsyslog",
        watch=(CONF, HOLDER, KEY, CERTIFICATE, AUTHORITY),
        check="rsyslogd -N1",
        shared=True,
        name="logs: the collector runs",
    )
    # As the sender on every system, it reads the certificate for each session.
    service(ONWARD, watch=(onward.path, unit.path, SENDER, CENTRAL), name="logs: onward to Central")
    # How far Central has what is kept: without it everything would be sent once more.
    claim(("keep", "/var/lib/lienthong-central"))


packages("rsyslog", name="logs: packages")
journal()
if me.runs("logs"):
    packages("rsyslog-relp", "rsyslog-openssl", name="logs: packages of a collector")
if collectors:
    to = settings(
        "node",
        str(collectors[0].address),
        collectors[0].fqdn,
        AUTHORITY,
        state="/var/lib/lienthong-logs/cursor",
    )
    unit = File(f"/etc/systemd/system/{UNIT}", render("logs/lienthong-logs.service"))
    place(
        Folder("/etc/lienthong"),
        Folder(SETTINGS),
        to,
        File(SENDER, render("logs/send.py"), mode="0755"),
        unit,
        name="logs: to the collector",
    )
    service(UNIT, watch=(to.path, unit.path, SENDER), name="logs: events are sent")
    # systemd gives it an account of the moment, and keeps what it wrote under another name (DynamicUser).
    claim(("wipe", "/var/lib/private/lienthong-logs"), ("wipe", "/var/lib/lienthong-logs"))
if me.runs("logs"):
    collector()
else:
    service("rsyslog", shared=True, name="logs: rsyslog keeps to itself")
tidy("logs")

"""An exporter on every node and SNMPv3 on gear, where the side has a Prometheus, which alone may ask; alerts.

Owns /etc/prometheus/, /etc/snmp/snmpd.conf, the files in /etc/default/ that say how these daemons start, and
`lienthong-alerts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyinfra import host

from lienthong.dashboards import panels
from lienthong.dashboards.consoles import asked
from lienthong.hosts.deploying import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    File,
    claim,
    packages,
    place,
    render,
    service,
    tidy,
)
from lienthong.model.intent import Node
from lienthong.model.secret import SecretRef
from lienthong.plan.systems import on_host
from lienthong.plan.wanted import SNMP_USER
from lienthong.services.monitoring import NODE_EXPORTER, SNMP, Params
from lienthong.workspace import workspace

#: On loopback of the system that runs Prometheus.
PORTS = {"alertmanager": 9093, "blackbox": 9115, "snmp": 9116}
ALERTS = 9094
#: Platforms whose SNMPv3 knows SHA-1 only, by their makers' documents (templates/<platform>/).
SHA_1 = frozenset({"cisco-ios", "juniper-junos", "mikrotik-routeros"})
#: What is asked of gear: name, object, kind, help (RFC 2863).
COLUMNS = (
    ("ifOperStatus", "1.3.6.1.2.1.2.2.1.8", "gauge", "1 up, 2 down, 7 lower layer down"),
    ("ifHCInOctets", "1.3.6.1.2.1.31.1.1.1.6", "counter", "Bytes that came in"),
    ("ifHCOutOctets", "1.3.6.1.2.1.31.1.1.1.10", "counter", "Bytes that went out"),
)
SNMPD = "/etc/snmp/snmpd.conf"
SNMPD_UNIT = "/etc/systemd/system/snmpd.service.d/lienthong.conf"
BLACKBOX_UNIT = "/etc/systemd/system/prometheus-blackbox-exporter.service.d/lienthong.conf"
ALERTS_UNIT = "/etc/systemd/system/lienthong-alerts.service"
RECEIVER = "/usr/local/sbin/lienthong-alerts"
#: Prometheus serves it, to whom it serves anything: http://127.0.0.1:9090/consoles/lienthong.html
CONSOLE = "/etc/prometheus/consoles/lienthong.html"


@dataclass(frozen=True)
class Gear:
    """A device and what it must be asked with."""

    node: Node
    digest: str
    auth: str = field(repr=False)
    priv: str = field(repr=False)


@dataclass(frozen=True)
class Watched:
    """One thing that the inventory wants watched of an information system."""

    system: str
    node: str
    site: str
    module: str
    target: str
    every_s: int


space = workspace()
me = space.node(host.name)
servers = space.plan.running("monitoring", me.side)
pki = {"certificate": CERTIFICATE, "key": KEY, "authority": AUTHORITY}


def gear(node: Node) -> Gear:
    """A device with its passwords."""
    platform = node.device.platform if node.device is not None else ""
    found = [
        space.secrets.get(SecretRef(f"{what}/{node.name}")).reveal() for what in ("snmp-auth", "snmp-priv")
    ]
    return Gear(node, "SHA" if platform in SHA_1 else "SHA256", *found)


def systems(nodes: list[Node]) -> list[Watched]:
    """What is watched of the systems on these nodes: a page over TLS, or a port."""
    found = []
    for node in nodes:
        for slug, system in on_host(space.site(node.site).site, node.short).items():
            for watch in system.watch:
                page = watch.path is not None
                target = (
                    f"https://{node.fqdn}:{watch.port}{watch.path}"
                    if page
                    else f"{node.address}:{watch.port}"
                )
                module = "https" if page else "tcp"
                found.append(Watched(slug, node.name, node.site, module, target, watch.every_s))
    return sorted(found, key=lambda one: (one.every_s, one.node, one.target))


def exporter() -> None:
    """The node exporter: who has a certificate of the side may ask; only Prometheus is let in."""
    web = File("/etc/prometheus/lienthong-web.yml", render("monitoring/exporter-web.yml.j2", **pki))
    start = File(
        "/etc/default/prometheus-node-exporter",
        render("monitoring/node-exporter.default.j2", port=NODE_EXPORTER, web_config=web.path),
    )
    place(web, start, name="monitoring: exporter")
    service(
        "prometheus-node-exporter",
        watch=(web.path, start.path, KEY, CERTIFICATE, AUTHORITY),
        renewal="none",
        name="monitoring: exporter runs",
    )


def agent() -> None:
    """SNMPv3 of a device."""
    mine = gear(me)
    place(
        File(
            SNMPD,
            render(
                "monitoring/snmpd.conf.j2",
                me=me,
                port=SNMP,
                user=SNMP_USER,
                auth=mine.auth,
                priv=mine.priv,
            ),
            mode="0600",
        ),
        File(SNMPD_UNIT, render("monitoring/snmpd.service.conf")),
        name="monitoring: SNMPv3",
    )
    service("snmpd", watch=(SNMPD, SNMPD_UNIT), name="monitoring: SNMPv3 runs")
    # Where snmpd itself keeps keys that it made of the passwords.
    claim(("file", "/var/lib/snmp/snmpd.conf"))


def prometheus(params: Params) -> None:
    """Prometheus, what asks on its behalf, and what becomes of its alerts."""
    # A node that this target does not have (the lab starts only some sites) would be a false alarm.
    nodes = [n for n in space.plan.nodes.values() if n.side is me.side and space.access.reaches(n)]
    devices = [gear(node) for node in nodes if node.device is not None]
    watched = systems(nodes)
    rounds = sorted({one.every_s for one in watched})
    down_s = 4 * params.interval_s
    config = File(
        "/etc/prometheus/prometheus.yml",
        render(
            "monitoring/prometheus.yml.j2",
            **pki,
            interval_s=params.interval_s,
            side=me.side,
            port=NODE_EXPORTER,
            ports=PORTS,
            nodes=nodes,
            devices=devices,
            systems=[(every_s, [one for one in watched if one.every_s == every_s]) for every_s in rounds],
        ),
    )
    rules = File(
        "/etc/prometheus/lienthong-rules.yml",
        render(
            "monitoring/lienthong-rules.yml.j2",
            down_s=down_s,
            watched=sorted({one.system: one.every_s for one in watched}.items()),
        ),
    )
    start = File(
        "/etc/default/prometheus",
        render("monitoring/prometheus.default.j2", retention_days=params.retention_days),
    )
    console = File(
        CONSOLE,
        render(
            "monitoring/lienthong.html.j2",
            panels=panels.PANELS,
            columns=panels.COLUMNS,
            sites=panels.SITES,
            firing=panels.FIRING,
            asked=asked,
        ),
    )
    place(config, rules, start, console, name="monitoring: Prometheus")
    service(
        "prometheus",
        watch=(config.path, rules.path, start.path, KEY, CERTIFICATE, AUTHORITY),
        renewal="none",
        check="promtool check config --syntax-only /etc/prometheus/prometheus.yml >&2",
        name="monitoring: Prometheus runs",
    )
    asking(devices)
    alerts(params.interval_s)


def asking(devices: list[Gear]) -> None:
    """The exporters that ask others; they answer on loopback only."""
    snmp = File(
        "/etc/prometheus/snmp.yml",
        render("monitoring/snmp.yml.j2", devices=devices, columns=COLUMNS, user=SNMP_USER),
        mode="0640",
        group="prometheus",
    )
    blackbox = File("/etc/prometheus/blackbox.yml", render("monitoring/blackbox.yml.j2", authority=AUTHORITY))
    unit = File(BLACKBOX_UNIT, render("monitoring/blackbox.service.conf"))
    starts = [
        File(
            f"/etc/default/prometheus-{name}-exporter",
            render("monitoring/exporter.default.j2", port=PORTS[name], config=config.path),
        )
        for name, config in (("snmp", snmp), ("blackbox", blackbox))
    ]
    place(snmp, blackbox, unit, *starts, name="monitoring: what asks gear and systems")
    service("prometheus-snmp-exporter", watch=(snmp.path, starts[0].path), name="monitoring: asks gear")
    service(
        "prometheus-blackbox-exporter",
        watch=(blackbox.path, unit.path, starts[1].path, AUTHORITY),
        name="monitoring: asks systems",
    )


def alerts(interval_s: int) -> None:
    """Alertmanager, and what makes an event of an alert."""
    config = File(
        "/etc/prometheus/alertmanager.yml",
        render("monitoring/alertmanager.yml.j2", alerts=ALERTS, wait_s=interval_s),
    )
    start = File(
        "/etc/default/prometheus-alertmanager",
        render("monitoring/alertmanager.default.j2", port=PORTS["alertmanager"], config=config.path),
    )
    unit = File(ALERTS_UNIT, render("monitoring/lienthong-alerts.service.j2", port=ALERTS))
    receiver = File(RECEIVER, render("monitoring/alerts.py"), mode="0755")
    place(config, start, unit, receiver, name="monitoring: alerts")
    service("lienthong-alerts", watch=(unit.path, receiver.path), name="monitoring: alerts become events")
    service("prometheus-alertmanager", watch=(config.path, start.path), name="monitoring: Alertmanager")


if servers:
    exporter()
if servers and me.device is not None:
    agent()
if me.runs("monitoring"):
    packages(
        "prometheus",
        "prometheus-alertmanager",
        "prometheus-blackbox-exporter",
        "prometheus-snmp-exporter",
        name="monitoring: packages",
    )
    mine = me.services["monitoring"].params
    assert isinstance(mine, Params)
    prometheus(mine)
tidy("monitoring")

"""An exporter on every node whose side has a Prometheus, which alone may ask; Prometheus with its rules.

Owns /etc/prometheus/ and the two files in /etc/default/ that say how the daemons start.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import AUTHORITY, CERTIFICATE, KEY, File, place, render, service, tidy
from lienthong.services.monitoring import NODE_EXPORTER, Params
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)
pki = {"certificate": CERTIFICATE, "key": KEY, "authority": AUTHORITY}

watched = bool(space.plan.running("monitoring", me.side))

web = File("/etc/prometheus/lienthong-web.yml", render("monitoring/exporter-web.yml.j2", **pki))
exporter = File(
    "/etc/default/prometheus-node-exporter",
    render("monitoring/node-exporter.default.j2", port=NODE_EXPORTER, web_config=web.path),
)
if watched:
    place(web, exporter, name="monitoring: exporter")
    service(
        "prometheus-node-exporter",
        watch=(web.path, exporter.path, KEY, CERTIFICATE, AUTHORITY),
        renewal="none",
        name="monitoring: exporter runs",
    )

if me.runs("monitoring"):
    params = me.services["monitoring"].params
    assert isinstance(params, Params)
    # A node that this target does not have (the lab starts only some sites) would be a false alarm.
    nodes = [n for n in space.plan.nodes.values() if n.side is me.side and space.access.reaches(n)]
    files = (
        File(
            "/etc/prometheus/prometheus.yml",
            render(
                "monitoring/prometheus.yml.j2",
                **pki,
                interval_s=params.interval_s,
                side=me.side,
                port=NODE_EXPORTER,
                nodes=nodes,
            ),
        ),
        File(
            "/etc/prometheus/lienthong-rules.yml",
            render("monitoring/lienthong-rules.yml.j2", down_s=4 * params.interval_s),
        ),
        File(
            "/etc/default/prometheus",
            render("monitoring/prometheus.default.j2", retention_days=params.retention_days),
        ),
    )
    place(*files, name="monitoring: Prometheus")
    service(
        "prometheus",
        watch=(*(file.path for file in files), KEY, CERTIFICATE, AUTHORITY),
        renewal="none",
        check="promtool check config --syntax-only /etc/prometheus/prometheus.yml >&2",
        name="monitoring: Prometheus runs",
    )
tidy("monitoring")

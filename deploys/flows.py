"""Flow records: every Linux gateway tells its side's collector by IPFIX who spoke with whom; nfcapd keeps it.

Owns /etc/lienthong/flows/, `lienthong-flows*` in /usr/local/sbin and among the units, and /srv/flows. What
Debian's packages would start by themselves stays off.
"""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.deploying import (
    File,
    Folder,
    command,
    packages,
    place,
    render,
    service,
    tidy,
    user,
)
from lienthong.hosts.nodestate import node_state
from lienthong.plan.policy import tunnels
from lienthong.services.flows import FRESH_S, GATEWAY_PACKAGES, IPFIX, NEW, PACKAGES, ROTATE_S, Params
from lienthong.workspace import workspace

ACCOUNT = "lienthong-flows"
SETTINGS = "/etc/lienthong/flows"
UNITS = "/etc/systemd/system"
EXPORT = "/usr/local/sbin/lienthong-flows-export"
KEEP = "/usr/local/sbin/lienthong-flows-keep"
STORE = "/srv/flows"
#: A gateway asks so often whether its collector listens; that one does not for three of these when it starts.
TICK_S = 2
SILENT_S = 3 * TICK_S
#: Flows that pmacctd holds at a time, about 200 bytes each; beyond that the oldest are told of earlier.
MAX_FLOWS = 65536
#: What installing the packages switches on.
OF_DEBIAN = {"nfdump": ("nfdump",), "pmacct": ("pmacctd", "nfacctd", "sfacctd", "uacctd")}

space = workspace()
me = space.node(host.name)
collectors = space.plan.running("flows", me.side)


def installed(names: tuple[str, ...], name: str) -> None:
    """The packages, and nothing of them running that we did not start."""
    packages(*names, name=name)
    missing = sorted(set(names) - node_state().packages)
    units = " ".join(f"{unit}.service" for one in missing for unit in OF_DEBIAN[one])
    command(
        f"systemctl disable --quiet --now {units}",
        what=f"switch off {units}",
        when=bool(missing),
        name="flows: what the packages start stays off",
    )


def exporter() -> None:
    """What a gateway hears on its interfaces goes to the collector, from its management address."""
    assert me.device is not None
    collector = collectors[0]
    # Loopback carries nothing of others; the tunnel is no interface of the device's command line.
    interfaces = {one.name for one in me.device.interfaces if one.name != "lo"} | set(tunnels(me))
    conf = File(
        f"{SETTINGS}/pmacctd.conf",
        render(
            "flows/pmacctd.conf.j2",
            collector=collector.address,
            port=IPFIX,
            source=me.address,
            max_flows=MAX_FLOWS,
        ),
    )
    said = {
        "interfaces": sorted(interfaces),
        "source": str(me.address),
        "collector": str(collector.address),
        "port": IPFIX,
        "conf": conf.path,
        "tick_s": TICK_S,
    }
    settings = File(f"{SETTINGS}/export.json", json.dumps(said, indent=1) + "\n")
    program = File(EXPORT, render("flows/export.py"), mode="0755")
    unit = File(f"{UNITS}/lienthong-flows-export.service", render("flows/lienthong-flows-export.service"))
    installed(GATEWAY_PACKAGES, "flows: package of a gateway")
    place(Folder("/etc/lienthong"), Folder(SETTINGS), conf, settings, program, unit, name="flows: exporter")
    watched = (conf.path, settings.path, program.path, unit.path)
    service("lienthong-flows-export", watch=watched, name="flows: the gateway tells what passes")


def collector(params: Params) -> None:
    """What takes the records, and what keeps them."""
    unit = File(
        f"{UNITS}/lienthong-flows.service",
        render(
            "flows/lienthong-flows.service.j2",
            address=me.address,
            port=IPFIX,
            side=me.side.value,
            new=NEW,
            rotate_s=ROTATE_S,
            silent_s=SILENT_S,
        ),
    )
    timer = File(f"{UNITS}/lienthong-flows-keep.timer", render("flows/lienthong-flows-keep.timer"))
    installed(PACKAGES, "flows: package of a collector")
    user(ACCOUNT, home=f"/var/lib/lienthong/{ACCOUNT}", name="flows: account that keeps the records")
    place(
        Folder(STORE, mode="0750", user=ACCOUNT, group=ACCOUNT, after="keep"),
        Folder(NEW, mode="0750", user=ACCOUNT, group=ACCOUNT, after="keep"),
        Folder(f"{STORE}/store", mode="0750", user=ACCOUNT, group=ACCOUNT, after="keep"),
        File(KEEP, render("flows/keep.py"), mode="0755"),
        unit,
        File(
            f"{UNITS}/lienthong-flows-keep.service",
            render(
                "flows/lienthong-flows-keep.service.j2",
                retention_days=params.retention_days,
                max_gb=params.max_gb,
                fresh_s=FRESH_S,
            ),
        ),
        timer,
        name="flows: collector",
    )
    service("lienthong-flows", watch=(unit.path,), name="flows: the collector runs")
    service("lienthong-flows-keep.timer", watch=(timer.path,), name="flows: the oldest records go")


if collectors and me.is_gateway:
    exporter()
if me.runs("flows"):
    mine = me.services["flows"].params
    assert isinstance(mine, Params)
    collector(mine)
tidy("flows")

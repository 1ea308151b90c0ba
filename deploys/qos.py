"""Queues on the lines of a WAN gateway: conferences wait for nobody (lienthong/plan/queues.py).

Owns the queueing disciplines of the lines that have a rate in the inventory, and no others.
"""

from __future__ import annotations

from pyinfra import host
from pyinfra.facts.server import Command

from lienthong.hosts.deploying import File, command, place, render, service, tidy
from lienthong.hosts.nodestate import node_state
from lienthong.plan.queues import queues_of
from lienthong.workspace import workspace

PLAN = "/etc/lienthong/qos.tc"
PROGRAM = "/usr/local/sbin/lienthong-qos"
UNIT = "/etc/systemd/system/lienthong-qos.service"

me = workspace().node(host.name)
lines = queues_of(me)
state = node_state()

if lines:
    files = (
        File(PLAN, render("qos/qos.tc.j2", lines=lines)),
        File(PROGRAM, render("qos/lienthong-qos.sh"), mode="0755"),
        File(UNIT, render("qos/lienthong-qos.service")),
    )
    # Before anything is changed: what is to be set anew anyway need not be restored.
    now = state.units.get("lienthong-qos.service")
    gone = host.get_fact(Command, f"{PROGRAM} status", _sudo=True) if now and now.active else ""
    place(*files, name="qos: queues")
    service("lienthong-qos", watch=tuple(file.path for file in files), name="qos: in force")
    command(
        "systemctl restart lienthong-qos",
        what=f"restore the queues of {', '.join((gone or '').split())}",
        when=bool(gone) and not state.touched & {file.path for file in files},
        name="qos: as they were given",
    )
# The unit takes its queues away when it stops, which it does before its program goes.
tidy("qos")

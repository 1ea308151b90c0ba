"""The time servers of each side. Owns /etc/chrony/conf.d/lienthong.conf; a client's are the role `time`'s."""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import File, command, place, render, service, tidy
from lienthong.hosts.nodestate import node_state
from lienthong.model.words import Side
from lienthong.services.ntp import Params
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)

if me.runs("ntp"):
    params = me.services["ntp"].params
    assert isinstance(params, Params)
    province = space.inventory.province
    pool = province.wan_pool if me.side is Side.WAN else province.net_pool
    conf = File(
        "/etc/chrony/conf.d/lienthong.conf",
        render("ntp/lienthong.conf.j2", upstream=params.upstream, networks=[pool, province.link_pool]),
    )
    place(conf, name="ntp: server")
    service("chrony", watch=(conf.path,), shared=True, name="ntp: chrony")
else:
    # A client that started before its network asks again only later, and the server itself may come up in
    # this very run. Not reaching it is no failure of this step: the audit says it of the node.
    command(
        "for _ in 1 2 3 4 5; do chronyc burst 4/4; chronyc waitsync 8 0 0 1 && break; done >/dev/null; true",
        what="ask the time server now",
        when=not node_state().time_kept,
        name="ntp: time is kept",
    )
tidy("ntp")

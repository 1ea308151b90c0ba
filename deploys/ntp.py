"""The time servers of each side. Owns /etc/chrony/conf.d/lienthong.conf; clients are the role `time`'s."""

from __future__ import annotations

from pyinfra import host

from lienthong.deploying import File, place, render, service
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
    service("chrony", watch=(conf.path,), name="ntp: chrony")

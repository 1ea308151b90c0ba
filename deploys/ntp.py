"""The time servers of each side, and whom their clients believe. Owns /etc/chrony/conf.d/; the rest is the
role `time`'s.

Time is told by NTS (RFC 8915): a server shows its certificate of the side's CA. chronyd gives up its groups
when it starts and AppArmor keeps it to its own folders, so the server's key and the clients' CA are copied
to where it may read. Gear with a software of its own asks without: no platform of ours knows NTS.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.certificates import authority
from lienthong.hosts.deploying import CERTIFICATE, KEY, File, absent, command, place, render, service, tidy
from lienthong.hosts.nodestate import node_state
from lienthong.model.words import Side
from lienthong.services.ntp import Params
from lienthong.workspace import workspace

SERVER = "/etc/chrony/conf.d/lienthong.conf"
CLIENT = "/etc/chrony/conf.d/nts.conf"
TRUSTED = "/etc/chrony/conf.d/ca.crt"
COPIES = "/etc/systemd/system/chrony.service.d/lienthong.conf"

space = workspace()
me = space.node(host.name)

if me.runs("ntp"):
    params = me.services["ntp"].params
    assert isinstance(params, Params)
    province = space.inventory.province
    pool = province.wan_pool if me.side is Side.WAN else province.net_pool
    conf = File(
        SERVER,
        render("ntp/lienthong.conf.j2", upstream=params.upstream, networks=[pool, province.link_pool]),
    )
    unit = File(COPIES, render("ntp/chrony.service.j2", key=KEY, certificate=CERTIFICATE))
    place(conf, unit, name="ntp: server")
    service("chrony", watch=(conf.path, unit.path, KEY, CERTIFICATE), shared=True, name="ntp: chrony")
else:
    # Here and not by what tidies up: chronyd, which starts anew below, must not look for a key that is gone.
    absent(SERVER, COPIES, name="ntp: no server any more")
    command(
        "systemctl daemon-reload; rm -f /run/chrony/nts.key /run/chrony/nts.crt",
        what="forget the server's key",
        when=COPIES in node_state().files,
        name="ntp: no server's key any more",
    )
    trusted = File(TRUSTED, authority(space.access, me.side, space.secrets).pem)
    conf = File(CLIENT, render("ntp/nts.conf.j2", trusted=TRUSTED))
    place(trusted, conf, name="ntp: whom to believe")
    service("chrony", watch=(SERVER, TRUSTED, CLIENT), shared=True, name="ntp: chrony")
    # A client that started before its network asks again only later, and for keys later still, so it is
    # started anew; the server itself may come up in this very run. Not reaching it is no failure of this
    # step: the audit says it of the node.
    command(
        "for _ in 1 2 3 4 5 6; do chronyc burst 4/4; chronyc waitsync 6 0 0 1 && break; "
        "systemctl restart chrony; done >/dev/null; true",
        what="ask the time server now",
        when=bool(space.plan.running("ntp", me.side)) and not node_state().time_kept,
        name="ntp: time is kept",
    )
tidy("ntp")

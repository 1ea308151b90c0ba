"""The resolvers. Owns /etc/unbound/unbound.conf.d/lienthong.conf.

Each answers for every name of its side by itself, so that a cut line leaves a site with its own names;
other names are asked of the office on the WAN side, of the provider's resolver on the Internet side.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import File, absent, place, render, service, tidy
from lienthong.model.words import Side, Target
from lienthong.services.dns import Params
from lienthong.workspace import workspace

ANCHOR = "/etc/unbound/unbound.conf.d/root-auto-trust-anchor-file.conf"
space = workspace()
me = space.node(host.name)

if me.runs("dns"):
    params = me.services["dns"].params
    assert isinstance(params, Params)
    plan = space.plan
    side = [node for node in plan.nodes.values() if node.side is me.side]
    askers = [node for node in plan.running("dns", me.side) if node is not me]
    if me.device is not None:
        listen = [str(i.address.ip) for i in me.device.interfaces if i.name.startswith("vlan")]
        # a gateway asks from whatever line it sends by
    else:
        listen = [str(me.address)]
    clients = {s.prefix for s in plan.sites[me.site].segments.values() if s.side is me.side}
    for node in askers:
        wants = node.services["dns"].params
        if isinstance(wants, Params) and wants.forward_node == me.name and node.device is not None:
            clients |= {i.address.network for i in node.device.interfaces}
    forward = []
    if params.forward_node:
        forward = [plan.nodes[params.forward_node].address]
    elif params.forward_outside:
        forward = [plan.outside[params.forward_outside]]
    # The closed side has no chain of trust from the root, and neither has the lab's Internet.
    validates = me.side is Side.NET and space.access.target is Target.LIVE
    conf = File(
        "/etc/unbound/unbound.conf.d/lienthong.conf",
        render(
            "dns/lienthong.conf.j2",
            listen=["127.0.0.1", *sorted(listen)],
            modules="validator iterator" if validates else "iterator",
            clients=sorted(clients),
            zones=sorted({node.fqdn.split(".", 1)[1] for node in side}),
            names=sorted({(name, node.address) for node in side for name in (node.fqdn, *node.names)}),
            addresses=sorted((node.address, node.fqdn) for node in side),
            blocked=sorted(params.blocked),
            forward=forward,
        ),
    )
    place(conf, name="dns: resolver")
    if not validates:
        # Without its file, that the first start would make, unbound refuses to start at all.
        absent(ANCHOR, name="dns: no anchor of trust where nothing is validated")
    service("unbound", watch=(conf.path, ANCHOR), check="unbound-checkconf", name="dns: unbound")
tidy("dns")

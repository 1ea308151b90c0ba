"""The resolvers. Owns /etc/unbound/unbound.conf.d/lienthong.conf and /etc/unbound/rpz/.

Each answers for every name of its side by itself, so that a cut line leaves a site with its own names;
other names are asked of the office on the WAN side, of the provider's resolver on the Internet side.

Names are filtered by response policy zones: the inventory's, and on the Internet side an officer's list on
the resolver itself, /etc/lienthong/blocked-names, for what cannot wait for an apply. The list is made when
it is not there, never written again and never taken away; a script turns it into a zone, because one bad
line in a zone would keep unbound from starting.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import (
    File,
    Folder,
    absent,
    claim,
    command,
    place,
    render,
    service,
    tidy,
)
from lienthong.hosts.nodestate import node_state
from lienthong.model.words import Side, Target
from lienthong.services.dns import Params, filtered
from lienthong.workspace import workspace

FILTER = "/etc/unbound/rpz/inventory.zone"
OFFICERS = "/etc/unbound/rpz/officer.zone"
LIST = "/etc/lienthong/blocked-names"
MAKE = "/usr/local/sbin/lienthong-blocked-names"
UNITS = "/etc/systemd/system"
ANCHOR = "/etc/unbound/unbound.conf.d/root-auto-trust-anchor-file.conf"
space = workspace()
me = space.node(host.name)


def list_of_officers() -> None:
    """The list that officers keep on the resolver, and what turns it into a zone when it changes."""
    script = File(MAKE, render("dns/blocked-names.py"), mode="0755")
    units = (
        File(f"{UNITS}/lienthong-blocked-names.service", render("dns/blocked-names.service")),
        File(f"{UNITS}/lienthong-blocked-names.path", render("dns/blocked-names.path")),
    )
    place(script, *units, name="dns: officers' list")
    found = node_state()
    command(
        f"umask 022; test -e {LIST} || cat > {LIST}",
        what=f"new {LIST}",
        when=LIST not in found.files,
        stdin=render("dns/blocked-names.txt"),
        name="dns: officers' list, to be written by them",
    )
    # What is made of the list goes with the resolver; the list itself is the officers' and stays.
    claim(("file", OFFICERS))
    command(
        MAKE,
        what=f"new {OFFICERS}",
        when=OFFICERS not in found.files or MAKE in found.touched,
        name="dns: officers' list as a zone",
    )
    service("lienthong-blocked-names.path", name="dns: officers' list is read when it changes")


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
    names = filtered(params, me.side)
    zones = [("inventory", FILTER)] * bool(names) + [("officer", OFFICERS)] * (me.side is Side.NET)
    conf = File(
        "/etc/unbound/unbound.conf.d/lienthong.conf",
        render(
            "dns/lienthong.conf.j2",
            listen=["127.0.0.1", *sorted(listen)],
            modules=" ".join(["respip"] * bool(zones) + ["validator"] * validates + ["iterator"]),
            clients=sorted(clients),
            filters=zones,
            zones=sorted({node.fqdn.split(".", 1)[1] for node in side}),
            names=sorted({(name, node.address) for node in side for name in (node.fqdn, *node.names)}),
            addresses=sorted((node.address, node.fqdn) for node in side),
            forward=forward,
        ),
    )
    place(
        Folder("/etc/unbound/rpz"),
        *([File(FILTER, render("dns/inventory.zone.j2", names=names))] if names else []),
        conf,
        name="dns: resolver",
    )
    if me.side is Side.NET:
        list_of_officers()
    if not validates:
        # Without its file, that the first start would make, unbound refuses to start at all.
        absent(ANCHOR, name="dns: no anchor of trust where nothing is validated")
    service("unbound", watch=(conf.path, FILTER, ANCHOR), check="unbound-checkconf", name="dns: unbound")
tidy("dns")

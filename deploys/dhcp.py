"""Leases on gateways for the segments that say `dhcp`. Owns /etc/kea/kea-dhcp4.conf and what it knows.

Clients of the inventory get the address it gives them. A lease of anything the inventory does not know is
told in the log within seconds, by a script that looks when Kea has written: Kea's own hook for scripts may
start none under Debian's AppArmor profile.
"""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.deploying import File, claim, place, render, service, tidy
from lienthong.hosts.leases import known, reservations
from lienthong.model.intent import SegmentPlan
from lienthong.services.dhcp import Params
from lienthong.workspace import workspace

UNITS = "/etc/systemd/system"
CONF = "/etc/kea/kea-dhcp4.conf"
KNOWN = "/etc/lienthong/known-macs"
LOOK = "/usr/local/sbin/lienthong-unknown-devices"
SEEN = f"{UNITS}/lienthong-unknown-devices.service"
WATCH = f"{UNITS}/lienthong-unknown-devices.path"
LATE = f"{UNITS}/kea-dhcp4-server.service.d/lienthong.conf"
#: What Kea itself writes (its guide, 8.2.1), beside the clean-up files of its own.
LEASES = "/var/lib/kea/kea-leases4.csv"

space = workspace()
me = space.node(host.name)


def option(name: str, value: str) -> dict[str, str]:
    return {"name": name, "data": value}


def subnet(segment: SegmentPlan) -> dict[str, object]:
    """One segment as Kea wants it; its number is the VLAN's, so leases survive a new order."""
    first, last = segment.dhcp_range
    near = [node for node in space.plan.running("dns", me.side) if node.site == me.site]
    resolver = segment.gateway if me.runs("dns") else (near[0].address if near else segment.gateway)
    options = [
        option("routers", str(segment.gateway)),
        option("domain-name-servers", str(resolver)),
        option("domain-name", me.fqdn.split(".", 1)[1]),
    ]
    return {
        "id": segment.vlan,
        "subnet": str(segment.prefix),
        "interface": segment.interface,
        "pools": [{"pool": f"{first} - {last}"}],
        "option-data": options,
        "reservations": reservations(space.site(me.site).site, segment),
    }


if me.runs("dhcp"):
    params = me.services["dhcp"].params
    assert isinstance(params, Params)
    segments = [s for s in space.plan.sites[me.site].segments.values() if s.side is me.side and s.dhcp]
    conf = File(
        CONF,
        render(
            "dhcp/kea-dhcp4.conf.j2",
            interfaces=json.dumps([s.interface for s in segments]),
            subnets=json.dumps([subnet(s) for s in segments], indent=2),
            lease_s=params.lease_s,
        ),
        mode="0640",
        group="_kea",
    )
    late = File(LATE, render("dhcp/late.conf.j2"))
    look = (
        File(KNOWN, "".join(f"{mac}\n" for mac in known(space.site(me.site).site))),
        File(LOOK, render("dhcp/unknown-devices.py"), mode="0755"),
        File(SEEN, render("dhcp/unknown-devices.service")),
        File(WATCH, render("dhcp/unknown-devices.path")),
    )
    place(conf, late, *look, name="dhcp: leases")
    # `kea-dhcp4 -t` is no use as a check here: it fails while a segment's interface is not there yet.
    service("kea-dhcp4-server", watch=(conf.path, late.path), name="dhcp: kea")
    service("lienthong-unknown-devices.path", watch=(WATCH,), name="dhcp: who is not known")
    claim(*(("file", f"{LEASES}{end}") for end in ("", ".1", ".2", ".completed", ".output")))
tidy("dhcp")

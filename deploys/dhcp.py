"""Leases on gateways for the segments that say `dhcp`. Owns /etc/kea/kea-dhcp4.conf."""

from __future__ import annotations

import json

from pyinfra import host

from lienthong.hosts.deploying import File, claim, place, render, service, tidy
from lienthong.model.intent import SegmentPlan
from lienthong.services.dhcp import Params
from lienthong.workspace import workspace

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
    }


if me.runs("dhcp"):
    params = me.services["dhcp"].params
    assert isinstance(params, Params)
    segments = [s for s in space.plan.sites[me.site].segments.values() if s.side is me.side and s.dhcp]
    conf = File(
        "/etc/kea/kea-dhcp4.conf",
        render(
            "dhcp/kea-dhcp4.conf.j2",
            interfaces=json.dumps([s.interface for s in segments]),
            subnets=json.dumps([subnet(s) for s in segments], indent=2),
            lease_s=params.lease_s,
        ),
        mode="0640",
        group="_kea",
    )
    late = File("/etc/systemd/system/kea-dhcp4-server.service.d/lienthong.conf", render("dhcp/late.conf.j2"))
    place(conf, late, name="dhcp: leases")
    # `kea-dhcp4 -t` is no use as a check here: it fails while a segment's interface is not there yet.
    service("kea-dhcp4-server", watch=(conf.path, late.path), name="dhcp: kea")
    claim(*(("file", f"{LEASES}{end}") for end in ("", ".1", ".2", ".completed", ".output")))
tidy("dhcp")

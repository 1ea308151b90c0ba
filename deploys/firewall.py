"""The packet filter of every node: nftables from the plan's flows, checked, then loaded at once.

Owns /etc/nftables.d/; /etc/nftables.conf, which includes it, belongs to the role firewall_include. The
live rules are compared with what the files say, so a rule that somebody removed by hand comes back.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import File, render, ruleset, service, tidy
from lienthong.hosts.packetfilter import filter_of, names
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)
rules = filter_of(space.plan, me)
management = space.access.management_interfaces

files = [
    File(
        "/etc/nftables.d/00-base.nft",
        render(
            "firewall/00-base.nft.j2",
            filter=rules,
            management_interfaces=names(management) if management else "",
        ),
    ),
    File(
        "/etc/nftables.d/50-policy.nft",
        render("firewall/50-policy.nft.j2", filter=rules),
    ),
]
if rules.untrusted:
    files.append(File("/etc/nftables.d/60-qos.nft", render("firewall/60-qos.nft.j2", filter=rules)))

ruleset(*files, name="firewall: rules")
service("nftables", shared=True, name="firewall: at boot")
tidy("firewall")

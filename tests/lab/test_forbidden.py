"""What no flow names does not pass, by IPv4 and IPv6; and holes that somebody made are each named."""

from __future__ import annotations

import subprocess
import sys

from tests.lab.conftest import ROOT, District

SITE = "loc-ninh"
RULE = "nft insert rule inet lienthong forward"
OPEN6 = "sysctl -qw net.ipv6.conf.all.forwarding=1"
SHUT6 = "sysctl -qw net.ipv6.conf.all.forwarding=0; nft -f /etc/nftables.conf"


def swept(lab: District) -> tuple[int, str]:
    """Exit code and words of the checks that send what must not pass."""
    words = [sys.executable, "-m", "pytest", "checks", f"--site={SITE}", "--control=NET-02b,NET-04", "-q"]
    done = subprocess.run(words, cwd=ROOT, env=lab.environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_holes_of_either_family_are_named(district: District) -> None:
    wan, net, switch = f"{SITE}-gw-wan", f"{SITE}-gw-net", f"{SITE}-sw-wan"
    try:
        three = f"{RULE} iifname vlan10 oifname vlan30 meta nfproto ipv6 tcp dport 3389 accept"
        four = f"{RULE} iifname vlan30 oifname vlan20 ip protocol udp udp dport 69 accept"
        district.on(wan, "sh", "-c", f"{OPEN6}; {three}; {four}")
        district.on(net, "sh", "-c", f"{OPEN6}; {RULE} iifname inet0 icmpv6 type echo-request accept")
        # A switch that lets frames of one segment into another: no gateway is asked at all.
        district.on(switch, "ovs-ofctl", "add-flow", "br-lan", "in_port=e12,actions=normal,output:e14")
        code, told = swept(district)
    finally:
        district.on(switch, "ovs-ofctl", "del-flows", "br-lan", "in_port=e12")
        for gateway in (wan, net):
            district.on(gateway, "sh", "-c", SHUT6)
    assert code == 1, told
    for line in (  # each answered, or heard to arrive
        "loc-ninh/users to loc-ninh/conference fd5a:6c69:6e00:51e::fa tcp 3389:",
        "loc-ninh/conference to loc-ninh/servers 10.0.41.250 udp 69:",
        "internet to loc-ninh/net-users fd5a:6c69:6f00:564::fa icmp :",
        "loc-ninh/servers to loc-ninh/scan fd5a:6c69:6e00:523::fa icmp :",
    ):
        assert line in told, told
    code, told = swept(district)
    assert code == 0, told

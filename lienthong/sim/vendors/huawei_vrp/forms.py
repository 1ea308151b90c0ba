"""The commands that the simulated VRP5 devices know, from the command references of S300 to S6700 V200R021
and NetEngine AR600 V300R021 (https://support.huawei.com/enterprise/en/doc/EDOC1100203224).

Their order here is the order in which a view prints them.
"""

from __future__ import annotations

from lienthong.sim.vendors.huawei_vrp.grammar import Form, form
from lienthong.sim.vendors.huawei_vrp.tables import Tables

_RULE = "rule <int:0-4294967294> {permit|deny}"
_BFD = "ospf bfd min-tx-interval <int:100-1000> min-rx-interval <int:100-1000> detect-multiplier <int:3-50>"


def _rules() -> list[Form]:
    """Rules of advanced lists: with and without each end, ports of TCP and UDP, kinds of ICMP."""
    found = []
    for src in ("", " source <ip> <wild>"):
        for dst in ("", " destination <ip> <wild>"):
            for kind in ("", " icmp-type {echo|echo-reply}"):
                for log in ("", " logging"):
                    found.append(f"{_RULE} icmp{src}{dst}{kind}{log}")
            for log in ("", " logging"):
                found.append(f"{_RULE} {{ip|ospf}}{src}{dst}{log}")
            for sport in ("", " source-port eq <word:12>", " source-port range <word:12> <word:12>"):
                for dport in (
                    "",
                    " destination-port eq <word:12>",
                    " destination-port range <word:12> <word:12>",
                ):
                    for flag in ("", " tcp-flag established"):
                        proto = "tcp" if flag else "{tcp|udp}"
                        for log in ("", " logging"):
                            found.append(f"{_RULE} {proto}{src}{sport}{dst}{dport}{flag}{log}")
    return [form("adv", words, 2, "rule <int:0-4294967294>", do="rule") for words in found]


GLOBAL = (
    form("sys", "sysname <word:246>", 1, do="sysname"),
    form("sys", "header login information <text:480>", 3, "header login"),
    form("sys", "dns domain <word:255>", 2, "dns domain;dns domain <word:255>"),
    form("sys", "dns server <ip>"),
    form("sys", "vlan batch <vlans>", do="vlan_batch"),
    form("sys", "ipv6"),
    form("sys", "bfd"),
    form("sys", "dhcp enable", do="dhcp"),
    form("sys", "telnet server enable"),
    form("sys", "http server enable"),
    form("sys", "ftp server enable"),
    form("sys", "traffic-filter vlan <int:1-4094> inbound acl name <word:32>", do="filter"),
    form("sys", "ip route-static <ip> <mask> <ip>", do="route", undo="ip route-static <ip> <mask> <ip>"),
    form("sys", "ip route-static <ip> <mask> <ip> preference <int:1-255>", do="route", undo=""),
    form("sys", "ip route-static <ip> <mask> <ip> tag <int:1-4294967295>", do="route", undo=""),
    form("sys", "ip route-static <ip> <mask> <ip> preference <int:1-255> tag <int:1-4294967295>", do="route",
         undo=""),
    form("sys", "ipv6 route-static <ip6> <int:0-128> <ip6>", do="route",
         undo="ipv6 route-static <ip6> <int:0-128> <ip6>"),
    form("sys", "ipv6 route-static <ip6> <int:0-128> <ip6> tag <int:1-4294967295>", do="route", undo=""),
    form("sys", "ntp-service unicast-server <ip>", 3),
    form("sys", "ntp-service unicast-server <ip> source-interface <port>", 3, do="interface_there"),
    form("sys", "info-center loghost <ip>", do="plain"),
    form("sys", "snmp-agent", do="plain"),
    form("sys", "snmp-agent acl <int:2000-2999>", 2),
    form("sys", "snmp-agent sys-info version {v1|v2c|v3|all}", 3, do="plain"),
    form("sys", "snmp-agent group v3 <word:32> {authentication|privacy|noauth}", 4, do="plain",
         undo="snmp-agent group v3 <word:32> {authentication|privacy|noauth}"),
    form("sys", "snmp-agent usm-user v3 <word:32> group <word:32>", 5, do="usm",
         undo="snmp-agent usm-user v3 <word:32>"),
    form("sys",
         "snmp-agent usm-user v3 <word:32> authentication-mode {md5|sha|sha2-224|sha2-256|sha2-384|sha2-512}",
         5, "", do="usm_secret"),
    form("sys", "snmp-agent usm-user v3 <word:32> privacy-mode {des56|aes128|aes192|aes256|3des}", 5, "",
         do="usm_secret"),
    form("sys", "stelnet server enable", do="plain"),
    form("sys", "ssh server compatible-ssh1x enable"),
    form("sys", "ssh user <word:64>", do="ssh_user"),
    form("sys", "ssh user <word:64> authentication-type {password|rsa|dsa|ecc|all|password-rsa}", 4,
         do="ssh_user"),
    form("sys", "ssh user <word:64> assign rsa-key <word:30>", 5, do="ssh_key"),
    form("sys", "ssh user <word:64> service-type {stelnet|sftp|all}", 4, do="ssh_user"),
)  # fmt: skip

#: Commands of the system view that open a view: (form, view).
OPENING = (
    (form("sys", "vlan <int:1-4094>", do="open_vlan"), "vlan"),
    (form("sys", "acl name <word:32> <int:2000-2999>", undo="acl name <word:32>", do="open_acl"), "basic"),
    (form("sys", "acl name <word:32> <int:3000-3999>", undo="acl name <word:32>", do="open_acl"), "adv"),
    (form("sys",
          "acl ipv6 name <word:32> <int:3000-3999>", undo="acl ipv6 name <word:32>", do="open_acl"), "adv6"),
    (form("sys", "acl number <int:2000-2999>", undo="acl number <int:2000-2999>"), "basic"),
    (form("sys", "acl number <int:3000-3999>", undo="acl number <int:3000-3999>"), "adv"),
    (form("sys", "ip pool <word:64>", do="open_pool"), "pool"),
    (form("sys", "hwtacacs-server template <word:32>"), "tac"),
    (form("sys", "radius-server template <word:32>"), "rad"),
    (form("sys", "aaa", undo=""), "aaa"),
    (form("sys", "interface <port>", do="open_interface"), "if"),
    (form("sys", "ospf <int:1-65535>", do="open_ospf"), "ospf"),
    (form("sys", "ospf <int:1-65535> router-id <ip>", undo="ospf <int:1-65535>", do="open_ospf"), "ospf"),
    (form("sys", "user-interface con 0", undo=""), "con"),
    (form("sys", "user-interface vty 0 4", undo=""), "vty"),
    (form("sys", "rsa peer-public-key <word:30>", do="open_key"), "key"),
    (form("sys",
          "rsa peer-public-key <word:30> encoding-type {der|openssh|pem}", undo="", do="open_key"), "key"),
    (form("aaa", "authentication-scheme <word:32>", do="open_scheme"), "scheme"),
    (form("aaa", "domain <word:64>"), "domain"),
    (form("ospf", "area <ip>"), "area"),
)  # fmt: skip

VIEWS = (
    form("vlan", "description <text:80>", 1, do="text"),
    form("basic", f"{_RULE} source <ip> <wild>", 2, "rule <int:0-4294967294>", do="rule"),
    form("basic", f"{_RULE}", 2, "rule <int:0-4294967294>", do="rule"),
    *_rules(),
    form("adv6", f"{_RULE} {{icmpv6|ipv6|tcp|udp}}", 2, "rule <int:0-4294967294>", do="rule"),
    form("adv6", f"{_RULE} {{icmpv6|ipv6|tcp|udp}} logging", 2, "rule <int:0-4294967294>", do="rule"),
    form("basic adv adv6", "rule <int:0-4294967294> description <text:127>", 3, do="rule_text"),
    form("pool", "gateway-list <ip>", 1, "gateway-list <ip>"),
    form("pool", "network <ip> mask <mask>", 1, do="pool_network"),
    form("pool", "excluded-ip-address <ip>", do="excluded"),
    form("pool", "excluded-ip-address <ip> <ip>", do="excluded"),
    form("pool", "dns-list <ip>", 1, "dns-list <ip>"),
    form("pool", "dns-list <ip> <ip>", 1, "dns-list <ip> <ip>"),
    form("tac", "hwtacacs-server authentication <ip>"),
    form("tac", "hwtacacs-server authentication <ip> secondary"),
    form("tac", "hwtacacs-server authorization <ip>"),
    form("tac", "hwtacacs-server authorization <ip> secondary"),
    form("tac", "hwtacacs-server shared-key cipher <word:392>", 3, "hwtacacs-server shared-key", do="cipher"),
    form("rad", "radius-server shared-key cipher <word:392>", 3, "radius-server shared-key", do="cipher"),
    form("rad", "radius-server authentication <ip> <int:1-65535> weight <int:0-100>"),
    form("scheme", "authentication-mode {local|hwtacacs|radius|none}", 1),
    form("scheme", "authentication-mode {hwtacacs|radius} {local|none}", 1),
    form("domain", "authentication-scheme <word:32>", 1, do="scheme_there"),
    form("domain", "hwtacacs-server <word:32>", 1),
    form("domain", "radius-server <word:32>", 1),
    form("aaa", "local-user <word:64> password irreversible-cipher <word:168>", 3, "", do="password"),
    form("aaa",
         "local-user <word:64> privilege level <int:0-15>", 4, "local-user <word:64>", do="local_user"),
    form("aaa", "local-user <word:64> service-type {ssh|terminal|telnet|http}", 3, "", do="local_user"),
    form("aaa",
         "local-user <word:64> service-type {terminal|ssh} {ssh|terminal|http}", 3, "", do="local_user"),
    form("if", "description <text:242>", 1, do="text"),
    form("if",
         "dot1q termination vid <int:1-4094>", 3, "dot1q termination vid <int:1-4094>", do="subinterface"),
    form("if", "arp broadcast enable", do="subinterface"),
    form("if", "shutdown"),
    form("if", "ipv6 enable", do="ipv6_there"),
    form("if", "ip address <ip> <mask>", 2, "ip address;ip address <ip> <mask>", do="address"),
    form("if", "ipv6 address <net6>", do="ipv6_enabled"),
    form("if", "ospf authentication-mode md5 <int:1-255> cipher <word:392>", 2, "ospf authentication-mode",
         do="cipher"),
    form("if", "ospf cost <int:1-65535>", 2),
    form("if", "ospf network-type {broadcast|nbma|p2mp|p2p}", 2),
    form("if", "ospf timer hello <int:1-65535>", 3),
    form("if", "ospf bfd enable", do="bfd_there"),
    form("if",
         _BFD, 3, _BFD,
         do="bfd_there"),
    form("if", "ospf enable <int:1-65535> area <ip>", 2, "ospf enable <int:1-65535> area <ip>",
         do="ospf_there"),
    form("if", "dhcp select {global|interface|relay}", 2, "dhcp select {global|interface|relay}",
         do="dhcp_there"),
    form("if", "dhcp relay server-ip <ip>", do="dhcp_there"),
    form("if", "port link-type {access|trunk|hybrid}", 2, do="link_type"),
    form("if", "port default vlan <int:1-4094>", 3, do="default_vlan"),
    form("if", "undo port trunk allow-pass vlan 1", undo=""),  # how it is shown; `undo` itself is elsewhere
    form("if", "port trunk allow-pass vlan <vlans>", do="allow_pass"),
    form("if", "port-security enable", do="secure"),
    form("if", "port-security max-mac-num <int:1-1024>", 2, do="secured"),
    form("if", "port-security protect-action {protect|restrict|shutdown}", 2, do="secured"),
    form("if", "traffic-filter inbound acl name <word:32>", do="filter"),
    form("if", "traffic-filter inbound ipv6 acl name <word:32>", do="filter"),
    form("if", "nat outbound <int:2000-3999>"),
    form("if",
         "nat server protocol {tcp|udp} global current-interface <int:1-65535> inside <ip> <int:1-65535>"),
    form("if", "stp edged-port enable"),
    form("if", "mtu <int:46-9600>", 1),
    form("ospf", "silent-interface <port>", do="interface_there"),
    form("con vty", "acl <int:2000-3999> inbound", 1, "acl inbound;acl <int:2000-3999> inbound"),
    form("con vty", "authentication-mode {aaa|password}", 1),
    form("con vty", "user privilege level <int:0-15>", 3),
    form("con vty", "idle-timeout <int:0-35791> <int:0-59>", 1, do="idle"),
    form("vty", "protocol inbound {ssh|telnet|all}", 2, do="protocol"),
)  # fmt: skip
#: Order of the system view's lines and sections on paper.
ORDER = (
    "sysname", "header ", "dns ", "vlan batch", "ipv6", "bfd", "dhcp ", "telnet ", "http ", "ftp ", "clock ",
    "diffserv ", "hwtacacs-server ", "radius-server ", "acl ", "drop-profile ", "vlan ", "ip pool ", "rsa ",
    "aaa",
    "ntp-service ", "interface Vlanif", "interface Eth-Trunk", "interface GigabitEthernet",
    "interface XGigabitEthernet", "interface NULL", "interface LoopBack", "ospf ", "ip route-static ",
    "ipv6 route-static ", "traffic-filter ", "info-center ", "snmp-agent", "stelnet ", "ssh ",
    "user-interface ",
)  # fmt: skip
VRP5 = Tables(
    header="!Software Version V200R021C00SPC500",
    version="5.170",
    system=GLOBAL,
    opening=OPENING,
    views=VIEWS,
    order=ORDER,
)

"""What can be typed in configuration mode: the commands that the tool uses, and what belongs to them.

From the command references of IOS XE 17 (https://www.cisco.com/c/en/us/support/ios-nx-os-software/ios-xe-17/products-command-reference-list.html).
"""

from __future__ import annotations

from lienthong.sim.vendors.cisco_ios.grammar import Form

_TABLE = """
global|hostname <word:63>|1
global|ip domain name <word:255>|3
global|ip domain-name <word:255>|2
global|ip name-server <ip>
global|ip routing|2
global|ipv6 unicast-routing|2
global|aaa new-model|2
global|aaa group server {tacacs+|radius} <word:32>||sg
global|aaa authentication login default {local|local-case|none}|4
global|aaa authentication login default group <word:32> {local|none}|4
global|aaa authorization exec default {local|none}|4
global|aaa authorization exec default group <word:32> {local|none}|4
global|ip dhcp excluded-address <ip> <ip>
global|ip dhcp pool <word:64>||dhcp
global|vtp mode {server|client|transparent|off}|2
global|archive|1|archive
global|username <word:64> privilege <int:0-15>|3
global|username <word:64> secret <text:160>|3
global|vlan <vlans>||vlan
global|interface <port>||if
global|router ospf <int:1-65535>||router
global|ip default-gateway <ip>|2
global|ip http server|3
global|ip http secure-server|3
global|ip nat inside source list <word:64> interface <port> overload|6
global|ip nat inside source static {tcp|udp} <ip> <int:1-65535> interface <port> <int:1-65535>
global|ip route <ip> <mask> <ip>|5
global|ip route <ip> <mask> <ip> tag <int:1-4294967295>|5
global|ip route <ip> <mask> <ip> <int:1-255>|5
global|ip route <ip> <mask> <ip> <int:1-255> tag <int:1-4294967295>|5
global|ipv6 route <net6> <ip6>|4
global|ipv6 route <net6> <ip6> tag <int:1-4294967295>|4
global|ip ssh version {1|2}|3
global|ip ssh pubkey-chain||pubkey
global|ip access-list standard <word:64>||std
global|ip access-list extended <word:64>||ext
global|ipv6 access-list <word:64>||acl6
global|logging source-interface <port>|2
global|logging host <ip>
global|logging <ip>
global|snmp-server group <word:32> v3 {auth|noauth|priv}|5
global|snmp-server group <word:32> v3 {auth|noauth|priv} access <word:64>|5
global|snmp-server user <word:32> <word:32> v3|5
global|snmp-server user <word:32> <word:32> v3 auth {md5|sha} <word:64> priv aes {128|192|256} <word:64>|5
global|tacacs server <word:64>||tacacs
global|radius server <word:64>||radius
global|banner {login|motd|exec} <text:2000>|2
global|line con 0||line
global|line vty <int:0-97> <int:0-97>||line
global|ntp source <port>|2
global|ntp server <ip>
if|description <text:240>|1
if|shutdown|1
if|ip address <ip> <mask>|2
if|ip address <ip> <mask> secondary
if|ipv6 address <if6>
if|encapsulation dot1Q <int:1-4094>|2
if|ip access-group <word:64> {in|out}|2
if|ipv6 traffic-filter <word:64> {in|out}|2
if|ip helper-address <ip>
if|ip nat inside|2
if|ip nat outside|2
if|ip ospf authentication message-digest|3
if|ip ospf message-digest-key <int:1-255> md5 <text:40>|4
if|ip ospf network {point-to-point|broadcast}|3
if|ip ospf cost <int:1-65535>|3
if|ip ospf hello-interval <int:1-65535>|3
if|ip ospf bfd|3
if|ip ospf <int:1-65535> area <int:0-4294967295>|3
if|bfd interval <int:50-9999> min_rx <int:50-9999> multiplier <int:3-50>|2
if|switchport access vlan <int:1-4094>|3
if|switchport mode {access|trunk}|2
if|switchport trunk native vlan <int:1-4094>|4
if|switchport trunk allowed vlan <vlans>|4
if|switchport trunk allowed vlan {all|none}|4
if|switchport trunk allowed vlan {add|remove} <vlans>|4
if|switchport nonegotiate|2
if|switchport port-security|2
if|switchport port-security maximum <int:1-3072>|3
if|switchport port-security violation {protect|restrict|shutdown}|3
if|spanning-tree portfast|2
if|spanning-tree bpduguard {enable|disable}|2
vlan|name <word:32>|1
dhcp|network <ip> <mask>|1
dhcp|default-router <ip>|1
dhcp|dns-server <ip>|1
dhcp|dns-server <ip> <ip>|1
router|router-id <ip>|1
router|passive-interface default|2
router|passive-interface <port>|2
std|permit <ip> <wild>
std|permit any
std|deny any
std|deny any log
acl6|permit {icmp|ipv6|tcp|udp} any any
acl6|deny {icmp|ipv6|tcp|udp} any any
acl6|deny {icmp|ipv6|tcp|udp} any any log
pubkey|username <word:64>||key
key|key-hash {ssh-rsa|ssh-ed25519} <word:32> <word:64>
key|key-hash {ssh-rsa|ssh-ed25519} <word:32>
line|access-class <word:64> in vrf-also|1
line|access-class <word:64> in|1
line|exec-timeout <int:0-35791> <int:0-2147483>|1
line|transport input {ssh|telnet|all|none}|2
line|login|1
line|login local|1
line|login authentication <word:31>|1
sg|server name <word:64>
tacacs|address ipv4 <ip>|2
tacacs|key <text:120>|1
radius|address ipv4 <ip> auth-port <int:0-65535> acct-port <int:0-65535>|2
radius|key <text:120>|1
archive|path <word:120>|1
archive|maximum <int:1-14>|1
archive|write-memory|1
"""


def _form(row: str) -> Form:
    mode, words, *rest = row.split("|") if "{" not in row else _cut(row)
    return Form(
        mode, tuple(words.split()), int(rest[0] or 0) if rest else 0, rest[1] if len(rest) > 1 else ""
    )


def _cut(row: str) -> list[str]:
    """Columns of a row whose braces hold bars too."""
    out, depth = [""], 0
    for char in row:
        depth += (char == "{") - (char == "}")
        if char == "|" and not depth:
            out.append("")
        else:
            out[-1] += char
    return out


FORMS: dict[str, list[Form]] = {}
for _row in _TABLE.split("\n"):
    if _row:
        FORMS.setdefault(_row.partition("|")[0], []).append(_form(_row))

#: What stands in the parentheses of the prompt.
PROMPTS = {
    "global": "config", "if": "config-if", "subif": "config-subif", "vlan": "config-vlan",
    "dhcp": "dhcp-config", "router": "config-router", "std": "config-std-nacl", "ext": "config-ext-nacl",
    "acl6": "config-ipv6-acl", "pubkey": "conf-ssh-pubkey", "key": "conf-ssh-pubkey-user",
    "line": "config-line", "sg": "config-sg-tacacs+", "tacacs": "config-server-tacacs",
    "radius": "config-radius-server", "archive": "config-archive",
}  # fmt: skip

"""A FortiGate 60F after day 0: its own factory configuration where that matters, and a way to manage it.

As a 60F comes from the factory, from memory: `wan1` and `wan2` ask for an address,
five sockets are the switch `internal`. Day 0 gave it a host name, the management VLAN, an account with a
key, a first way to the office over `wan1`, and turned paging off, which else Netmiko does at every login.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.vendors.fortinet_fortios.tree import quoted

_PORTS = """    edit "wan1"
        set vdom "root"
        set ip 192.0.2.2 255.255.255.252
        set allowaccess ping fgfm
        set type physical
        set role wan
        set snmp-index 1
    next
    edit "wan2"
        set vdom "root"
        set mode dhcp
        set allowaccess ping fgfm
        set type physical
        set role wan
        set snmp-index 2
    next
    edit "dmz"
        set vdom "root"
        set ip 10.10.10.1 255.255.255.0
        set allowaccess ping https
        set type physical
        set role dmz
        set snmp-index 3
    next
    edit "internal"
        set vdom "root"
        set ip 192.168.1.99 255.255.255.0
        set allowaccess ping
        set type hard-switch
        set role lan
        set snmp-index 15
    next
"""
_SERVICES = """config firewall service custom
    edit "ALL"
        set protocol IP
    next
    edit "SSH"
        set tcp-portrange 22
    next
    edit "HTTPS"
        set tcp-portrange 443
    next
    edit "PING"
        set protocol ICMP
        set icmptype 8
    next
end
config firewall schedule recurring
    edit "always"
        set day sunday monday tuesday wednesday thursday friday saturday
    next
end
"""


def day0(name: str, managed: IPv4Interface, keys: Sequence[str]) -> str:
    """The configuration as text."""
    told = "".join(f"        set ssh-public-key{at} {quoted(key)}\n" for at, key in enumerate(keys[:3], 1))
    return f"""config system global
    set hostname {quoted(name)}
end
config system interface
{_PORTS}    edit "lt-vlan40"
        set vdom "root"
        set ip {managed.ip} {managed.network.netmask}
        set allowaccess ping ssh
        set snmp-index 16
        set interface "internal"
        set vlanid 40
    next
end
config system admin
    edit "admin"
        set accprofile "super_admin"
        set vdom "root"
        set password ENC SH2factory
    next
    edit "netadm"
        set accprofile "super_admin"
        set vdom "root"
{told}    next
end
config system console
    set output standard
end
config system dns
    set primary 96.45.45.45
    set secondary 96.45.46.46
    set protocol dot
end
config system ntp
    set ntpsync enable
end
config firewall address
    edit "all"
        set uuid 1ffe0b5e-0000-51ef-0000-000000000001
    next
end
{_SERVICES}config firewall policy
    edit 1
        set name "day 0"
        set uuid 1ffe0b5e-0000-51ef-0000-000000000002
        set srcintf "wan1"
        set dstintf "lt-vlan40"
        set action accept
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "SSH"
    next
end
config router static
    edit 1
        set gateway 192.0.2.1
        set device "wan1"
    next
end
"""

"""Which sections, values and entries the simulated FortiGate knows: those of the templates and some more.

Names, ranges and defaults are those of the FortiOS 7.4 CLI Reference
(https://docs.fortinet.com/document/fortigate/7.4.4/cli-reference); values stand in its order, in which
`show` prints them. A value is described by words, the first of which is its kind; see `values.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """A section, or the table of which each entry is one."""

    key: str = ""
    """How an entry is named: `name 15`, `number`, `address`; empty for a section that is no table."""
    values: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[str, Section] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """What an entry cannot be without."""
    ordered: bool = False
    """Entries can be moved."""

    @property
    def order(self) -> tuple[str, ...]:
        """Items as `show` has them."""
        return (*(f"set {name}" for name in self.values), *(f"config {name}" for name in self.below))


_SWITCH = "option disable enable disable"
_TRUSTED = {f"trusthost{number}": "subnet" for number in range(1, 11)}
_SYSLOG = Section(values={
    "status": _SWITCH, "server": "free 127", "mode": "option udp udp legacy-reliable reliable",
    "port": "int 0 65535 514", "facility": "option local7 local7 local0 syslog", "source-ip": "free 63",
})  # fmt: skip
_ACTION = "option deny accept deny"
_ALWAYS = "ref firewall schedule recurring"

SECTIONS: Mapping[str, Section] = {
    "system global": Section(values={
        "admin-https-redirect": "option enable enable disable",
        "admin-ssh-password": "option enable enable disable",
        "admin-ssh-port": "int 1 65535 22",
        "admin-ssh-v1": _SWITCH,
        "admin-telnet": "option enable enable disable",
        "admintimeout": "int 1 480 5",
        "alias": "text 35",
        "cfg-revert-timeout": "int 10 4294967295 600",
        "cfg-save": "option automatic automatic manual revert",
        "hostname": "name 35",
        "post-login-banner": _SWITCH,
        "pre-login-banner": _SWITCH,
        "strong-crypto": "option enable enable disable",
        "timezone": "free 63",
    }),
    "system accprofile": Section("name 35", {
        "comments": "text 255", "secfabgrp": "option none none read read-write",
    }),
    "system interface": Section("name 15", {
        "vdom": "ref system vdom",
        "mode": "option static static dhcp pppoe",
        "dhcp-relay-service": _SWITCH,
        "dhcp-relay-ip": "hosts",
        "ip": "host-mask",
        "allowaccess": "options ping https ssh snmp http telnet fgfm radius-acct probe-response fabric ftm",
        "status": "option up up down",
        "type": "option - physical loopback vlan hard-switch tunnel aggregate",
        "bfd": "option global global enable disable",
        "bfd-desired-min-tx": "int 1 100000 250",
        "bfd-detect-mult": "int 1 50 3",
        "bfd-required-min-rx": "int 1 100000 250",
        "description": "text 255",
        "alias": "text 25",
        "role": "option undefined lan wan dmz undefined",
        "snmp-index": "int 0 2147483647 0",
        "mtu-override": _SWITCH,
        "mtu": "int 0 65535 1500",
        "interface": "ref system interface",
        "vlanid": "int 1 4094 0",
    }, {"ipv6": Section(values={
        "ip6-address": "prefix6",
        "ip6-allowaccess": "options ping https ssh snmp http telnet fgfm fabric",
        "ip6-send-adv": _SWITCH,
    })}),
    "system replacemsg admin \"pre_admin-disclaimer-text\"": Section(values={"buffer": "free 32768"}),
    "system admin": Section("name 64", {
        "remote-auth": _SWITCH,
        "accprofile": "ref system accprofile",
        "vdom": "refs system vdom",
        "wildcard": _SWITCH,
        "remote-group": "ref user group",
        "comments": "text 255",
        "ssh-public-key1": "key", "ssh-public-key2": "key", "ssh-public-key3": "key",
        **_TRUSTED,
        "password": "secret 128",
    }, needs=("accprofile",)),
    "system console": Section(values={
        "baudrate": "option 9600 9600 115200", "output": "option more standard more",
    }),
    "system dns": Section(values={
        "primary": "host", "secondary": "host", "source-ip": "host",
        "protocol": "options cleartext dot doh",
    }),
    "system snmp sysinfo": Section(values={
        "status": _SWITCH, "description": "text 255", "contact-info": "text 255", "location": "text 255",
    }),
    "system snmp user": Section("name 32", {
        "status": "option enable enable disable",
        "queries": "option enable enable disable",
        "security-level": "option no-auth-no-priv no-auth-no-priv auth-no-priv auth-priv",
        "auth-proto": "option sha md5 sha sha224 sha256 sha384 sha512",
        "auth-pwd": "secret 128",
        "priv-proto": "option aes aes des aes256",
        "priv-pwd": "secret 128",
    }),
    "system ntp": Section(values={
        "ntpsync": _SWITCH,
        "type": "option fortiguard fortiguard custom",
        "source-ip": "host",
        "server-mode": _SWITCH,
    }, below={"ntpserver": Section("number", {"server": "free 63", "ntpv3": _SWITCH}, needs=("server",))}),
    "user radius": Section("name 35", {"server": "free 63", "secret": "secret 128"}, needs=("server",)),
    "user tacacs+": Section("name 35", {
        "server": "free 63", "key": "secret 128", "authorization": _SWITCH,
    }),
    "user group": Section("name 35", {"member": "refs user radius|user tacacs+|user local"}),
    "system dhcp server": Section("number", {
        "status": "option enable enable disable",
        "lease-time": "int 300 8640000 604800",
        "dns-service": "option specify local default specify",
        "dns-server1": "host", "dns-server2": "host", "dns-server3": "host", "dns-server4": "host",
        "domain": "free 35",
        "default-gateway": "host",
        "netmask": "mask",
        "interface": "ref system interface",
    }, {"ip-range": Section("number", {"start-ip": "host", "end-ip": "host"}, needs=("start-ip", "end-ip"))},
        needs=("netmask", "interface")),
    "firewall address": Section("name 79", {
        "uuid": "free 36", "subnet": "subnet", "comment": "text 255",
    }),
    "firewall service custom": Section("name 79", {
        "protocol": "option TCP/UDP/SCTP TCP/UDP/SCTP ICMP ICMP6 IP",
        "protocol-number": "int 0 254 0",
        "icmptype": "int 0 255 -1",
        "tcp-portrange": "ports", "udp-portrange": "ports",
        "comment": "text 255",
    }),
    "firewall schedule recurring": Section("name 31", {
        "day": "options sunday monday tuesday wednesday thursday friday saturday none",
    }),
    "firewall vip": Section("name 79", {
        "uuid": "free 36", "extip": "free 63", "mappedip": "hosts", "extintf": "ref system interface",
        "portforward": _SWITCH, "protocol": "option tcp tcp udp sctp icmp", "extport": "ports",
        "mappedport": "ports", "comment": "text 255",
    }, needs=("mappedip",)),
    "firewall policy": Section("number", {
        "status": "option enable enable disable",
        "name": "text 35", "uuid": "free 36",
        "srcintf": "refs system interface", "dstintf": "refs system interface",
        "action": _ACTION,
        "srcaddr": "refs firewall address",
        "dstaddr": "refs firewall address|firewall vip",
        "schedule": _ALWAYS,
        "service": "refs firewall service custom",
        "logtraffic": "option utm all utm disable",
        "nat": _SWITCH,
        "comments": "text 1023",
    }, needs=("srcintf", "dstintf", "srcaddr", "dstaddr", "schedule", "service"), ordered=True),
    "firewall local-in-policy": Section("number", {
        "uuid": "free 36", "intf": "ref system interface",
        "srcaddr": "refs firewall address",
        "dstaddr": "refs firewall address",
        "action": _ACTION,
        "service": "refs firewall service custom",
        "schedule": _ALWAYS,
        "status": "option enable enable disable",
        "comments": "text 1023",
    }, needs=("intf", "srcaddr", "dstaddr", "service", "schedule"), ordered=True),
    **{f"log syslogd{number} setting": _SYSLOG for number in ("", 2, 3, 4)},
    "log setting": Section(values={
        "fwpolicy-implicit-log": _SWITCH, "local-in-allow": _SWITCH, "local-in-deny-unicast": _SWITCH,
        "local-in-deny-broadcast": _SWITCH,
    }),
    "router static": Section("number", {
        "status": "option enable enable disable",
        "dst": "subnet", "gateway": "host", "distance": "int 1 255 10", "device": "ref system interface",
        "comment": "text 255", "blackhole": _SWITCH,
    }),
    "router static6": Section("number", {
        "status": "option enable enable disable", "dst": "prefix6", "gateway": "host6",
        "device": "ref system interface", "distance": "int 1 255 10",
    }, needs=("device",)),
    "router ospf": Section(values={
        "default-information-originate": "option disable enable always disable",
        "passive-interface": "refs system interface",
        "router-id": "host",
    }, below={
        "area": Section("address", {"type": "option regular regular nssa stub"}),
        "ospf-interface": Section("name 35", {
            "comments": "text 255",
            "interface": "ref system interface",
            "authentication": "option none none text message-digest",
            "cost": "int 0 65535 0",
            "priority": "int 0 255 1",
            "dead-interval": "int 0 65535 0",
            "hello-interval": "int 0 65535 0",
            "network-type": "option broadcast broadcast non-broadcast point-to-point point-to-multipoint",
            "bfd": "option global global enable disable",
        }, {"md5-keys": Section("number", {"key-string": "secret 16"}, needs=("key-string",))},
            needs=("interface",)),
        "network": Section("number", {"prefix": "subnet", "area": "host"}, needs=("prefix",)),
    }),
}  # fmt: skip

#: What is there without standing in the configuration.
BUILT_IN: Mapping[str, frozenset[str]] = {
    "system vdom": frozenset({"root"}),
    "system accprofile": frozenset({"super_admin"}),
    "system interface": frozenset({"any"}),
    "user local": frozenset(),
}

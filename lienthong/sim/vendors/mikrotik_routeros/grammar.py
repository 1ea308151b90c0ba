"""What each menu takes: names, kinds and defaults of values, as in the pages of help.mikrotik.com for 7.16.

A value is written `name`, with `*` where an item needs it, `=default`, and `:kind`. Kinds: `a|b` one of
those, `{a,b}` some of those, `1..9` a number, `yesno`, `time`, `iface`, `ifaces`, `@/menu` the name of an
item there, `ip`, `address` (with length), `net`, `nets`, `ip6net`, `ids`, `ports`, `text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

_RULE = (
    "chain* action:accept|drop|reject|jump|log|return|passthrough|fasttrack-connection|masquerade"
    "|dst-nat|src-nat|redirect protocol:{tcp,udp,icmp,icmpv6,ospf,gre,igmp,ipsec-esp,ipsec-ah,vrrp}"
    " src-address:net dst-address:net src-address-list dst-address-list src-port:ports dst-port:ports"
    " in-interface:iface out-interface:iface in-interface-list:@/interface list"
    " out-interface-list:@/interface list connection-state:{established,related,invalid,new,untracked}"
    " connection-nat-state icmp-options jump-target log=no:yesno log-prefix limit to-addresses:ip"
    " to-ports:ports"
)
_RULE6 = _RULE.replace(":net ", ":ip6net ")
_POLICIES = (
    "local,telnet,ssh,ftp,reboot,read,write,policy,test,"
    "winbox,password,web,sniff,sensitive,api,romon,rest-api"
)
_NEEDED = "comment disabled=no:yesno"
#: Menus whose items are added, in the order of an export.
LISTS: dict[str, str] = {
    "/interface bridge": "name* vlan-filtering=no:yesno protocol-mode=rstp:none|rstp|stp|mstp"
    " pvid=1:1..4094"
    " igmp-snooping=no:yesno dhcp-snooping=no:yesno arp=enabled frame-types=admit-all admin-mac"
    " auto-mac=yes:yesno"
    " port-cost-mode=long:long|short priority=0x8000 fast-forward=yes:yesno",
    "/interface wireguard": "name* listen-port=13231:1..65535 mtu=1420:68..65535 private-key",
    "/interface vlan": "name* interface*:iface vlan-id=1:1..4094 mtu=1500:68..65535"
    " arp=enabled:enabled|disabled"
    "|proxy-arp|reply-only|local-proxy-arp use-service-tag=no:yesno",
    "/interface list": "name* include exclude",
    "/ip pool": "name* ranges* next-pool=none",
    "/ip dhcp-server": "name* interface*:iface address-pool=static-only:@/ip pool lease-time=30m:time"
    " authoritative=yes lease-script add-arp=no:yesno",
    "/routing ospf instance": "name* router-id:ip version=2:2|3 vrf=main redistribute"
    " originate-default=never",
    "/routing ospf area": "name* instance*:@/routing ospf instance area-id=0.0.0.0:ip"
    " type=default:default|stub|nssa",
    "/snmp community": "name* addresses=::/0:nets security=none:none|authorized|private"
    " read-access=yes:yesno"
    " write-access=no:yesno authentication-protocol=MD5:MD5|SHA1 encryption-protocol=DES:DES|AES"
    " authentication-password encryption-password",
    "/system logging action": "name* target*:disk|echo|email|memory|remote remote:ip"
    " remote-port=514:1..65535"
    " src-address:ip bsd-syslog=no:yesno",
    "/user group": f"name* policy:{{{_POLICIES}}} skin=default",
    "/interface bridge port": "bridge*:@/interface bridge interface*:iface pvid=1:1..4094"
    " edge=auto:auto|yes|no"
    " frame-types=admit-all:admit-all|admit-only-vlan-tagged|admit-only-untagged-and-priority-tagged"
    " ingress-filtering=yes:yesno bpdu-guard=no:yesno hw=yes:yesno horizon=none trusted=no:yesno",
    "/interface bridge vlan": "bridge*:@/interface bridge vlan-ids*:ids tagged:ifaces untagged:ifaces",
    "/interface list member": "interface*:iface list*:@/interface list",
    "/interface wireguard peers": "interface*:@/interface wireguard name public-key* allowed-address*:nets"
    " endpoint-address endpoint-port=0:0..65535 persistent-keepalive=0s:time preshared-key"
    " responder=no:yesno",
    "/ip address": "address*:address interface*:iface network:ip",
    "/ip dhcp-relay": "name* interface*:iface dhcp-server* local-address=0.0.0.0:ip",
    "/ip dhcp-server network": "address*:net gateway dns-server domain ntp-server netmask=0:0..32"
    " dhcp-option",
    "/ip firewall address-list": "list* address* timeout",
    "/ip firewall filter": _RULE,
    "/ip firewall nat": _RULE,
    "/ip route": "dst-address*:net gateway* distance=1:1..255 scope=30:0..255 target-scope=10:0..255"
    " routing-table=main pref-src suppress-hw-offload=no:yesno check-gateway=none blackhole=no:yesno",
    "/ipv6 address": "address* interface*:iface advertise=yes:yesno eui-64=no:yesno from-pool"
    " no-dad=no:yesno",
    "/ipv6 firewall filter": _RULE6,
    "/ipv6 route": "dst-address* gateway* distance=1:1..255",
    "/radius": "address*:ip service:{login,ppp,hotspot,dhcp,dot1x} secret timeout=300ms src-address:ip",
    "/routing bfd configuration": "interfaces:ifaces min-rx=200ms:time min-tx=200ms:time"
    " multiplier=5:1..255"
    " forbid-bfd=no:yesno",
    "/routing ospf interface-template": "area*:@/routing ospf area interfaces:ifaces networks"
    " cost=1:1..65535"
    " type=broadcast:broadcast|nbma|ptp|ptmp|ptp-unnumbered|virtual-link"
    " auth:simple|md5|sha1|sha256|sha384|sha512"
    " auth-id=0:0..255 auth-key hello-interval=10s:time dead-interval=40s:time use-bfd=no:yesno"
    " passive=no:yesno priority=128:0..255 retransmit-interval=5s:time",
    "/system logging": "topics* action=memory:@/system logging action prefix",
    "/system ntp client servers": "address* iburst=yes:yesno",
    "/system scheduler": f"name* on-event interval=0s:time start-time start-date policy:{{{_POLICIES}}}",
    "/user": "name* group*:@/user group password address:nets inactivity-timeout=10m:time"
    " inactivity-policy=none:none|logout|lockscreen",
    "/user ssh-keys": "user*:@/user key*",
}
#: Menus that hold one thing.
SINGLES: dict[str, str] = {
    "/ip dns": "servers allow-remote-requests=no:yesno cache-size=2048KiB",
    "/ip neighbor discovery-settings": "discover-interface-list=!dynamic protocol",
    "/ip ssh": "strong-crypto=no:yesno forwarding-enabled=no:no|local|remote|both host-key-size=2048"
    " always-allow-password-login=no:yesno",
    "/snmp": "enabled=no:yesno contact location trap-version=1:1|2|3",
    "/system clock": "time-zone-name=manual time-zone-autodetect=yes:yesno",
    "/system identity": "name=MikroTik",
    "/system note": "note show-at-login=yes:yesno",
    "/system ntp client": "enabled=no:yesno mode=unicast vrf=main",
    "/tool bandwidth-server": "enabled=yes:yesno authenticate=yes:yesno",
    "/tool mac-server": "allowed-interface-list=all",
    "/tool mac-server mac-winbox": "allowed-interface-list=all",
    "/tool mac-server ping": "enabled=yes:yesno",
    "/user aaa": "use-radius=no:yesno default-group=read accounting=yes:yesno",
}
#: Menus whose items are there from the start: (values, what names an item).
FIXED: dict[str, tuple[str, str]] = {
    "/interface ethernet": (
        "name comment disabled=no:yesno arp=enabled mtu=1500:68..65535 auto-negotiation=yes:yesno speed"
        " poe-out"
        " mac-address loop-protect=default",
        "default-name",
    ),
    "/ip service": (
        "port:1..65535 address:nets disabled=no:yesno certificate=none max-sessions=20:1..1000",
        "name",
    ),
}
PORTS = {"telnet": "23", "ftp": "21", "www": "80", "ssh": "22", "www-ssl": "443", "api": "8728",
         "winbox": "8291", "api-ssl": "8729"}  # fmt: skip
#: An export has no accounts in it (…/ROS/Configuration+Management, "Configuration Export").
UNEXPORTED = ("/user", "/user ssh-keys")
ORDER = sorted(
    [*LISTS, *SINGLES, *FIXED],
    key=lambda path: ("interface" not in path.split(" ")[0], path.startswith(("/system", "/tool", "/user"))),
)


@dataclass(frozen=True)
class Field:
    """One value of a menu."""

    kind: str
    default: str | None
    needed: bool


@cache
def fields(path: str) -> dict[str, Field] | None:
    """The values of a menu by name; None where this device has no such menu."""
    if path in LISTS:
        text = f"{LISTS[path]} {_NEEDED}"
    elif path in SINGLES:
        text = SINGLES[path]
    elif path in FIXED:
        text = FIXED[path][0]
    else:
        return None
    found: dict[str, Field] = {}
    for word in _whole(text):
        name, equal, default = word.partition("=")
        default, _, kind = default.rpartition(":") if ":" in default else (default, "", "")
        if not equal:
            name, _, kind = word.partition(":")
        needed = name.endswith("*")
        found[name.removesuffix("*")] = Field(
            kind or "text", default if equal else None if needed else "", needed
        )
    return found


def _whole(text: str) -> list[str]:
    """Words; a menu's name after `@` has blanks in it."""
    found: list[str] = []
    for word in text.split():
        if found and "@" in found[-1] and word[0].islower() and f"{_menu(found[-1])} {word}" in LISTS_OF:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def _menu(word: str) -> str:
    return word.partition("@")[2]


#: Beginnings of menus' names, for :func:`_whole`.
LISTS_OF = frozenset(
    " ".join(path.split()[:count]) for path in LISTS for count in range(2, len(path.split()) + 1)
)

"""Statements that stand in several places."""

from __future__ import annotations

TERM = """
 term <name> ordered
  from
   source-address
    <{net}>
     except !
   destination-address
    <{net}>
     except !
   source-prefix-list
    <name>
     except !
   destination-prefix-list
    <name>
     except !
   {protocol} *protocol
   source-port *port
   destination-port *port
   port *port
   tcp-established !
   tcp-initial !
   icmp-type *icmp
   icmp-code *word
   interface *ifl
   {more}
  then
   count =name
   log !
   syslog !
   accept ! choice:action
   discard ! choice:action
   reject ! choice:action
    tcp-reset !
    administratively-prohibited !
   next =term choice:action
"""


def below(text: str, depth: int) -> str:
    """The statements so many levels deeper."""
    return "\n".join(" " * depth + line for line in text.strip("\n").splitlines())


def terms(net: str, protocol: str, more: str) -> str:
    """What a filter holds, by the words that differ between IPv4 and IPv6."""
    return below(TERM.format(net=net, protocol=protocol, more=more), 3)


KEYS = """
encrypted-password =hash
plain-text-password-value =plain as:encrypted-password
ssh-rsa <sshkey>
ssh-ecdsa <sshkey>
ssh-ed25519 <sshkey>
"""
INET = """
filter
 input =name
 output =name
address <{address}>
 primary !
 preferred !
mtu =256..9216
dhcp !
no-redirects !
rpf-check !
"""
HOPS = """
next-hop *hop choice:hop
discard ! choice:hop
reject ! choice:hop
preference =0..4294967295
metric =0..4294967295
no-readvertise !
qualified-next-hop <hop>
 preference =0..4294967295
 metric =0..4294967295
"""
OSPF = """
 reference-bandwidth =word
 export *name
 area <area>
  stub !
   default-metric =1..16777215
   no-summaries !
  interface <ifl>
   passive !
   disable !
   metric =1..65535
   priority =0..255
   hello-interval =1..255
   dead-interval =1..65535
   interface-type =nbma|p2mp|p2p
   bfd-liveness-detection
    minimum-interval =1..255000
    multiplier =1..255
   authentication
    simple-password =crypt
    md5 <0..255>
     key =crypt
"""
RELAY = """
server-group
 <name>
  <ip4>
active-server-group =name
group <name>
 active-server-group =name
 interface <ifl>
"""
USM = """
 authentication-{0}
  authentication-password =long as:authentication-key
  authentication-key =crypt
"""

"""What is forwarded and how it is found, filters, VLANs."""

from __future__ import annotations

from lienthong.sim.vendors.juniper_junos.statements.parts import HOPS, OSPF, RELAY, below, terms

PROTOCOLS = f"""
forwarding-options
 storm-control-profiles <name>
  all !
   bandwidth-percentage =1..100
 dhcp-relay
{below(RELAY, 2)}
routing-options
 router-id =ip4
 static
  route <net4>
{below(HOPS, 3)}
 rib <word>
  static
   route <net>
{below(HOPS, 4)}
protocols
 router-advertisement
  interface <ifl>
   managed-configuration !
   other-stateful-configuration !
   no-advertise !
   max-advertisement-interval =4..1800
   min-advertisement-interval =3..1350
   prefix <net6>
    no-autonomous !
    no-onlink !
 ospf
{below(OSPF, 1)}
 ospf3
{below(OSPF, 1)}
 lldp !
  disable !
  advertisement-interval =5..32768
  interface <ifl>
   disable !
 lldp-med
  interface <ifl>
   disable !
 igmp-snooping
  vlan <word>
 rstp !
  bridge-priority =word
  bpdu-block-on-edge !
  interface <ifl>
   edge !
   no-root-port !
   disable !
   mode =point-to-point|shared
   cost =1..200000000
policy-options
 prefix-list <name>
  <net>
 policy-statement <name>
  term <name> ordered
   from
    protocol *word
    route-filter <net>
     exact !
     orlonger !
   then
    accept ! choice:action
    reject ! choice:action
firewall
 family
  inet
   filter <name>
{terms("net4", "protocol", "is-fragment !")}
  inet6
   filter <name>
{terms("net6", "next-header", "payload-protocol *protocol")}
access
 address-assignment
  pool <name>
   family
    inet
     network =net4
     range <name>
      low =ip4
      high =ip4
     dhcp-attributes
      maximum-lease-time =60..4294967295
      domain-name =word
      name-server
       <ip4>
      router
       <ip4>
      option <1..254>
       ip-address =ip4
       string =text
      boot-server =word
      boot-file =word
      tftp-server =ip4
     host <name>
      hardware-address =mac
      ip-address =ip4
switch-options
 interface <ifl>
  interface-mac-limit
   <1..163840>
   packet-action =drop|drop-and-log|log|none|shutdown
 voip
  interface <ifl>
   vlan =name
vlans
 <vname>
  description =text
  vlan-id =1..4094
  l3-interface =ifl
  switch-options
   mac-table-size
    <1..163840>
  forwarding-options
   dhcp-security !
    arp-inspection !
    ip-source-guard !
"""

"""Zones and policies, interfaces, SNMP."""

from __future__ import annotations

from lienthong.sim.vendors.juniper_junos.statements.parts import INET, USM, below

INTERFACES = f"""
security
 forwarding-options
  family
   inet6
    mode =drop|flow-based|packet-based
   mpls
    mode =flow-based|packet-based
 address-book <name>
  address <name>
   <net>
 nat
  source
   pool <name>
    address
     <net4>
   rule-set <name>
    from
     zone *name
     interface *ifl
    to
     zone *name
     interface *ifl
    rule <name> ordered
     match
      source-address *net4
      destination-address *net4
     then
      source-nat
       interface ! choice:nat
       off ! choice:nat
       pool ! choice:nat
        <name>
  destination
   pool <name>
    address !
     <net4>
     port =1..65535
   rule-set <name>
    from
     zone *name
     interface *ifl
    rule <name> ordered
     match
      destination-address =net4
      destination-port *port
     then
      destination-nat
       pool !
        <name>
 policies
  from-zone <name>
   to-zone <name>
    policy <name> ordered
     match
      source-address *name
      destination-address *name
      application *name
     then
      permit ! choice:verdict
      deny ! choice:verdict
      reject ! choice:verdict
      log
       session-init !
       session-close !
      count !
  default-policy
   permit-all ! choice:verdict
   deny-all ! choice:verdict
 zones
  security-zone <name>
   screen =name
   host-inbound-traffic
    system-services
     <service>
      except !
    protocols
     <service>
      except !
   interfaces
    <ifl>
     host-inbound-traffic
      system-services
       <service>
        except !
      protocols
       <service>
        except !
interfaces
 <iface>
  description =text
  disable !
  vlan-tagging !
  flexible-vlan-tagging !
  native-vlan-id =0..4094
  speed =10m|100m|1g|10g|auto
  link-mode =automatic|full-duplex|half-duplex
  mtu =256..9216
  ether-options
   no-auto-negotiation !
   802.3ad
    <iface>
  unit <0..16385>
   description =text
   disable !
   vlan-id =0..4094
   proxy-arp !
   family
    inet !
{below(INET.format(address="if4"), 5)}
    inet6 !
{below(INET.format(address="if6"), 5)}
    ethernet-switching !
     interface-mode =access|trunk
     storm-control =name
     recovery-timeout =10..3600
     vlan
      members *member
     filter
      input =name
      output =name
snmp
 name =text
 description =text
 location =text
 contact =text
 filter-interfaces
  all-internal-interfaces !
 v3
  usm
   local-engine
    user <name>
{below("".join(USM.format(one) for one in ("md5", "sha", "sha224", "sha256")), 4)}
     privacy-aes128
      privacy-password =long as:privacy-key
      privacy-key =crypt
     privacy-des
      privacy-password =long as:privacy-key
      privacy-key =crypt
  vacm
   security-to-group
    security-model <usm|v1|v2c>
     security-name <name>
      group =name
   access
    group <name>
     default-context-prefix
      security-model <any|usm|v1|v2c>
       security-level <authentication|none|privacy>
        read-view =name
        write-view =name
        notify-view =name
  target-address <name>
   address =ip
   port =1..65535
   tag-list =text
   target-parameters =name
  target-parameters <name>
   parameters
    message-processing-model =v1|v2c|v3
    security-model =usm|v1|v2c
    security-level =authentication|none|privacy
    security-name =name
   notify-filter =name
  notify <name>
   type =trap|inform
   tag =name
 engine-id
  local =text
  use-mac-address !
 view <name>
  oid <word>
   include !
   exclude !
 community <word>
  authorization =read-only|read-write
  clients
   <net4>
    restrict !
 trap-group <name>
  targets
   <ip>
"""

"""What may be said in a configuration, as data: one line a statement, deeper ones below it.

After the statement's word: nothing, a hierarchy; `!`, something that is there or not (and may hold more);
`<type>`, entries by name (a line of a type alone: entries without a word before them); `=type`, one value;
`*type`, several values. Then words: `ordered` (entries keep their order), `as:NAME` (kept under another
name), `choice:NAME` (one of these only), `needs` (the commit is refused without it). Types: `values.py`.
Source: Junos CLI Reference, https://www.juniper.net/documentation/us/en/software/junos/cli-reference/, the
statements' own pages; Layer 2 as on switches with ELS ("Getting Started with Enhanced Layer 2 Software").
"""

from __future__ import annotations

_TERM = """
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


def _below(text: str, depth: int) -> str:
    return "\n".join(" " * depth + line for line in text.strip("\n").splitlines())


def _filter(net: str, protocol: str, more: str) -> str:
    return _below(_TERM.format(net=net, protocol=protocol, more=more), 3)


_KEYS = """
encrypted-password =hash
plain-text-password-value =plain as:encrypted-password
ssh-rsa <sshkey>
ssh-ecdsa <sshkey>
ssh-ed25519 <sshkey>
"""
_INET = """
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
_HOPS = """
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
_OSPF = """
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
_RELAY = """
server-group
 <name>
  <ip4>
active-server-group =name
group <name>
 active-server-group =name
 interface <ifl>
"""
_USM = """
 authentication-{0}
  authentication-password =long as:authentication-key
  authentication-key =crypt
"""

STATEMENTS = f"""
version =word
system
 host-name =host
 root-authentication needs
{_below(_KEYS, 2)}
 domain-name =word
 domain-search *word
 time-zone =word
 no-redirects !
 no-ping-record-route !
 no-ping-time-stamp !
 internet-options
  icmpv4-rate-limit
   packet-rate =1..65535
 authentication-order *password|radius|tacplus
 ports
  console
   log-out-on-disconnect !
   insecure !
  auxiliary
   disable !
   insecure !
 name-server
  <ip>
 tacplus-server
  <ip>
   port =1..65535
   secret =crypt
   timeout =1..90
   single-connection !
   source-address =ip
 radius-server
  <ip>
   port =1..65535
   accounting-port =1..65535
   secret =crypt
   timeout =1..1000
   retry =1..100
   source-address =ip
 accounting
  events *login|change-log|interactive-commands
  destination
   tacplus
    server
     <ip>
      secret =crypt
   radius
    server
     <ip>
      secret =crypt
 login
  message =text
  announcement =text
  idle-timeout =1..60
  retry-options
   tries-before-disconnect =2..10
   backoff-threshold =1..3
   backoff-factor =5..10
   lockout-period =1..43200
  password
   minimum-length =6..20
   format =md5|sha1|sha256|sha512
  class <name>
   idle-timeout =0..4294967295
   permissions *word
   allow-commands =text
   deny-commands =text
   allow-configuration =text
   deny-configuration =text
  user <user>
   full-name =text
   uid =100..64000
   class =word needs
   authentication
{_below(_KEYS, 4)}
 services
  ssh !
   root-login =allow|deny|deny-password
   protocol-version *v1|v2
   max-sessions-per-connection =1..65535
   no-tcp-forwarding !
   no-passwords !
   client-alive-interval =1..65535
   client-alive-count-max =0..255
   connection-limit =1..250
   rate-limit =1..250
   ciphers *word
   macs *word
   key-exchange *word
   hostkey-algorithm
    ssh-ed25519 !
    no-ssh-dss !
    no-ssh-rsa !
    no-ssh-ecdsa !
  telnet !
  ftp !
  netconf
   ssh !
  web-management
   http !
    interface *ifl
   https !
    system-generated-certificate !
    interface *ifl
  dhcp-local-server
   group <name>
    interface <ifl>
   dhcpv6
    group <name>
     interface <ifl>
 syslog
  archive !
   size =word
   files =1..1000
  user <word>
   <facility>
    any|alert|critical|emergency|error|info|none|notice|warning *flag
  host <address>
   <facility>
    any|alert|critical|emergency|error|info|none|notice|warning *flag
   port =1..65535
   facility-override =word
   log-prefix =word
   source-address =ip
   structured-data !
  file <word>
   <facility>
    any|alert|critical|emergency|error|info|none|notice|warning *flag
   archive !
    size =word
    files =1..1000
   structured-data !
  source-address =ip
  time-format !
   year !
   millisecond !
 ntp
  boot-server =ip
  authentication-key <1..65534>
   type =des|md5|sha1|sha256
   value =crypt
  server <ip>
   key =1..65534
   version =1..4
   prefer !
  trusted-key *1..65534
  source-address <ip>
 processes
  dhcp-service
   disable !
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
{_below(_INET.format(address="if4"), 5)}
    inet6 !
{_below(_INET.format(address="if6"), 5)}
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
{_below("".join(_USM.format(one) for one in ("md5", "sha", "sha224", "sha256")), 4)}
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
forwarding-options
 storm-control-profiles <name>
  all !
   bandwidth-percentage =1..100
 dhcp-relay
{_below(_RELAY, 2)}
routing-options
 router-id =ip4
 static
  route <net4>
{_below(_HOPS, 3)}
 rib <word>
  static
   route <net>
{_below(_HOPS, 4)}
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
{_below(_OSPF, 1)}
 ospf3
{_below(_OSPF, 1)}
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
{_filter("net4", "protocol", "is-fragment !")}
  inet6
   filter <name>
{_filter("net6", "next-header", "payload-protocol *protocol")}
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

"""The device itself: who may log in, what it tells whom, its clock."""

from __future__ import annotations

from lienthong.sim.vendors.juniper_junos.statements.parts import KEYS, below

SYSTEM = f"""
version =word
system
 host-name =host
 root-authentication needs
{below(KEYS, 2)}
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
{below(KEYS, 4)}
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
"""

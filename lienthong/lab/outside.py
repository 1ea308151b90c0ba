"""Plays the systems of others: the state network's provider, the Internet provider, Central's collectors.

They are not provisioned by the tool. What they serve is written into their own layer before they boot; their
addresses belong to their namespaces (`wire`).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lienthong.lab.disk import enable, write
from lienthong.lab.keys import authority, issue
from lienthong.lab.place import Place
from lienthong.lab.topology import INTERNET_DNS, ISP, TSLCD, UPDATES, Outside, Topology
from lienthong.model.words import WAN_LINES, Side

#: Names that the provider's DNS knows, all leading to the one public web server of the lab.
TEST_NAMES = ("www.example.org", "updates.example.org", "www.example.com")
#: Names that it knows too, so that a filter which does not find them has done something.
UNWANTED_NAMES = ("blocked.example.net", "dns.google", "mozilla.cloudflare-dns.com")
RELP_PORT = 2514

_UNIT = """[Unit]
Description=lab: what this outside system is
After=openvswitch-switch.service
Requires=openvswitch-switch.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-outside

[Install]
WantedBy=multi-user.target
"""

_NGINX = """user www-data;
pid /run/nginx.pid;
events { worker_connections 256; }
http {
    default_type text/plain;
    access_log /var/log/nginx/access.log;
    server {
        listen 80;
        listen 443 ssl;
        ssl_certificate /etc/lab/updates.crt;
        ssl_certificate_key /etc/lab/updates.key;
        location / { return 200 "updates: served by the lab's Internet\\n"; }
    }
}
"""

_COLLECTOR = """module(load="imrelp" tls.tlslib="openssl")
template(name="central" type="string" string="/var/log/central/%HOSTNAME:::secpath-replace%.log")
ruleset(name="central") { action(type="omfile" dynaFile="central" createDirs="on") }
input(type="imrelp" port="2514" ruleset="central" tls="on" tls.authMode="certvalid"
      tls.caCert="/etc/lab/clients.crt"
      tls.myCert="/etc/lab/central.crt" tls.myPrivKey="/etc/lab/central.key")
"""


def make_authorities(place: Place, topology: Topology) -> None:
    """Two authorities for each side: the province's (`pki/<side>/`) and Central's own (`central/<side>/`).

    A collector of the province trusts Central's and Central trusts the province's.
    """
    for side in Side:
        authority(f"Lab CA {side}").write(place.folder / "pki" / side)
        central = authority(f"Lab Central CA {side}")
        folder = place.folder / "central" / side
        central.write(folder)
        addresses = [end.address.ip for end in topology.central if end.side is side]
        issue(folder, central, "central", addresses, f"central-{side}")


def furnish(place: Place, topology: Topology, name: str, root: Path) -> None:
    """Write what the outside system of that name serves into its layer."""
    if name == TSLCD:
        write(root, "usr/local/sbin/lab-outside", _switching(topology), 0o755)
        write(root, "etc/systemd/system/lab-outside.service", _UNIT)
        enable(root, "openvswitch-switch", "lab-outside")
    elif name == ISP:
        _provider(place, topology, root)
    for end in topology.central:
        if end.name == name:
            _collector(place, end, root)


def _switching(topology: Topology) -> str:
    """The provider carries each site's line in a VLAN of its own and hands all to the hub in a trunk."""
    steps = []
    lines = [line for line in topology.lines if line.kind in WAN_LINES]
    for bridge in sorted({line.bridge for line in lines if line.bridge}):
        steps.append(
            f"--may-exist add-br {bridge} -- set bridge {bridge} datapath_type=netdev fail-mode=standalone"
        )
    for line in lines:
        mode = "vlan_mode=trunk" if line.vlan is None else f"tag={line.vlan} vlan_mode=access"
        steps.append(
            f"--may-exist add-port {line.bridge} {line.link.b.port} -- set port {line.link.b.port} {mode}"
        )
    for link in topology.links:
        if link.a.node == TSLCD and topology.central_vlan is not None:
            port = link.a.port
            access = f"tag={topology.central_vlan} vlan_mode=access"
            steps.append(f"--may-exist add-port br-a {port} -- set port {port} {access}")
    return "#!/bin/sh -e\novs-vsctl " + " \\\n  -- ".join(steps) + "\n" if steps else "#!/bin/sh\n"


def _provider(place: Place, topology: Topology, root: Path) -> None:
    folder = place.folder / "internet"
    web = authority("Lab Internet CA")
    web.write(folder)
    public = topology.answers.get(UPDATES)
    issue(folder, web, "updates", [public] if public else [], *TEST_NAMES)
    (root / "etc/lab").mkdir(mode=0o700, exist_ok=True)
    for name in ("updates.crt", "updates.key"):
        shutil.copy(folder / name, root / "etc/lab" / name)
    write(root, "etc/nginx/nginx.conf", _NGINX)
    names = [f"address=/{name}/{public}" for name in (*TEST_NAMES, *UNWANTED_NAMES) if public]
    listen = topology.answers.get(INTERNET_DNS, topology.internet[1])
    # The last line: whatever else is asked for does not exist, and nobody is asked about it.
    settings = ["no-resolv", "no-hosts", "bind-interfaces", f"listen-address={listen}", *names, "address=/#/"]
    write(root, "etc/dnsmasq.d/lab.conf", "\n".join(settings) + "\n")
    enable(root, "nginx", "dnsmasq")


def _collector(place: Place, end: Outside, root: Path) -> None:
    (root / "etc/lab").mkdir(mode=0o700, exist_ok=True)
    for name in ("central.crt", "central.key"):
        shutil.copy(place.folder / "central" / end.side / name, root / "etc/lab" / name)
    shutil.copy(place.folder / "pki" / end.side / "ca.crt", root / "etc/lab/clients.crt")
    write(root, "etc/rsyslog.d/10-central.conf", _COLLECTOR)

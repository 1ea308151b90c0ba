"""WireGuard between the Internet gateways: the office waits, the sites call and keep the way open.

Owns /etc/wireguard/<tunnel>.conf. Runs in the kernel where that can, else by wireguard-go; wg-quick decides.
"""

from __future__ import annotations

from pyinfra import host

from lienthong.hosts.deploying import File, place, render, service, tidy
from lienthong.model.intent import Tunnel
from lienthong.secrets import NoSecret
from lienthong.workspace import workspace

KEEPALIVE_S = 15
space = workspace()
me = space.node(host.name)


def peer(tunnel: Tunnel) -> dict[str, object] | None:
    """One peer of the configuration; None while it has no key yet (a site that is not set up)."""
    try:
        public = space.secrets.public(tunnel.peer_key)
    except NoSecret:  # a vault that does not open must not end a tunnel
        if tunnel.endpoint is not None:
            raise  # without the office there is no tunnel at all
        return None
    return {
        "name": tunnel.peer,
        "public_key": public,
        "networks": [str(network) for network in tunnel.routes],
        "endpoint": f"{tunnel.endpoint}:{tunnel.port}" if tunnel.endpoint else "",
    }


for name in sorted({tunnel.name for tunnel in me.tunnels}):
    mine = [tunnel for tunnel in me.tunnels if tunnel.name == name]
    conf = File(
        f"/etc/wireguard/{name}.conf",
        render(
            "tunnel/wg.conf.j2",
            private_key=space.secrets.get(mine[0].key).reveal(),
            port=mine[0].port,
            addresses=sorted({str(tunnel.address) for tunnel in mine}),
            peers=[found for tunnel in mine if (found := peer(tunnel))],
            keepalive_s=KEEPALIVE_S,
        ),
        mode="0600",
    )
    place(conf, name=f"tunnel: {name}")
    service(f"wg-quick@{name}", watch=(conf.path,), name=f"tunnel: {name} up")
tidy("tunnel")

"""Which secrets a plan needs, who uses each, and in which file of the vault it lies. Pure.

Every secret belongs to one side. It lies with the site that it is about, under an identity of its own:

| name | file | its value goes to | who else must know |
|---|---|---|---|
| `ospf/<site>` | `<site>-wan` | the site's WAN gateway | the office's, at the other end of the lines |
| `wireguard/<node>` | `<site>-net` | that gateway only | its peers, the public half only |
| `sip/<node>` | the node's | the endpoint | the registrar, as a hash |
| `borg/<node>` | the node's | the vault | nobody; keep a copy of it on paper in a safe |
| `console/<node>` | the node's | gear of a vendor | who types at its console |
| `snmp-auth/<node>`, `snmp-priv/<node>` | the node's | gear | Prometheus |
| `aaa/<side>` | `province-<side>` | every gear of a vendor of the side | the AAA server |
| `pki/<side>` | `province-<side>` | the controller that signs | every node of the side, as a certificate |
| `mirror/net` | `province-net` | the controller that makes snapshots | who installs, the public half only |

So the officer of one district's Internet side needs the password of `<site>-net` alone: the peers' public
halves lie beside the vaults in the clear (`public`). The controller of the province's WAN side needs the
identities `<site>-wan` of every site, since both ends of a line share one key, and none of the other side.
A further family, `<family>/<node>`, lies with that node without a change here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from lienthong.errors import LienThongError
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import SecretRef
from lienthong.model.words import Side
from lienthong.services import backup, videoconf

PROVINCE = "province"
#: Families whose owner is a side of the province.
OF_A_SIDE = frozenset({"pki", "aaa", "mirror"})
SUFFIX = ".vault.yaml"


@dataclass(frozen=True, order=True)
class Identity:
    """Who holds one password: a side of one site, or of the province where `site` is None."""

    site: str | None
    side: Side

    @property
    def label(self) -> str:
        """As Ansible Vault knows it, e.g. `loc-ninh-net`; also the name of its file."""
        return f"{self.site or PROVINCE}-{self.side}"


@dataclass(frozen=True)
class Need:
    """A secret that the plan needs, and the nodes that a new value of it changes."""

    ref: SecretRef
    identity: Identity
    nodes: tuple[str, ...]


def identity_of(ref: SecretRef, plan: ProvincePlan) -> Identity:
    """Where a secret lies; the same for everyone who works from the same inventory.

    Raises:
        LienThongError: the name speaks of no site, node or side of the inventory.
    """
    return _identity(ref, plan.sites, plan.nodes)


def _identity(ref: SecretRef, sites: Container[str], nodes: Mapping[str, Node]) -> Identity:
    family, _, owner = ref.partition("/")
    if family in OF_A_SIDE:
        if owner in set(Side):
            return Identity(None, Side(owner))
    elif family == "ospf":
        if owner in sites:
            return _of_site(owner, Side.WAN)
    elif owner in nodes:
        return _of_site(nodes[owner].site, nodes[owner].side)
    raise LienThongError(
        f"{ref}: the inventory has nothing that such a secret belongs to",
        hint="ospf/SITE, pki/SIDE, aaa/SIDE, mirror/net or FAMILY/NODE in full; see lienthong secret list",
    )


def needs(plan: ProvincePlan) -> tuple[Need, ...]:
    """Every secret of the plan by name, each with every node that a new value changes."""
    users: dict[SecretRef, set[str]] = {}
    nodes = plan.nodes
    registrars = {side: [n.name for n in plan.running("videoconf", side) if _registrar(n)] for side in Side}

    def use(name: str, by: Iterable[str]) -> None:
        users.setdefault(SecretRef(name), set()).update(by)

    for node in nodes.values():
        use(f"pki/{node.side}", [node.name])
        for interface in node.device.interfaces if node.device else ():
            if interface.ospf is not None:
                use(interface.ospf.key, [node.name])
        for name in _of_gear(plan, node):
            use(name, [node.name])
            if name.startswith("snmp-"):  # Prometheus asks with it
                use(name, [server.name for server in plan.running("monitoring", node.side)])
        for tunnel in node.tunnels:
            use(tunnel.key, [node.name])
            use(tunnel.peer_key, [node.name])
        for name in _of_services(node):
            use(name, [node.name])
            if name.startswith("sip/"):
                use(name, registrars[node.side])
    if plan.running("mirror"):
        use("mirror/net", ())  # systems have its public half, which comes another way
    return tuple(
        Need(ref, _identity(ref, plan.sites, nodes), tuple(sorted(by))) for ref, by in sorted(users.items())
    )


def identities(plan: ProvincePlan) -> dict[str, Identity]:
    """Every identity that the inventory can have, by its label."""
    found = [Identity(None, side) for side in Side]
    found += [_of_site(slug, side) for slug in plan.sites for side in Side]
    return {identity.label: identity for identity in found}


def _of_site(site: str, side: Side) -> Identity:
    if site == PROVINCE:
        raise LienThongError(
            f"a site named {PROVINCE!r} would share its secrets with the province",
            hint="give the site another slug",
        )
    return Identity(site, side)


def _of_services(node: Node) -> list[str]:
    found = []
    for service in node.services.values():
        if isinstance(service.params, videoconf.Params) and service.params.number is not None:
            found.append(f"sip/{node.name}")
        if isinstance(service.params, backup.Params):
            found.append(f"borg/{node.name}")
    return found


def _of_gear(plan: ProvincePlan, node: Node) -> list[str]:
    """What gear is told; on Debian systems nothing of it is a password but those of SNMP."""
    if node.device is None:
        return []
    watched = bool(plan.running("monitoring", node.side))
    snmp = [f"snmp-auth/{node.name}", f"snmp-priv/{node.name}"] if watched else []
    if node.debian:
        return snmp
    found = [f"console/{node.name}", *snmp]
    if any(server.side is node.side for server in plan.aaa.values()):
        found.append(f"aaa/{node.side}")
    return found


def _registrar(node: Node) -> bool:
    params = node.services["videoconf"].params
    return isinstance(params, videoconf.Params) and params.role == "registrar"

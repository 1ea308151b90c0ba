"""What a Debian host is installed with: answers for the installer, what is done at its end, a stick."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lienthong.bootstrap.fat import image
from lienthong.errors import LienThongError
from lienthong.model.intent import Node, ProvincePlan

LABEL = "LIENTHONG"
USER_ID = 900
"""Of the account of the tool, on every system the same."""
PACKAGES = ("openssh-server", "sudo", "python3", "python3-apt", "ifupdown", "nftables", "ca-certificates")


def files(plan: ProvincePlan, node: Node, user: str, key: str, templates: Path) -> dict[str, str]:
    """The files of the stick by name.

    Raises:
        LienThongError: there is no public key to let the tool in.
    """
    if not key:
        raise LienThongError(
            "there is no public key to let the tool in",
            hint="LIENTHONG_KEY names the private key; its public half lies beside it as .pub",
        )
    environment = Environment(  # noqa: S701 - files of an installer, not HTML
        loader=FileSystemLoader(templates / "bootstrap"), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    seen = {
        "node": node,
        "domain": node.fqdn.split(".", 1)[1],
        "segment": node.segment,
        "resolvers": _resolvers(plan, node),
        "user": user,
        "user_id": USER_ID,
        "key": " ".join(key.split()[:2]),
        "packages": PACKAGES,
        "label": LABEL,
    }
    names = ("preseed.cfg", "start.sh", "late.sh", "readme.txt")
    return {name: environment.get_template(f"{name}.j2").render(seen) for name in names}


def stick(told: dict[str, str]) -> bytes:
    """The image of a stick with those files."""
    return image(LABEL, {name: text.encode() for name, text in told.items()})


def _resolvers(plan: ProvincePlan, node: Node) -> tuple[IPv4Address, ...]:
    running = plan.running("dns", node.side)
    near = [one for one in running if one.site == node.site]
    found = tuple(one.address for one in near or running if one.name != node.name)
    return found or (node.segment.gateway,)

"""Where a verb acts: the lab of this checkout or the live network, never both.

A target tells how a node is reached, with which key, and which host keys are believed. The lab's
target lives under `run/lab/<name>/` and is written by `lienthong lab up`; the live target uses
`inventory/known_hosts`, the vault, and the addresses of the plan. `LIENTHONG_SIDE=wan|net` says which side
this controller is of: it then reaches nodes of that side only (in the lab too, which else plays both
controllers) and opens, live, secrets of that side only; `LIENTHONG_JUMP` names the system through which it
reaches them, see :mod:`lienthong.jump`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from lienthong.errors import LienThongError, Unreachable
from lienthong.jump import Jump, parse
from lienthong.model.intent import Node
from lienthong.model.words import Side, Target

SSH_PORT = 22


def lab_name() -> str:
    """Which lab of this checkout: `LIENTHONG_LAB`, else `default`."""
    return os.environ.get("LIENTHONG_LAB", "default")


def lab_dir(root: Path) -> Path:
    """Everything the lab owns on disk."""
    return root / "run" / "lab" / lab_name()


@dataclass(frozen=True)
class Access:
    """How this run reaches nodes."""

    target: Target
    root: Path
    user: str
    """account with key and sudo on every Linux node"""
    network_user: str
    """account whose shell is vtysh on routed gear"""
    key_file: Path
    known_hosts: Path
    addresses: dict[str, IPv4Address]
    """lab only: management address by node name; live uses the plan's"""
    secrets_file: Path
    """the lab's file; live the folder with a vault file for each identity"""
    side: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    """lab only: where a node's SSH listens, if not on 22"""
    platforms: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    """lab only: (platform, model) of devices that are another kind of gear here than the inventory says"""
    simulated: bool = False
    """The lab is simulated devices on loopback and nothing else: no namespaces, no packets."""
    acted: frozenset[str] = frozenset()
    """lab only: simulated devices among booted systems"""
    absent: frozenset[str] = frozenset()
    """lab only: nodes of its sites that it was started without, `lienthong lab up --full` has them"""
    kernel: frozenset[str] = frozenset()
    """lab only: nodes with a kernel of their own, `lienthong lab up --kernel NODE`"""
    jump: Jump | None = None
    """The system through which everything is reached, if not directly."""

    @property
    def out(self) -> Path:
        """Where reports and evidence of this target go."""
        return self.root / "out" / self.target.value

    @property
    def sessions(self) -> Path:
        """Where what is said to gear is kept."""
        return self.out / "sessions"

    def has_kernel(self, node: Node) -> bool:
        """Whether it has a kernel, and devices, of its own: systems of a lab share this machine's."""
        return self.target is Target.LIVE or node.name in self.kernel

    @property
    def management_interfaces(self) -> tuple[str, ...]:
        """Interfaces beside the plan's by which nodes are managed: the lab's `mgmt0`."""
        return ("mgmt0",) if self.target is Target.LAB else ()

    def reaches(self, node: Node) -> bool:
        """Whether this controller has that node at all: the other side's never; the lab starts only some
        sites, and some hosts only when asked."""
        return not self.is_beyond(node) and (self.target is Target.LIVE or node.name in self.addresses)

    def is_beyond(self, node: Node) -> bool:
        """Whether it is the other side's, whose controller is another."""
        return self.side is not None and self.side != node.side.value

    def port(self, node: Node) -> int:
        """The TCP port of its SSH."""
        return self.ports.get(node.name, SSH_PORT)

    def address(self, node: Node) -> IPv4Address:
        """The address to connect to.

        Raises:
            Unreachable: the lab does not run that node, or it is the other side's.
        """
        if self.is_beyond(node):
            raise Unreachable(f"{node.name} is of side {node.side}, and this controller of side {self.side}")
        if self.target is Target.LIVE:
            return node.address
        try:
            return self.addresses[node.name]
        except KeyError:
            more = "lab up --full starts it" if node.name in self.absent else "lab status lists what does"
            raise Unreachable(f"{node.name} does not run in this lab", hint=f"lienthong {more}") from None


def lab_is_up(root: Path) -> bool:
    """Whether this checkout's lab has been started (its state file is there)."""
    return (lab_dir(root) / "state.json").exists()


def resolve(root: Path, asked: str | None = None) -> Access:
    """The target of this run: the one asked for; else the lab, but only while it is up.

    Raises:
        LienThongError: nothing was asked and no lab is up, or the lab was asked and is down.
    """
    asked = asked or os.environ.get("LIENTHONG_TARGET") or None
    if asked not in {None, "lab", "live"}:
        raise LienThongError(f"no target {asked!r}", hint="--target lab or --target live")
    if asked == "live":
        return _live(root)
    if lab_is_up(root):
        return _lab(root)
    if asked == "lab":
        raise Unreachable("the lab is not up", hint="lienthong lab up")
    raise LienThongError(
        "no target: this checkout's lab is not up",
        hint="start it with lienthong lab up, or name the real network with --target live",
    )


def _lab(root: Path) -> Access:
    base = lab_dir(root)
    state = json.loads((base / "state.json").read_text(encoding="utf-8"))
    platforms = {name: (kind, model) for name, (kind, model) in state.get("platforms", {}).items()}
    return Access(
        target=Target.LAB,
        root=root,
        user="lienthong",
        network_user="netadm",
        key_file=base / "id_ed25519",
        known_hosts=base / "known_hosts",
        addresses={name: IPv4Address(text) for name, text in state["management"].items()},
        secrets_file=base / "secrets.json",
        side=_side(),
        ports=state.get("ports", {}),
        platforms=platforms,
        simulated=state.get("simulated", False),
        acted=frozenset(state.get("acted", ())),
        absent=frozenset(state.get("without", ())),
        kernel=frozenset(state.get("kernel", ())),
        jump=_jump("lienthong"),
    )


def _side() -> str | None:
    side = os.environ.get("LIENTHONG_SIDE") or None
    if side not in {None, *Side}:
        raise LienThongError(f"LIENTHONG_SIDE={side}: no such side", hint="wan or net")
    return side


def _live(root: Path) -> Access:
    side = _side()
    key = Path(os.environ.get("LIENTHONG_KEY", "~/.ssh/id_ed25519")).expanduser()
    return Access(
        target=Target.LIVE,
        root=root,
        user="lienthong",
        network_user="netadm",
        key_file=key,
        known_hosts=root / "inventory" / "known_hosts",
        addresses={},
        secrets_file=root / "inventory" / "secrets",
        side=side,
        jump=_jump("lienthong", side),
    )


def _jump(user: str, side: str | None = "") -> Jump | None:
    """The jump host of this controller. Live it is of one side, and so is all that is done through it."""
    said = os.environ.get("LIENTHONG_JUMP")
    if not said:
        return None
    if side is None:
        raise LienThongError(
            "a jump host is of one side: say of which", hint="LIENTHONG_SIDE=wan or LIENTHONG_SIDE=net"
        )
    return parse(said, user)

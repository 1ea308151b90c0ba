"""Where a lab is: its folder, and the names by which the kernel knows what belongs to it.

Namespaces are `lt-<lab id>-<node>`, cgroups `lienthong/<checkout id>/<lab id>/<node>`, mounts lie below
the lab's folder. So what a lab left is found from the kernel alone, and no other checkout's lab is touched.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.target import lab_name

NETNS_DIR = Path("/run/netns")
OOB = "oob"


@dataclass(frozen=True)
class Place:
    """One lab of one checkout."""

    root: Path
    name: str

    @property
    def checkout(self) -> Path:
        """The checkout whose lab it is: where `run/` leads to, or what the folder of a second controller
        says."""
        said = self.folder / "checkout"
        if said.is_file():
            return Path(said.read_text(encoding="utf-8").strip())
        return (self.root / "run").resolve().parent

    @property
    def checkout_id(self) -> str:
        return _short(str(self.checkout))

    @property
    def id(self) -> str:
        return _short(f"{self.checkout}\n{self.name}")

    @property
    def folder(self) -> Path:
        return self.root / "run" / "lab" / self.name

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def key_file(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def prefix(self) -> str:
        """How the names of all namespaces of this lab begin."""
        return f"lt-{self.id}-"

    @property
    def cgroup(self) -> str:
        """Relative to the root of every cgroup hierarchy in use."""
        return f"lienthong/{self.checkout_id}/{self.id}"

    @property
    def oob(self) -> Path:
        """The namespace that the controller works from."""
        return NETNS_DIR / self.netns(OOB)

    def netns(self, node: str) -> str:
        """Name of the namespace of a node, a probe or the controller."""
        return f"{self.prefix}{node}"

    def node(self, name: str) -> Path:
        """A node's own folder: `upper`, `work`, `root`, `console.log`."""
        return self.folder / "nodes" / name


def place(root: Path) -> Place:
    """The lab of this checkout that `LIENTHONG_LAB` names.

    Raises:
        LienThongError: the name could lead out of `run/lab/`.
    """
    name = lab_name()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
        raise LienThongError(
            f"LIENTHONG_LAB={name!r} is no name for a lab", hint="small letters, digits and hyphens"
        )
    return Place(root.resolve(), name)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]

"""Public halves of WireGuard keys: `inventory/secrets/<label>.public.yaml`, no secret, written with the key.

The other end of a tunnel needs the public half alone, and must not need the password of the private one.
A line reads `wireguard/<node>: <32 bytes in base64>`. Trust in it is trust in the inventory's commits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.secrets.vaultfile import replace

SUFFIX = ".public.yaml"
HEAD = "# Public halves of WireGuard keys: no secret. Written by lienthong secret.\n"
_LINE = re.compile(r"(wireguard/[a-z0-9-]+): ([A-Za-z0-9+/]{43}=)")


@dataclass(frozen=True)
class PublicFile:
    """The public halves of one identity."""

    folder: Path
    label: str

    @property
    def path(self) -> Path:
        return self.folder / f"{self.label}{SUFFIX}"

    def read(self) -> dict[str, str]:
        """Public halves by the name of their secret.

        Raises:
            LienThongError: a line is something else.
        """
        if not self.path.exists():
            return {}
        found: dict[str, str] = {}
        for number, line in enumerate(
            self.path.read_text(encoding="ascii", errors="replace").splitlines(), 1
        ):
            if not line or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line)
            if match is None or match[1] in found:
                raise LienThongError(
                    f"{self.path}:{number}: not one public half of a WireGuard key",
                    hint="lienthong secret writes this file: take it from the repository again",
                )
            found[match[1]] = match[2]
        return found

    def write(self, halves: dict[str, str]) -> None:
        """Replace the file; call it within `vaultfile.locked`."""
        lines = "".join(f"{name}: {half}\n" for name, half in sorted(halves.items()))
        replace(self.path, (HEAD + lines).encode(), 0o644)

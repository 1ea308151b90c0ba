"""What this machine's own apt knows of Debian: where packages come from is never written into the project."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from lienthong.errors import Unreachable

SUITE = "bookworm"
_FIELDS = ("ORIGIN", "CODENAME", "REPO_URI", "RELEASE", "COMPONENT")
_FORMAT = "\t".join(f"$({name})" for name in _FIELDS)


@dataclass(frozen=True, order=True)
class Source:
    """One line of sources.list."""

    uri: str
    release: str
    component: str

    def __str__(self) -> str:
        return f"deb {self.uri} {self.release} {self.component}"


def debian_sources() -> tuple[Source, ...]:
    """Where this machine gets Debian 12 itself from; archives of anybody else are left out.

    Raises:
        Unreachable: apt knows no archive of Debian 12.
    """
    found = _sources()
    if not found:  # the lists were never fetched, or were thrown away to save room
        update()
        found = _sources()
    if not found:
        raise Unreachable(
            f"apt of this machine knows no archive of Debian {SUITE}",
            hint="add one to /etc/apt/sources.list.d and run apt-get update",
        )
    return found


def update() -> None:
    """Fetch the lists anew; a machine without network keeps those it has."""
    subprocess.run(["apt-get", "-qq", "update"], check=False, stdout=subprocess.DEVNULL)


def options() -> tuple[str, ...]:
    """Settings of this machine's apt that fetching from its archives depends on, as `Name "value"`."""
    dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    wanted = re.compile(r"^Acquire::(Check-|http|https|ForceIPv|Retries|Max-)\S* \"[^\"]+\";$", re.IGNORECASE)
    return tuple(line.rstrip(";") for line in dump.splitlines() if wanted.match(line))


def _sources() -> tuple[Source, ...]:
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = set()
    for line in listing.splitlines():
        origin, codename, uri, release, component = line.split("\t")
        ours = origin == "Debian" and codename.startswith(SUITE) and component == "main"
        if ours and not uri.startswith("cdrom:"):
            found.add(Source(uri, release, component))
    return tuple(sorted(found))

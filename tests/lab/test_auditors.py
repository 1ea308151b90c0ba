"""What auditors of others say of provisioned systems: ssh-audit (PyPI), from where the controller works."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lienthong.lab.namespace import run_in
from lienthong.lab.place import Place
from lienthong.lab.state import read
from tests.lab.conftest import NAME, ROOT

#: Debian 12 has OpenSSH 9.2: what would please it comes with 9.9, and paramiko has none of it.
TOLERATED = "post-quantum"


def notes(address: str) -> list[tuple[str, str, str]]:
    """(`fail` or `warn`, algorithm, why) of a system's SSH server."""
    program = str(Path(sys.executable).with_name("ssh-audit"))
    netns = Place(ROOT, NAME).oob.name
    # Its rate test opens connections as fast as it can: the server's MaxStartups is looked at by SRV-01.
    done = run_in(netns, [program, "--json", "--skip-rate-test", address], timeout=60)
    told: dict[str, Any] = json.loads(done.stdout)
    offered = [one for kind in ("kex", "key", "enc", "mac") for one in told[kind]]
    assert len(offered) >= 8, "it saw no server"
    return [
        (level, one["algorithm"], why)
        for one in offered
        for level in ("fail", "warn")
        for why in one.get("notes", {}).get(level, [])
    ]


@pytest.mark.usefixtures("district")
@pytest.mark.parametrize("node", ["loc-ninh-gw-wan", "loc-ninh-sw-net", "loc-ninh-srv", "tinh-uy-portal"])
def test_ssh_audit_finds_nothing(node: str) -> None:
    state = read(Place(ROOT, NAME))
    assert state is not None
    assert [one for one in notes(str(state.addresses[node])) if TOLERATED not in one[2]] == []

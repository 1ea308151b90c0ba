"""Every simulated device: what is fetched of it keeps no secret, and is the same when nothing has changed."""

from __future__ import annotations

import hashlib
import subprocess
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from lienthong.drift.run import Drift, run
from lienthong.model.intent import Node
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Role, Target
from lienthong.platforms import platform
from lienthong.sim.box import Vendor
from lienthong.sim.vendors import discover
from lienthong.target import Access
from lienthong.transport.veil import Veil
from tests.boxes import KEY, ROOT, BoxSession, Drive, province

GATEWAYS = {"cisco_roomos"}
VENDORS = [vendor for vendor in discover().values() if vendor.name not in GATEWAYS]


class Own:
    """A value of its own for every name."""

    def get(self, ref: SecretRef) -> Secret:
        return Secret("Xy7" + hashlib.sha256(ref.encode()).hexdigest()[:13])


def role_of(vendor: Vendor) -> Role:
    able = platform(vendor.platform).capabilities
    return Role.GATEWAY if "routing" in able else Role.SWITCH


def look(drive: Drive, folder: Path) -> Drift:
    (folder / "key").touch()
    (folder / "key.pub").write_text(KEY, encoding="utf-8")
    access = Access(
        Target.LAB, ROOT, "lienthong", "netadm", folder / "key", folder / "known_hosts",
        {drive.node.name: IPv4Address("127.0.0.1")}, folder / "secrets", simulated=True,
    )  # fmt: skip

    def connect(node: Node, dialect: Any, veil: Any) -> Any:
        return BoxSession(drive.box, dialect, veil)

    return run(access, Own(), province(), [drive.node], folder / "configs", lambda text: None, connect)  # noqa: ARG005


def model(vendor: Vendor, role: Role) -> str | None:
    """One that has the sockets of the role."""
    wanted = "trunk0" if role is Role.GATEWAY else "e1"
    known = platform(vendor.platform).models
    lacks = "routing" if role is Role.GATEWAY else "switching"
    fits = (name for name, one in known.items() if wanted in one.sockets and lacks not in one.lacks)
    return MODELS.get((vendor.name, role)) or next(fits, None)


#: The models that are simulated, where it is not the first that fits.
MODELS = {("fortinet_fortios", Role.GATEWAY): "FortiGate 60F"}


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_vendor_is_kept_without_secrets_and_without_noise(vendor: Vendor, tmp_path: Path) -> None:
    role = role_of(vendor)
    drive = Drive(vendor, role, model(vendor, role))
    drive.veil = Veil(Own(), drive.intended)
    first = look(drive, tmp_path)
    assert first.devices[0].seen, first.devices[0].why
    assert first.devices[0].drift
    drive.bring()
    drive.box.pass_time(3725)
    second = look(drive, tmp_path)
    assert second.devices[0].drift == (), second.devices[0].drift
    assert second.devices[0].changed
    drive.box.pass_time(3725)
    third = look(drive, tmp_path)
    assert third.devices[0].changed == ()
    assert third.commits == {}
    git = ["git", "log", "-p", "--format=%an %s"]
    history = subprocess.run(git, cwd=tmp_path / "configs", capture_output=True, text=True, check=True).stdout
    secrets = {name for line in drive.intended for name in _named(" ".join(line))}
    assert secrets
    assert [name for name in secrets if Own().get(SecretRef(name)).reveal() in history] == []
    for mark in ("$9$", "$1c$", "%^%#", "ENC ", "SH2"):
        assert mark not in history, mark


def _named(line: str) -> list[str]:
    return [
        part.split(">")[0] for part in line.split("<secret ")[1:] if not part.startswith("wireguard-public")
    ]


def test_a_device_that_tells_who_is_named_as_the_author(tmp_path: Path) -> None:
    vendor = discover()["cisco_ios"]
    drive = Drive(vendor, Role.GATEWAY, "ISR4331")
    drive.veil = Veil(Own(), drive.intended)
    look(drive, tmp_path)
    drive.bring()
    found = look(drive, tmp_path)
    assert found.devices[0].by.who == "netadm"
    git = ["git", "log", "-1", "--format=%an"]
    assert subprocess.run(git, cwd=tmp_path / "configs", capture_output=True, text=True).stdout == "netadm\n"

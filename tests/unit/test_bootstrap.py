"""Day 0: what is pasted makes a factory-new device reachable and managed; a Debian host gets a stick."""

from __future__ import annotations

import base64
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner

from lienthong.bootstrap import keep, preseed
from lienthong.bootstrap.fat import image
from lienthong.bootstrap.first import First, first
from lienthong.bootstrap.paste import lines
from lienthong.cli import app
from lienthong.errors import LienThongError
from lienthong.model.words import Role, Target
from lienthong.platforms import discover, platform
from lienthong.sim.box import Box
from lienthong.target import Access
from tests.boxes import CONTROLLER, KEY, ROOT, node_of, province

TEMPLATES = ROOT / "templates"
RSA = (
    rsa.generate_private_key(65537, 2048)
    .public_key()
    .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    .decode()
)
SECRET = "Zq8secretofday0"


def day0(kind: str, role: Role = Role.GATEWAY, model: str | None = None, key: str = RSA) -> First:
    return first(province(), node_of(platform(kind), role, model), "netadm", key)


def pasted(given: First, kind: str) -> list[str]:
    token = f"<secret {given.secret}>"
    return [line.replace(token, SECRET) for line in lines(given, kind, TEMPLATES)]


def kinds() -> list[str]:
    return sorted(path.stem for path in (TEMPLATES / "bootstrap").glob("*.j2") if "." not in path.stem)


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("role", [Role.GATEWAY, Role.SWITCH])
def test_what_is_pasted_names_the_device_its_address_and_the_account(kind: str, role: Role) -> None:
    given = replace(
        day0("linux-gw", role), node="loc-ninh-x", address=IPv4Interface("10.0.44.7/24"), trunk="trunk7"
    )
    text = "\n".join(lines(given, kind, TEMPLATES))
    assert "loc-ninh-x" in text
    assert "10.0.44.7" in text
    if kind != "cisco-roomos":
        assert "netadm" in text
        assert "40" in text
        assert "trunk7" in text
    assert SECRET not in text
    assert all(len(line) <= 240 for line in text.splitlines() if RSA.split()[1] not in line), kind
    assert "{{" not in text


def test_a_platform_that_takes_rsa_only_says_so() -> None:
    for kind in ("cisco-ios", "huawei-vrp", "huawei-vrp8"):
        with pytest.raises(LienThongError, match="RSA"):
            lines(day0("linux-gw", key=KEY), kind, TEMPLATES)
    with pytest.raises(LienThongError, match="no public key"):
        day0("linux-gw", key="")
    with pytest.raises(LienThongError, match="first minutes"):
        lines(day0("linux-gw"), "yealink", TEMPLATES)


def test_the_internet_side_opens_nothing_to_the_internet() -> None:
    node = province().nodes["loc-ninh-gw-net"]
    given = first(province(), node, "netadm", RSA)
    assert given.line is None
    assert given.gateway is None
    wan = first(province(), province().nodes["loc-ninh-gw-wan"], "netadm", RSA)
    assert wan.line is not None
    assert str(wan.line.via) == "172.16.0.40"
    assert [str(net) for net in wan.networks] == ["10.0.4.0/24"]


# What a device is like before anybody has touched it, where a simulated one exists.


def forti(role: Role) -> tuple[Box, str]:
    from lienthong.sim.vendors.fortinet_fortios import VENDOR
    from lienthong.sim.vendors.fortinet_fortios.day0 import day0 as made

    given = day0("fortinet-fortios", role)
    box = VENDOR.make("FortiGate-60F", given.address, [])
    text = made("FortiGate-60F", given.address, [])
    start = text.index('    edit "lt-vlan40"')
    text = text[:start] + text[text.index("end\nconfig system admin") :]
    start = text.index('    edit "netadm"')
    text = text[:start] + text[text.index("end\nconfig system console") :]
    for section in ("config firewall policy", "config router static"):
        start = text.index(section)
        text = text[:start] + text[text.index("\nend\n", start) + 5 :]
    box.load(text)  # type: ignore[attr-defined]
    return box, "admin"


def vrp(role: Role) -> tuple[Box, str]:
    from lienthong.sim.vendors.huawei_vrp import VENDOR
    from lienthong.sim.vendors.huawei_vrp.box import VrpBox

    given = day0("huawei-vrp", role)
    box = VENDOR.make("Huawei", given.address, [])
    assert isinstance(box, VrpBox)
    lines_ = (
        box.configuration().split("\n")[0],
        "#",
        "sysname Huawei",
        "#",
        "aaa",
        "#",
        "user-interface con 0",
        "user-interface vty 0 4",
        "#",
    )
    box.load("\n".join((*lines_, "return", "")))
    return box, "console"


def mikrotik(role: Role) -> tuple[Box, str]:
    from lienthong.sim.vendors.mikrotik_routeros import VENDOR
    from lienthong.sim.vendors.mikrotik_routeros.box import RouterOs

    given = day0("mikrotik-routeros", role)
    box = VENDOR.make("MikroTik", given.address, [])
    assert isinstance(box, RouterOs)
    paths = (
        "/ip route",
        "/ip address",
        "/interface vlan",
        "/interface bridge vlan",
        "/interface bridge port",
    )
    for path in (*paths, "/interface bridge", "/user ssh-keys"):
        for row in list(box.store.rows(path)):
            box.store.rows(path).remove(row)
    users = box.store.rows("/user")
    users.remove(next(row for row in users if row.get("name") == "netadm"))
    return box, "admin"


def vrp8(role: Role) -> tuple[Box, str]:
    from lienthong.sim.vendors.huawei_vrp8 import VENDOR
    from lienthong.sim.vendors.huawei_vrp8.box import Vrp8Box

    given = day0("huawei-vrp8", role)
    box = VENDOR.make("Huawei", given.address, [])
    assert isinstance(box, Vrp8Box)
    header = box.configuration().split("\n")[0]
    box.load(
        f"{header}\n#\nsysname Huawei\n#\naaa\n#\nuser-interface con 0\nuser-interface vty 0 4\n#\nreturn\n"
    )
    return box, "console"


def ios(role: Role) -> tuple[Box, str]:
    from lienthong.sim.vendors.cisco_ios import HARDWARE
    from lienthong.sim.vendors.cisco_ios.box import IosBox

    given = day0("cisco-ios", role)
    hardware = HARDWARE[MODELS["cisco-ios", role]]
    text = ["version 17.9", "!", "hostname Switch", "!"]
    for name in (*hardware.switched, *hardware.routed):
        text += [f"interface {name}", *([" no ip address"] if name in hardware.routed else []), "!"]
    text += ["line con 0", "line vty 0 4", " login", "!", "end"]
    return IosBox("Switch", given.address, hardware, "\n".join(text), [RSA]), "console"


FACTORY = {
    "cisco-ios": ios,
    "fortinet-fortios": forti,
    "huawei-vrp": vrp,
    "huawei-vrp8": vrp8,
    "mikrotik-routeros": mikrotik,
}
#: What makes a host key and asks for its length: simulated devices have theirs from the server.
HOST_KEY = ("rsa local-key-pair create", "2048", "crypto key generate rsa general-keys modulus 3072")
MODELS = {
    ("cisco-ios", Role.GATEWAY): "ISR4331",
    ("cisco-ios", Role.SWITCH): "C9200L-24T",
    ("fortinet-fortios", Role.GATEWAY): "FortiGate 60F",
    ("huawei-vrp8", Role.GATEWAY): "CE6881-48S6CQ",
    ("huawei-vrp8", Role.SWITCH): "CE6881-48S6CQ",
    ("huawei-vrp", Role.GATEWAY): "AR651",
    ("huawei-vrp", Role.SWITCH): "S5735-L24T4S",
}
ROLES = {"fortinet-fortios": (Role.GATEWAY,)}


@pytest.mark.parametrize(
    ("kind", "role"),
    [(kind, role) for kind in FACTORY for role in ROLES.get(kind, (Role.GATEWAY, Role.SWITCH))],
)
def test_a_factory_new_device_is_reached_and_managed_after_it(kind: str, role: Role) -> None:
    box, user = FACTORY[kind](role)
    box.power_on()
    assert not (box.answers(CONTROLLER) and box.keys_of("netadm"))
    given = day0(kind, role, MODELS.get((kind, role)))
    shell = box.shell(user)
    typed = [line for line in pasted(given, kind) if line not in HOST_KEY]
    said = [(line, shell.line(line)) for line in typed]
    wrong = [
        (line, answer) for line, answer in said if "rror" in answer or "fail" in answer or "nvalid" in answer
    ]
    assert not wrong
    assert box.answers(CONTROLLER)
    assert any(key.split()[1] in RSA for key in box.keys_of("netadm"))
    box.power_off()
    box.power_on()
    assert box.answers(CONTROLLER), "it was not saved"


def test_an_endpoint_gets_its_address() -> None:
    from lienthong.sim.vendors.cisco_roomos.box import RoomOs
    from lienthong.sim.vendors.cisco_roomos.valuespace import SETTINGS

    node = replace(province().nodes["loc-ninh-vc"], platform="cisco-roomos", debian=False)
    given = first(province(), node, "netadm", KEY)
    box = RoomOs("vc", given.address, [KEY])
    box.held = {path: setting.default for path, setting in SETTINGS.items()}
    box.power_on()
    assert not box.answers(CONTROLLER)
    shell = box.shell("admin")
    said = [shell.line(line) for line in lines(given, "cisco-roomos", TEMPLATES)]
    assert all("status=" not in answer for answer in said), said
    assert box.answers(CONTROLLER)


def test_every_platform_with_a_command_line_has_its_first_minutes() -> None:
    missing = [name for name, kind in discover().items() if kind.dialects and name not in kinds()]
    assert missing == []


# Debian


def host() -> dict[str, str]:
    return preseed.files(province(), province().nodes["loc-ninh-srv"], "lienthong", KEY, TEMPLATES)


@pytest.mark.skipif(shutil.which("debconf-set-selections") is None, reason="no debconf here")
def test_the_installer_takes_the_answers(tmp_path: Path) -> None:
    file = tmp_path / "preseed.cfg"
    file.write_text(host()["preseed.cfg"], encoding="utf-8")
    done = subprocess.run(
        ["debconf-set-selections", "--checkonly", file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_host_is_installed_with_its_address_and_no_password() -> None:
    told = host()
    answers = {
        name: value.strip()
        for name, value in (
            (line + "  ").removeprefix("d-i ").split(" ", 2)[::2]
            for line in told["preseed.cfg"].splitlines()
            if line[:4] == "d-i "
        )
    }
    assert answers["netcfg/get_ipaddress"] == "10.0.41.10"
    assert answers["netcfg/get_gateway"] == "10.0.41.1"
    assert answers["netcfg/get_hostname"] == "loc-ninh-srv"
    assert answers["passwd/user-password-crypted"].strip() == "*"
    assert answers["passwd/root-login"] == "false"
    assert "partman/confirm" not in answers  # which disk may be overwritten is a question
    assert KEY.rsplit(" ", 1)[0] in told["late.sh"]
    for name in ("start.sh", "late.sh"):
        subprocess.run(["sh", "-n"], input=told[name].encode(), check=True)


def test_the_end_of_an_installation_lets_the_tool_in(tmp_path: Path) -> None:
    """`late.sh` on a folder that stands for the new system."""
    target, bin_ = tmp_path / "target", tmp_path / "bin"
    for folder in ("home/lienthong", "etc/sudoers.d", "etc/ssh"):
        (target / folder).mkdir(parents=True)
    bin_.mkdir()
    (bin_ / "in-target").write_text(
        f'#!/bin/sh\ncase "$1 $2" in\n"ssh-keygen -lf") echo "256 SHA256:abc root@x (ED25519)";;\n'
        f'"ssh-keygen -A") touch {target}/etc/ssh/ssh_host_ed25519_key;;\n'
        f'*) echo "$@" >> {tmp_path}/done;;\nesac\n'
    )
    (bin_ / "in-target").chmod(0o755)
    script = host()["late.sh"].replace("/target", str(target))
    subprocess.run(["sh", "-eu"], input=script.encode(), check=True, env={"PATH": f"{bin_}:/usr/bin:/bin"})
    keys = target / "home/lienthong/.ssh/authorized_keys"
    assert keys.read_text(encoding="utf-8").split() == KEY.split()[:2]
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((target / "etc/sudoers.d/lienthong").stat().st_mode) == 0o440
    sudo = shutil.which("visudo")
    if sudo:
        subprocess.run([sudo, "-cf", target / "etc/sudoers.d/lienthong"], check=True, capture_output=True)
    assert "SHA256:abc" in (target / "etc/issue").read_text(encoding="utf-8")
    assert "passwd --lock root" in (tmp_path / "done").read_text(encoding="utf-8")


def fat_files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A reader of FAT12 of its own, by the boot sector alone."""
    sector, per, reserved, fats, roots, _, _, fat_sectors = struct.unpack("<HBHBHHBH", data[11:24])
    fat = data[reserved * sector :]
    assert (
        data[reserved * sector :][: fat_sectors * sector]
        == fat[fat_sectors * sector :][: fat_sectors * sector]
    )
    root = (reserved + fats * fat_sectors) * sector
    first_data = root + roots * 32
    for at in range(root, first_data, 32):
        entry = data[at : at + 32]
        if entry[0] == 0 or entry[11] & 0x08:
            continue
        stem, ending = entry[:8].decode().strip(), entry[8:11].decode().strip()
        cluster, size = struct.unpack("<HI", entry[26:32])
        content = b""
        while 2 <= cluster < 0xFF8:
            begin = first_data + (cluster - 2) * per * sector
            content += data[begin : begin + per * sector]
            pair = int.from_bytes(fat[cluster * 3 // 2 : cluster * 3 // 2 + 2], "little")
            cluster = pair >> 4 if cluster % 2 else pair & 0xFFF
        yield f"{stem}.{ending}".lower().rstrip("."), content[:size]


def test_the_stick_holds_the_files() -> None:
    told = {"a": b"", "b.txt": b"x" * 511, "c.cfg": bytes(range(256)) * 40, "d.sh": b"y" * 512}
    data = image("label", told)
    assert len(data) == 1_474_560
    assert dict(fat_files(data)) == told
    assert image("label", told) == data
    assert dict(fat_files(preseed.stick(host()))) == {name: text.encode() for name, text in host().items()}
    for wrong in ("long-name.txt", "A.TXT", "x.html", ""):
        with pytest.raises(LienThongError):
            image("x", {wrong: b""})
    with pytest.raises(LienThongError, match="do not fit"):
        image("x", {"a": bytes(1_500_000)})


@pytest.mark.skipif(
    "vfat" not in Path("/proc/filesystems").read_text(encoding="utf-8"), reason="no vfat here"
)
def test_the_kernel_reads_the_stick(tmp_path: Path) -> None:
    file, there = tmp_path / "stick.img", tmp_path / "there"
    file.write_bytes(preseed.stick(host()))
    there.mkdir()
    script = f"mount -o loop,ro -t vfat {file} {there} && cat {there}/preseed.cfg"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    if "permitted" in done.stderr or "loop" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout == host()["preseed.cfg"]


# The verb


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Access:
    key = tmp_path / "key"
    key.with_name("key.pub").write_text(KEY + "\n", encoding="utf-8")
    secrets = tmp_path / "secrets.json"
    secrets.write_text(f'{{"console/loc-ninh-gw-wan": "{SECRET}"}}', encoding="utf-8")
    access = Access(
        Target.LAB, ROOT, "lienthong", "netadm", key, tmp_path / "known_hosts",
        {"loc-ninh-gw-wan": IPv4Address("127.0.0.1")}, secrets,
        platforms={"loc-ninh-gw-wan": ("mikrotik-routeros", None)}, simulated=True,
    )  # fmt: skip
    monkeypatch.setattr("lienthong.target.resolve", lambda root, asked=None: access)  # noqa: ARG005
    return access


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["bootstrap", *words])


def test_secrets_go_into_a_file_of_the_officer_alone(lab: Access, tmp_path: Path) -> None:
    plain = run("loc-ninh-gw-wan")
    assert plain.exit_code == 0
    assert "<secret console/loc-ninh-gw-wan>" in plain.output
    assert "lienthong trust loc-ninh-gw-wan" in plain.output
    assert SECRET not in plain.output
    piped = run("loc-ninh-gw-wan", "--reveal")
    assert piped.exit_code != 0
    assert SECRET not in piped.output
    file = tmp_path / "day0"
    done = run("loc-ninh-gw-wan", "--reveal", "--out", str(file))
    assert done.exit_code == 0
    assert SECRET not in done.output
    assert SECRET in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert isinstance(run("loc-ninh-gw-wan", "--reveal", "--out", str(file)).exception, LienThongError)


def test_a_host_gets_its_stick(lab: Access, tmp_path: Path) -> None:
    file = tmp_path / "stick.img"
    assert run("loc-ninh-srv", "--image", str(file)).exit_code == 0
    assert b"loc-ninh-srv" in dict(fat_files(file.read_bytes()))["preseed.cfg"]
    assert "netcfg/get_hostname string loc-ninh-srv" in run("loc-ninh-srv").output
    assert isinstance(run("loc-ninh-gw-wan", "--image", str(tmp_path / "x")).exception, LienThongError)
    assert isinstance(run("nobody").exception, LienThongError)


def test_the_public_key_lies_beside_the_private_one(tmp_path: Path) -> None:
    assert keep.public_key(tmp_path / "none") == ""
    assert base64.b64decode(KEY.split()[1] + "==")

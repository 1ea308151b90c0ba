"""What devices are told, as golden files; with `GOLDEN=write` in the environment they are written anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from lienthong.inventory import load
from lienthong.model.intent import Node
from lienthong.plan.build import build
from lienthong.plan.wanted import wanted
from lienthong.platforms import discover, platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.leaves import leaves
from lienthong.render import ascii_text, render

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
GOLDEN = ROOT / "tests" / "golden" / "gear"
PLAN = build(load(ROOT / "inventory"))
DEVICES = {
    node.name: node
    for slug in ("loc-ninh", "tinh-uy")
    for node in PLAN.sites[slug].nodes.values()
    if node.device is not None
}


def lines(node: Node, dialect: str) -> list[str]:
    assert node.device is not None
    kind = platform(node.device.platform)
    spoken = next(d for d in kind.dialects if d.name == dialect)
    return [" / ".join(line) for line in render(wanted(PLAN, node, "netadm"), kind, spoken, TEMPLATES)]


@pytest.mark.parametrize("dialect", ["frr", "ovs"])
@pytest.mark.parametrize("name", [name for name in DEVICES if name.startswith("loc-ninh")])
def test_a_device_is_told_what_the_golden_file_says(name: str, dialect: str) -> None:
    told = "\n".join(lines(DEVICES[name], dialect)) + "\n"
    golden = GOLDEN / f"{name}.{dialect}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DEVICES)
def test_nothing_names_the_management_port_or_redistributes(name: str) -> None:
    for line in [*lines(DEVICES[name], "frr"), *lines(DEVICES[name], "ovs")]:
        assert "mgmt" not in line
        assert "redistribute" not in line


def test_every_line_of_routing_is_authenticated_and_no_secret_is_rendered() -> None:
    told = lines(DEVICES["tinh-uy-gw-wan"], "frr")
    routed = {line.split(" / ")[0] for line in told if "hello-interval" in line}
    assert routed
    for section in routed:
        assert f"{section} / ip ospf authentication message-digest" in told
        keys = [line for line in told if line.startswith(f"{section} / ip ospf message-digest-key")]
        assert len(keys) == 1
        assert keys[0].endswith(">")
        assert "md5 <secret ospf/" in keys[0]


def test_a_switch_without_router_id_has_an_address_and_a_way_out_and_no_routing() -> None:
    told = lines(DEVICES["loc-ninh-sw-wan"], "frr")
    assert "interface vlan40 / ip address 10.0.44.2/24" in told
    assert "ip route 0.0.0.0/0 10.0.44.1 tag 227" in told
    assert not [line for line in told if "ospf" in line]


def test_unused_ports_are_down_and_parked() -> None:
    assert "interface e24 / shutdown" in lines(DEVICES["loc-ninh-sw-wan"], "frr")
    assert "port br-lan e24 access 999" in lines(DEVICES["loc-ninh-sw-wan"], "ovs")


def test_a_missing_value_is_an_error_not_an_empty_line(tmp_path: Path) -> None:
    (tmp_path / "linux-gw").mkdir()
    (tmp_path / "linux-gw" / "frr.j2").write_text("hostname {{ device.nickname }}\n", encoding="utf-8")
    told = wanted(PLAN, DEVICES["loc-ninh-gw-wan"], "netadm")
    with pytest.raises(UndefinedError):
        render(told, platform("linux-gw"), FRR, tmp_path)


def test_text_for_devices_is_ascii() -> None:
    assert ascii_text("Huyện ủy Lộc Ninh, Đồng Xoài") == "Huyen uy Loc Ninh, Dong Xoai"


def test_headings_are_no_lines_of_their_own() -> None:
    text = "bfd\n profile x\n  detect-multiplier 5\n exit\n !\nexit\n!\n"
    text += "interface e1\n shutdown\nexit\nip forwarding\n"
    assert leaves(text) == (
        ("bfd", "profile x", "detect-multiplier 5"),
        ("interface e1", "shutdown"),
        ("ip forwarding",),
    )


def test_platforms_are_found_and_each_can_tell_a_refusal() -> None:
    assert {"linux-gw", "linux-sw"} <= set(discover())
    for kind in discover().values():
        assert all(dialect.errors for dialect in kind.dialects)

"""A successor has the new serial and asset data, and the name, address and ports of the old one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.edit import Draft, Put, Value
from lienthong.errors import InventoryError, LienThongError
from lienthong.inventory import load
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("sites", "layers"):
        shutil.copytree(ROOT / "inventory" / part, tmp_path / "inventory" / part)
    for path in (tmp_path / "inventory" / "sites").glob("*.yaml"):
        if path.stem not in {"tinh-uy", "loc-ninh", "bu-dop"}:
            path.unlink()
    folder = tmp_path / "inventory"
    draft = Draft(folder)
    old: Value = {
        "model": "Maker X1",
        "serial": "OLD-1",
        "asset": {"code": "TS-0007", "keeper": "Văn thư", "state": "repair", "supported_until": "2030-01-01"},
    }
    draft.edit("sites/loc-ninh.yaml", Put(("devices", "gw-wan"), old))
    draft.commit()
    return folder


def run(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["replace", *words, "--root", str(folder.parent)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_successor_keeps_the_place_and_nothing_of_the_old_ones_papers(folder: Path) -> None:
    (folder / "known_hosts").write_text(
        "loc-ninh-gw-wan ssh-ed25519 AAAA\nloc-ninh-sw-wan ssh-ed25519 BBBB\n"
    )
    before = build(load(folder))
    output = run(folder, "loc-ninh-gw-wan", "--serial", "0012E5", "--asset-code", "TS-0099")
    after = build(load(folder))
    device = after.sites["loc-ninh"].site.devices["gw-wan"]
    assert (device.serial, device.model) == ("0012E5", "Maker X1")
    assert device.asset is not None and device.asset.code == "TS-0099"
    assert device.asset.keeper == "Văn thư" and device.asset.state == "in-use"
    assert device.asset.supported_until is None
    assert after.nodes["loc-ninh-gw-wan"] == before.nodes["loc-ninh-gw-wan"]
    text = (folder / "sites" / "loc-ninh.yaml").read_text()
    assert 'serial: "0012E5"' in text
    assert ": took the place of serial OLD-1, asset TS-0007, Maker X1\n" in text
    assert (folder / "known_hosts").read_text() == "loc-ninh-sw-wan ssh-ed25519 BBBB\n"
    assert "the host key of loc-ninh-gw-wan is no longer trusted" in output
    assert "asset.supported_until was the old one's" in output
    assert "rotate: ospf/loc-ninh" in output and "lienthong plan loc-ninh" in output


def test_a_device_that_no_site_file_speaks_of_can_be_replaced_twice(folder: Path) -> None:
    run(folder, "bu-dop-sw-net", "--serial", "A1", "--purchased", "2026-01-05", "--model", "Maker: Y")
    run(folder, "bu-dop-sw-net", "--serial", "A2")
    text = (folder / "sites" / "bu-dop.yaml").read_text()
    assert text.index("whose serial nobody wrote down") < text.index("serial A1, Maker: Y")
    device = load(folder).sites["bu-dop"].devices["sw-net"]
    assert device.serial == "A2" and device.asset is None and device.model == "Maker: Y"


def test_a_host_can_be_replaced(folder: Path) -> None:
    assert "rotate: sip/bu-dop-vc" in run(folder, "bu-dop-vc", "--serial", "VC-2")
    assert load(folder).sites["bu-dop"].hosts["vc"].serial == "VC-2"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("loc-ninh-gw-wan", "--serial", "OLD-1"), "has already"),
        (("bu-dop-gw-wan", "--serial", "OLD-1"), "already bu-dop"),
        (("bu-dop-gw-wan", "--serial", "x\ny: {{ z }}"), "serial"),
        (("bu-dop-gw-wan", "--serial", "A", "--purchased", "31/03/2026"), "year-month-day"),
        (("bu-dop-gw-wan", "--serial", "A", "--model", "a$(reboot)"), "not allowed in a text"),
        (("bu-dop", "--serial", "A"), "no device or host"),
    ],
)
def test_what_would_not_validate_is_not_written(folder: Path, words: tuple[str, ...], error: str) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    with pytest.raises((InventoryError, LienThongError), match=error):
        run(folder, *words)
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before


def test_a_dry_run_shows_and_writes_nothing(folder: Path) -> None:
    before = (folder / "sites" / "loc-ninh.yaml").read_bytes()
    output = run(folder, "loc-ninh-gw-wan", "--serial", "NEW", "--dry-run")
    assert "+    serial: NEW" in output and "nothing was written" in output and "next:" not in output
    assert (folder / "sites" / "loc-ninh.yaml").read_bytes() == before

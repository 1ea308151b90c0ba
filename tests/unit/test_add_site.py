"""A new site is asked for on a terminal or given in options, and its file validates."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.edit.proposal import free_dial, free_number, free_slug, gateway_of, slug_of
from lienthong.errors import InventoryError, LienThongError
from lienthong.inventory import load
from lienthong.inventory.yamlfile import read
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("--name-vi", "Huyện ủy Lộc An", "--name-en", "Lộc An", "--kind", "district")
LINE = ("--inet", "203.0.113.202/30")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("sites", "layers"):
        shutil.copytree(ROOT / "inventory" / part, tmp_path / "inventory" / part)
    for path in (tmp_path / "inventory" / "sites").glob("*.yaml"):
        if path.stem not in {"tinh-uy", "loc-ninh", "bu-dop"}:
            path.unlink()
    return tmp_path / "inventory"


def run(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["add", "site", *words, "--root", str(folder.parent)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_options_are_enough_and_the_rest_is_proposed(folder: Path) -> None:
    output = run(folder, *OPTIONS, *LINE)
    assert read(folder / "sites" / "loc-an.yaml", "x").value == {
        "number": 1,
        "kind": "district",
        "name": {"vi": "Huyện ủy Lộc An", "en": "Lộc An"},
        "uplinks": {"inet0": {"address": "203.0.113.202/30", "gateway": "203.0.113.201"}},
        "hosts": {"vc": {"runs": {"videoconf": {"number": "1001"}}}},
    }
    assert (folder / "sites" / "loc-an.yaml").read_text() in output
    assert "loc-an" in build(load(folder)).sites


def test_every_option_is_taken_as_said(folder: Path) -> None:
    run(
        folder, "la", *OPTIONS, *LINE, "--number", "77", "--gateway", "203.0.113.201", "--dial", "8888",
        "--parent", "tinh-uy",
    )  # fmt: skip
    site = load(folder).sites["la"]
    assert (site.number, site.parent) == (77, "tinh-uy")
    assert site.hosts["vc"].runs["videoconf"]["number"] == "8888"


def test_a_kind_without_an_endpoint_is_not_asked_for_a_dial_number(folder: Path) -> None:
    run(folder, "--name-vi", "Ban Dân vận Tỉnh ủy", "--name-en", "x", "--kind", "board", *LINE)
    assert "hosts" not in read(folder / "sites" / "ban-dan-van.yaml", "x").value


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("loc-ninh", *OPTIONS, *LINE), "unit loc-ninh is taken"),
        (("x", *OPTIONS, *LINE, "--number", "5"), "number 5 is taken, it is loc-ninh's"),
        (("x", *OPTIONS, *LINE, "--number", "9000"), "less than or equal to 2999"),
        (("x", *OPTIONS, *LINE, "--dial", "1005"), "dial number 1005 is taken"),
        (("x", *OPTIONS, *LINE, "--dial", "10a5"), "3 to 8 digits"),
        (("x", *OPTIONS, "--inet", "203.0.113.300/30"), "--inet"),
        (("x", *OPTIONS, "--inet", "203.0.113.22/30"), "203.0.113.22 is already"),
        (("x", *OPTIONS, "--inet", "10.1.1.1/30"), "overlaps wan_pool"),
        (("x", *OPTIONS[:-1], "province", *LINE), "no kind 'province'; there are"),
        (("x", *OPTIONS[:-1], "../../etc", *LINE), "no kind"),
        (("../x", *OPTIONS, *LINE), "SLUG: String should match"),
        (("x", "--name-vi", "a$(b)", *OPTIONS[2:], *LINE), "not allowed in a text"),
        (OPTIONS[:4], "--kind must be said"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    folder: Path, words: tuple[str, ...], error: str
) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises((LienThongError, InventoryError), match=re.escape(error)):
        run(folder, *words)
    assert sorted(folder.rglob("*")) == before


def test_a_dry_run_shows_the_file(folder: Path) -> None:
    assert "number: 1\n" in run(folder, *OPTIONS, *LINE, "--dry-run")
    assert not (folder / "sites" / "loc-an.yaml").exists()


def on_a_terminal(folder: Path, answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run the command on a terminal of its own; each answer waits for its question."""
    near, far = pty.openpty()
    code = "from lienthong.cli import main; main()"
    command = [sys.executable, "-c", code, "add", "site", "--root", str(folder.parent)]
    child = subprocess.Popen(
        command,
        stdin=far,
        stdout=far,
        stderr=far,
        cwd=ROOT,
        close_fds=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    os.close(far)
    seen, waiting, deadline = b"", list(answers), time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([near], [], [], 0.2)[0]:
            try:
                more = os.read(near, 4096)
            except OSError:  # the terminal's other end is closed
                break
            if not more:
                break
            seen += more
        if waiting and waiting[0][0] in seen.decode("utf-8", "ignore"):
            question, answer = waiting.pop(0)
            seen = seen.decode("utf-8", "ignore").replace(question, "(asked)").encode()
            os.write(near, f"{answer}\n".encode())
    os.close(near)
    assert not waiting, (waiting, seen.decode())
    return child.wait(10), seen.decode()


def test_a_terminal_is_asked_and_a_wrong_answer_is_asked_again(folder: Path) -> None:
    code, seen = on_a_terminal(
        folder,
        [
            ("in Vietnamese", "Huyện ủy Lộc An"),
            ("files and addresses [loc-an]", ""),
            ("in English", "Lộc An District"),
            ("kind (", "distrct"),
            ("there is no kind 'distrct'", "district"),
            ("grow from it [1]", "5"),
            ("number 5 is taken, it is loc-ninh's", ""),
            ("inet0: address/prefix", "203.0.113.202/30"),
            ("provider's end [203.0.113.201]", ""),
            ("dial number of vc [1001]", ""),
            ("loc-an.yaml? [Y/n]", ""),
        ],
    )
    assert code == 0 and "wrote inventory/sites/loc-an.yaml: 6 systems" in seen
    assert load(folder).sites["loc-an"].number == 1


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.one_of(st.text(), st.text(alphabet="ĐđẩủỷÂơ ưabc-019 ,.()", max_size=60)))
def test_a_proposed_slug_is_a_slug_or_nothing(name: str) -> None:
    slug = slug_of(name)
    assert slug == "" or re.fullmatch(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", slug)
    if slug:
        assert re.fullmatch(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", free_slug(slug, {slug, f"{slug[:18]}-2"}))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Huyện ủy Lộc Ninh", "loc-ninh"),
        ("Huyện uỷ  Lộc Ninh ", "loc-ninh"),
        ("HUYỆN ỦY LỘC NINH", "loc-ninh"),
        ("Huye\u0323\u0302n u\u0309y Lo\u0323\u0302c Ninh", "loc-ninh"),
        ("Thành ủy Đồng Xoài", "dong-xoai"),
        ("Đảng ủy phường Bình Phước", "binh-phuoc"),
        ("Ban Dân vận Tỉnh ủy", "ban-dan-van"),
        ("Đảng ủy Công an tỉnh", "dang-uy-cong-an"),
        ("123 ???", ""),
    ],
)
def test_a_slug_is_proposed_from_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_what_is_proposed_is_free() -> None:
    assert free_number({0, 1, 2, 4}) == 3
    assert free_dial(5, {"1005", "1006"}) == "1007"
    assert free_slug("a" * 20, {"a" * 20}) == "a" * 18 + "-2"


@pytest.mark.parametrize(
    ("address", "gateway"),
    [
        ("203.0.113.22/30", "203.0.113.21"),
        ("203.0.113.21/30", "203.0.113.22"),
        ("203.0.113.0/31", "203.0.113.1"),
        ("203.0.113.77/24", "203.0.113.1"),
        ("203.0.113.77/32", None),
    ],
)
def test_a_gateway_is_proposed_from_the_address(address: str, gateway: str | None) -> None:
    from ipaddress import IPv4Interface

    assert gateway_of(IPv4Interface(address)) == gateway

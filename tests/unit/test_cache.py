"""What is kept never makes a bad inventory pass, and whatever is wrong with it, it is only missed."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

import lienthong.inventory
from lienthong.cache import Cache, key_of
from lienthong.errors import InventoryError
from lienthong.inventory import load, warm
from lienthong.inventory.warm import validate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the inventory, valid, with all its sites kept in `tmp_path/cache`."""
    folder = tmp_path / "inventory"
    for name in ("sites", "layers"):
        shutil.copytree(ROOT / "inventory" / name, folder / name)
    validate(folder, Cache(tmp_path / "cache"))
    return folder


def cold(folder: Path, today: date | None = None) -> list[str]:
    """What a load without any cache finds."""
    try:
        load(folder, today)
    except InventoryError as error:
        return [str(problem) for problem in error.problems]
    return []


def kept(folder: Path, today: date | None = None) -> list[str]:
    """What is found with what was kept."""
    try:
        validate(folder, Cache(folder.parent / "cache"), today)
    except InventoryError as error:
        return [str(problem) for problem in error.problems]
    return []


def read_sites(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sites that are really read from now on."""
    seen: list[str] = []
    real = lienthong.inventory.typed

    def noted(source, slug, layers):  # type: ignore[no-untyped-def]
        seen.append(slug)
        return real(source, slug, layers)

    monkeypatch.setattr(warm, "typed", noted)
    return seen


def test_only_what_changed_is_read(content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read_sites(monkeypatch)
    assert kept(content) == []
    assert seen == []
    file = content / "sites" / "loc-ninh.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# a word\n", encoding="utf-8")
    assert kept(content) == []
    assert seen == ["loc-ninh"]


def test_a_changed_layer_has_every_site_read(content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read_sites(monkeypatch)
    file = content / "layers" / "kinds" / "board.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# a word\n", encoding="utf-8")
    assert kept(content) == []
    assert len(seen) == len(list((content / "sites").glob("*.yaml")))


def test_a_changed_engine_has_every_site_read(content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read_sites(monkeypatch)
    monkeypatch.setattr(warm, "engine", lambda *_: "another")
    assert kept(content) == []
    assert len(seen) == len(list((content / "sites").glob("*.yaml")))


SPOILS = [
    ("sites/loc-ninh.yaml", "number: 5", "number: 6"),
    ("sites/loc-ninh.yaml", "number: 5", "number: 05"),
    ("sites/loc-ninh.yaml", "kind: district", "kind: distrikt"),
    ("sites/loc-ninh.yaml", "203.0.113.22/30", "203.0.113.21/30"),
    ("sites/loc-ninh.yaml", '"1005"', '"1006"'),
    ("layers/kinds/district.yaml", "segment: servers", "segment: serverz"),
    ("layers/kinds/provincial-office.yaml", "ntp: {}", "ntp: {x: 1}"),
    ("layers/kinds/provincial-office.yaml", "hub: true", "hub: false"),
    ("layers/country.yaml", "device: gw-wan}", "device: gw-net}"),
    ("layers/province.yaml", "wan_pool: 10.0.0.0/9", "wan_pool: 11.0.0.0/9"),
    ("layers/province.yaml", "    updates: {", "    updatez: {"),
]


@pytest.mark.parametrize(("name", "good", "bad"), SPOILS)
def test_a_mistake_is_found_as_if_nothing_were_kept(content: Path, name: str, good: str, bad: str) -> None:
    file = content / name
    text = file.read_text(encoding="utf-8")
    assert good in text
    file.write_text(text.replace(good, bad), encoding="utf-8")
    expected = cold(content)
    assert expected
    assert kept(content) == expected
    assert kept(content) == expected, "once said is not once and for all"
    file.write_text(text, encoding="utf-8")
    assert kept(content) == []


def test_the_calendar_is_looked_at_each_time(content: Path) -> None:
    file = content / "sites" / "loc-ninh.yaml"
    text = file.read_text(encoding="utf-8") + "valid: {from: 2020-01-01, until: 2026-06-30}\n"
    file.write_text(text, encoding="utf-8")
    assert kept(content, date(2026, 6, 30)) == []
    assert any("2026-06-30" in problem for problem in kept(content, date(2026, 7, 1)))
    assert kept(content, date(2026, 7, 1)) == cold(content, date(2026, 7, 1))


@pytest.mark.parametrize("spoil", ["cut", "empty", "garbage", "swapped", "a byte", "folder"])
def test_a_spoilt_entry_is_missed(content: Path, spoil: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = content.parent / "cache" / "loc-ninh.json"
    raw = entry.read_bytes()
    if spoil == "folder":
        entry.unlink()
        entry.mkdir()
    else:
        other = (content.parent / "cache" / "bu-dop.json").read_bytes()
        at = raw.rindex(b"loc-ninh")
        spoilt = {
            "cut": raw[:-9],
            "empty": b"",
            "garbage": b"\xff\x00" * 99,
            "swapped": other,
            "a byte": raw[:at] + b"x" + raw[at + 1 :],
        }
        entry.write_bytes(spoilt[spoil])
    seen = read_sites(monkeypatch)
    assert kept(content) == []
    assert seen == ["loc-ninh"]
    assert kept(content) == []
    assert seen == (["loc-ninh"] * 2 if spoil == "folder" else ["loc-ninh"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"nonsense", b'{"slug": 1}', b"null"])
def test_a_whole_entry_that_is_no_summary_is_missed(
    content: Path, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cache, "find", lambda *_: body)
    assert kept(content) == []


def test_entries_are_their_owners_alone(content: Path) -> None:
    folder = content.parent / "cache"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_a_site_that_is_gone_leaves_nothing(content: Path) -> None:
    (content / "sites" / "bu-dop.yaml").unlink()
    assert kept(content) == []
    assert not (content.parent / "cache" / "bu-dop.json").exists()


def test_where_nothing_can_be_kept_nothing_is(content: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", None, Path("/proc/nowhere")):
        assert len(validate(content, Cache(place))) == 21


def test_the_parts_of_a_key_do_not_run_together() -> None:
    assert (
        len({key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of("", "abc"), key_of(b"ab", "c")}) == 4
    )

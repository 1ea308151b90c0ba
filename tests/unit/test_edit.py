"""Edits of inventory files change what they mean and not a byte more, and all files or none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.edit import Draft, Note, Put, Take, Value, edited, new_file
from lienthong.edit.write import entry, flow, scalar
from lienthong.errors import InventoryError, LienThongError
from lienthong.inventory.yamlfile import read

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "inventory").rglob("*.yaml"))

WILD = """\
# head of the file

number:   5   # five
kind: 'district'
name: {vi: "Huyện ủy Lộc Ninh",
       en: District}   # two lines
# about the hosts
hosts:
    # the server
    srv:
        segment: servers
        runs:
            app: {}\x20\x20
            # deeper, about app

    # the endpoint
    vc: {segment: conference, id: 20}

# about the systems
systems:
- name: one
  host: srv
-   name: two
    why: |
      long

uplinks:
# last words
"""


def data(text: str, tmp_path: Path) -> Any:
    path = tmp_path / "x.yaml"
    path.write_bytes(text.encode())
    return read(path, "x.yaml").value


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, where all others stand as they were."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Put(("number",), 7), ["number:   5   # five\n"], ["number:   7   # five\n"]),
        (
            Put(("name", "en"), "Lộc Ninh: new"),
            ["       en: District}   # two lines\n"],
            ['       en: "Lộc Ninh: new"}   # two lines\n'],
        ),
        (
            Put(("hosts", "vc", "serial"), "1005"),
            ["    vc: {segment: conference, id: 20}\n"],
            ['    vc: {segment: conference, id: 20, serial: "1005"}\n'],
        ),
        (Put(("level",), 3), [], ["level: 3\n"]),
        (Put(("slug",), "loc-ninh"), [], ["slug: loc-ninh\n"]),
        (Put(("hosts", "srv", "id"), 10), [], ["        id: 10\n"]),
        (
            Put(("hosts", "srv", "runs", "app"), {"a": {"b": 1}}),
            ["            app: {}  \n"],
            ["            app:  \n", "              a: {b: 1}\n"],
        ),
        (
            Put(("uplinks", "inet0", "address"), "203.0.113.2/30"),
            [],
            ["  inet0: {address: 203.0.113.2/30}\n"],
        ),
        (Take(("hosts", "srv", "segment")), ["        segment: servers\n"], []),
        (
            Take(("hosts", "srv", "runs", "app")),
            ["        runs:\n", "            app: {}  \n", "            # deeper, about app\n"],
            [],
        ),
        (
            Take(("hosts", "vc")),
            ["    # the endpoint\n", "    vc: {segment: conference, id: 20}\n", "\n"],
            [],
        ),
        (Take(("systems", 0, "name")), ["- name: one\n", "  host: srv\n"], ["- host: srv\n"]),
        (Take(("systems", 0)), ["- name: one\n", "  host: srv\n"], []),
        (Put(("systems", 1, "why"), "short"), ["    why: |\n", "      long\n"], ["    why: short\n"]),
        (Note(("hosts", "srv", "segment"), "why\nso"), [], ["        # why so\n"]),
        (Note(("hosts", "vc", "id"), "see"), [], ["    # see\n"]),
    ],
)
def test_an_edit_changes_these_lines_only(edit: Any, old: list[str], new: list[str], tmp_path: Path) -> None:
    after = edited(WILD, [edit], "x.yaml")
    assert changed(WILD, after) == (old, new)
    data(after, tmp_path)


def test_ports_are_put_where_a_reader_looks_for_them() -> None:
    text = "ports:\n  e1: {unused: true}\n  e10: {unused: true}\n"
    after = edited(text, [Put(("ports", "e9"), {"host": "srv"})], "x")
    assert [line.split(":")[0].strip() for line in after.splitlines()] == ["ports", "e1", "e9", "e10"]


def test_a_flow_mapping_that_grows_too_long_becomes_a_block() -> None:
    text = 'hosts:\n  vc: {segment: conference, id: 20, model: "' + "x" * 50 + '"}  # here\n'
    after = edited(text, [Put(("hosts", "vc", "asset"), {"code": "TS-1", "keeper": "Nguyễn Văn A"})], "x")
    assert [line.split(":")[0] for line in after.splitlines()[1:]] == [
        "  vc",
        "    segment",
        "    id",
        "    model",
        "    asset",
    ]
    assert after.splitlines()[-1].endswith("{code: TS-1, keeper: Nguyễn Văn A}  # here") or "# here" in after
    assert max(map(len, after.splitlines())) < 100


def test_a_flow_mapping_within_another_stays_one() -> None:
    text = 'a: {b: {c: "' + "x" * 90 + '"}}\n'
    assert edited(text, [Put(("a", "b", "d"), "long enough")], "x") == text.replace(
        "}}", ", d: long enough}}"
    )


def test_line_ends_of_the_file_are_kept() -> None:
    after = edited("a: 1\r\nb:\r\n  c: 2\r\n", [Put(("b", "d"), {"e": {"f": 1}}), Take(("a",))], "x")
    assert after == "b:\r\n  c: 2\r\n  d:\r\n    e: {f: 1}\r\n"


def test_a_file_without_a_last_line_end_can_grow() -> None:
    assert edited("a: 1", [Put(("b",), 2)], "x") == "a: 1\nb: 2"


def test_what_cannot_be_said_safely_is_refused() -> None:
    with pytest.raises(LienThongError, match=r"there is no hosts\.nobody"):
        edited(WILD, [Take(("hosts", "nobody"))], "x")
    with pytest.raises(LienThongError, match="is no mapping"):
        edited(WILD, [Put(("number", "x"), 1)], "x")
    with pytest.raises(LienThongError, match="layout"):  # complex keys stand where no plain one can follow
        edited("? a\n: 1\n? b\n: 2\n", [Put(("c",), 3)], "x")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.sampled_from(
        ["1005", "no", "012", "12:30", "1e5", "0x1F", "null", "~", "- a", "2026-01-05", "=", "a: b"]
    ),
)
KEYS = st.text(alphabet="abcxyz019-", min_size=1, max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_the_same(tmp_path_factory: Any, value: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "same.yaml"
    for text in (new_file(value), f"all: {flow(value)}\n", entry("all", value, 0, 1) + "\n"):
        path.write_bytes(text.encode())
        found = read(path, "same.yaml").value
        assert (found if "all" not in found or "all" in value else found["all"]) == value, text


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        items = []
    return found + [path for key, item in items for path in paths(item, (*here, key))]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(draw=st.data())
def test_the_rest_of_a_real_file_stays_byte_for_byte(draw: st.DataObject) -> None:
    path = draw.draw(st.sampled_from(FILES), label="file")
    text = path.read_bytes().decode()
    value = read(path, path.name).value
    place = draw.draw(st.sampled_from(paths(value)), label="place")
    if draw.draw(st.booleans(), label="take") and (len(value) > 1 or len(place) > 2):
        try:
            after = edited(text, [Take(place)], path.name)
        except LienThongError as error:
            assert "only thing" in str(error)
            return
        _, new = changed(text, after)
        # nothing comes, except where a flow mapping or a list's first key keeps the rest of its line
        assert len(new) <= 1
        assert not new or any(
            set(new[0].split()) <= set(line.split()) | {"-"} or "{" in line or "[" in line
            for line in text.splitlines()
        )
    else:
        some: list[Value] = [7, "1005", "Huyện ủy: mới", {"a": {"b": [1, "no"]}}, None]
        fresh = draw.draw(st.sampled_from(some))
        at = (*place[:-1], "zz-new") if isinstance(place[-1], str) else place
        after = edited(text, [Put(at, fresh)], path.name)
        if isinstance(place[-1], str):
            back = edited(after, [Take(at)], path.name)
            old, new = changed(text, back)  # and away again: every byte as it was,
            assert not old or (len(old) == 1 and len(old[0]) > 60)  # but for a line that grew too long
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in after.splitlines() if line.lstrip().startswith("#")][:1] == comments[:1]


def test_a_number_in_quotes_stays_text() -> None:
    assert scalar("1005") == '"1005"' and scalar(1005) == "1005"
    assert scalar("203.0.113.90/30") == "203.0.113.90/30"
    assert scalar("Huyện ủy Lộc Ninh") == "Huyện ủy Lộc Ninh"
    assert scalar("\u2028") == '"\\u2028"'
    with pytest.raises(LienThongError, match="UTF-8"):
        scalar("\udcff")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("sites", "layers"):
        shutil.copytree(ROOT / "inventory" / part, tmp_path / "inventory" / part)
    return tmp_path / "inventory"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_result_that_does_not_validate_is_not_written(folder: Path) -> None:
    before = contents(folder)
    draft = Draft(folder)
    draft.edit("sites/bu-dop.yaml", Put(("name", "en"), "Fine"))
    draft.edit("sites/loc-ninh.yaml", Put(("number",), 6))
    with pytest.raises(InventoryError) as caught:
        draft.commit()
    assert [p.where for p in caught.value.problems if "number 6" in p.what] == [
        "inventory/sites/loc-ninh.yaml:2:1"
    ]
    assert contents(folder) == before


def test_what_only_the_plan_finds_is_not_written_either(folder: Path) -> None:
    before = contents(folder)
    draft = Draft(folder)
    draft.delete("sites/tinh-uy.yaml")
    with pytest.raises(InventoryError):
        draft.commit()
    assert contents(folder) == before


def test_several_files_are_written_together(folder: Path) -> None:
    before = contents(folder)
    (folder / "sites" / "loc-ninh.yaml").chmod(0o640)
    draft = Draft(folder)
    draft.edit("sites/loc-ninh.yaml", Put(("name", "en"), "One"))
    draft.edit("sites/bu-dop.yaml", Put(("name", "en"), "Two"))
    assert draft.changed == ("sites/bu-dop.yaml", "sites/loc-ninh.yaml")
    lines = draft.diff().splitlines()
    assert [line for line in lines if line.startswith(("+  ", "-  "))] == [
        "-  en: Bù Đốp District Party Committee",
        "+  en: Two",
        "-  en: Lộc Ninh District Party Committee",
        "+  en: One",
    ]
    draft.commit()
    after = contents(folder)
    assert {name for name in after if after[name] != before.get(name)} == {
        "sites/bu-dop.yaml",
        "sites/loc-ninh.yaml",
    }
    assert (folder / "sites" / "loc-ninh.yaml").stat().st_mode & 0o777 == 0o640
    assert not draft.diff()


def test_somebody_elses_change_meanwhile_is_not_lost(folder: Path) -> None:
    draft = Draft(folder)
    draft.edit("sites/loc-ninh.yaml", Put(("name", "en"), "One"))
    draft.edit("sites/bu-dop.yaml", Put(("name", "en"), "Two"))
    other = folder / "sites" / "loc-ninh.yaml"
    other.write_text(other.read_text() + "# mine\n")
    before = contents(folder)
    with pytest.raises(LienThongError, match="meanwhile"):
        draft.commit()
    assert contents(folder) == before


def test_when_one_file_cannot_be_written_none_is(folder: Path) -> None:
    before = contents(folder)
    draft = Draft(folder)
    draft.edit("sites/loc-ninh.yaml", Put(("name", "en"), "One"))
    draft.replace("zz/nowhere.txt", "x")  # its folder is not there
    with pytest.raises(LienThongError, match="cannot be written"):
        draft.commit()
    assert contents(folder) == before


def test_when_the_disk_fails_in_the_middle_the_first_file_is_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    draft = Draft(folder)
    draft.edit("sites/bu-dop.yaml", Put(("name", "en"), "One"))
    draft.edit("sites/loc-ninh.yaml", Put(("name", "en"), "Two"))
    real = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "loc-ninh.yaml" and self.name != target.name and b"Two" in self.read_bytes():
            assert b"One" in (folder / "sites" / "bu-dop.yaml").read_bytes()
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(LienThongError, match=r"No space left on device\nhint: nothing was changed"):
        draft.commit()
    assert contents(folder) == before


def test_a_diff_cannot_steer_a_terminal(folder: Path) -> None:
    draft = Draft(folder)
    path = folder / "sites" / "loc-ninh.yaml"
    path.write_bytes(path.read_bytes() + "# \u202e evil\n".encode())
    draft.edit("sites/loc-ninh.yaml", Put(("hosts", "vc", "id"), 21))
    assert "\u202e" not in draft.diff() and "id: 21" in draft.diff()

"""Files that are made to hurt end in a clear error, and soon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lienthong.errors import InventoryError
from lienthong.inventory.yamlfile import read


def refused(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "x.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InventoryError) as caught:
        read(path, "x.yaml")
    return str(caught.value)


def test_a_bomb_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert "x.yaml:1:5: an anchor or alias is not allowed here" in refused(tmp_path, "\n".join(lines))


def test_a_cycle_is_refused(tmp_path: Path) -> None:
    assert "anchor or alias" in refused(tmp_path, "a: &a [*a]\n")


def test_a_huge_file_is_not_even_parsed(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as handle:
        handle.truncate(100_000_000)
    with pytest.raises(InventoryError, match="larger than"):
        read(path, "x.yaml")


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "nested deeper" in refused(tmp_path, "a: " + "[" * 40 + "]" * 40 + "\n")


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    assert "x.yaml:2:1: is not UTF-8" in refused(tmp_path, b"a: 1\nb: \xff\n")


def test_two_documents_are_refused(tmp_path: Path) -> None:
    assert "not valid YAML" in refused(tmp_path, "a: 1\n---\nb: 2\n")


@pytest.mark.parametrize(
    "word", ["yes", "No", "on", "OFF", "y", "012", "0x1f", "0o17", "12:30", "1_000", "0_1"]
)
def test_surprises_are_refused(tmp_path: Path, word: str) -> None:
    if word == "1_000":  # a plain text to YAML 1.2 and to us
        path = tmp_path / "x.yaml"
        path.write_text(f"a: {word}\n", encoding="utf-8")
        assert read(path, "x.yaml").value == {"a": "1_000"}
        return
    assert "different things" in refused(tmp_path, f"a: {word}\n")


def test_quoted_words_are_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: \"no\"\nb: '012'\nc: true\nd: 12\ne: null\nf: 10.0.0.1/24\n", encoding="utf-8")
    assert read(path, "x.yaml").value == {
        "a": "no",
        "b": "012",
        "c": True,
        "d": 12,
        "e": None,
        "f": "10.0.0.1/24",
    }


def test_places_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a:\n  b:\n    - c: 1\n", encoding="utf-8")
    document = read(path, "x.yaml")
    assert document.where(("a", "b", 0, "c")) == "x.yaml:3:7"
    assert document.where(("a", "b", 0, "missing")) == "x.yaml:3:7"


HURTS = {
    "deep brackets": b"a: " + b"[" * 900_000,
    "deep braces": b"a: " + b"{b: " * 200_000,
    "deep blocks": b"".join(b" " * n + b"a:\n" for n in range(1300)),
    "deep dashes": b"- " * 400_000 + b"a",
    "many keys": b"".join(b"k%d: [&a b]\n" % n for n in range(60_000)),
    "a long line": b"a: " + b"x" * 999_000 + b"'\n: :",
    "quotes": b'a: "' + b"\\" * 900_001,
    "nothing but colons": b":" * 900_000,
    "nothing but dashes": b"-\n" * 450_000,
    "nothing but questions": b"? " * 450_000,
    "spaces": b"a:" + b" " * 900_000 + b"b: c",
}


@pytest.mark.parametrize("kind", HURTS)
def test_what_is_made_to_hurt_ends_soon(tmp_path: Path, kind: str) -> None:
    began = time.process_time()
    refused(tmp_path, HURTS[kind])
    assert time.process_time() - began < 1


def test_a_folder_a_pipe_and_a_loop_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    for name, what in (("folder", "Is a directory"), ("pipe", "is not a file"), ("loop", "cannot be read")):
        with pytest.raises(InventoryError, match=what):
            read(tmp_path / f"{name}.yaml", f"{name}.yaml")

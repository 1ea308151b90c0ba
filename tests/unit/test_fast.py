"""The quick reader either reads what the strict one reads, types included, or steps aside."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from lienthong.errors import InventoryError
from lienthong.inventory.corpus import files
from lienthong.inventory.fast import quick
from lienthong.inventory.yamlfile import parse

ROOT = Path(__file__).resolve().parents[2]
OURS = [path.read_bytes() for path in sorted((ROOT / "inventory").rglob("*.yaml"))]
CORPUS = [text.encode() for name, text in files(3) if name.startswith("sites/")]


def agree(raw: bytes) -> bool:
    """Whether the quick reader took the text; it must then read it as the strict one does."""
    found = quick(raw)
    if found is None:
        return False
    try:
        strict = parse(raw, "x.yaml").value
    except InventoryError as error:
        raise AssertionError(f"only the quick reader accepts {raw!r}: {error}") from None
    assert same(found, strict), (raw, found, strict)
    return True


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types, and in the same order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and repr(one) == repr(other)


@pytest.mark.parametrize("raw", [*OURS, *CORPUS])
def test_real_files_are_read_alike(raw: bytes) -> None:
    agree(raw)


def test_nearly_all_real_files_take_the_quick_way() -> None:
    assert all(map(agree, OURS))
    assert all(map(agree, CORPUS))


DOUBTFUL = [
    "a: &x 1", "a: *x", "a: !!str 1", 'a: |\n  b', 'a: >\n  b', '---\na: 1', '%YAML 1.2\n---\na: 1',
    '? a\n: 1', "a: yes", "a: No", "a: on", "a: OFF", "a: y", "a: N", "a: Null", "a: TRUE", "a: ~",
    "a: 012", "a: 0x1f", "a: 0o7", "a: 12:30", "a: 1_000", "a: 1e3", "a: +5", "a: -5", "a: .5", "a: 5.",
    "a: .inf", "a: inf", "a: nan", "a: .NaN", "a: 1.0.0", "a: 00:00:00:00:00:01", "inf: 1", "nan: 1",
    "null: 1", "true: 1", "yes: 1", "5: 1", '"a": 1', "a: 'it''s'", 'a: "\\u0041"', 'a:\t1', 'a: b\tc',
    'a: 1\r\nb: 2\r\n', '\ufeffa: 1', 'a: b\x85c', 'a: b\u2028c', 'a: \u202eb', 'a: x\n  y', "a: x: y",
    "a: x #", "a: [1, 2", "a: {b: 1", "a: [1,2]", "a: {b, c}", "a: [b: 1]", "a: b: c", "a", "- a",
    "# only a comment", 'a: 1\na: 2', "a: {b: 1, b: 2}", "a: <<", "<<: {a: 1}", "a: {<<: 1}", "a: =",
    "a: 99999999999999999999", "a: `b`", "a: @b", "a: %b", "a: 2025-07-01T10:00:00", "a: 1.1.1.1:80",
    'a: x\n b: 1', "a:b",
    "a: " + "[" * 30 + "]" * 30,
]  # fmt: skip


@pytest.mark.parametrize("text", DOUBTFUL)
def test_what_is_doubtful_is_left_to_the_strict_reader(text: str) -> None:
    agree((text + "\n").encode())
    if text not in {"a: x #", "a:b"}:
        assert quick((text + "\n").encode()) is None


@pytest.mark.parametrize("count", [3_000, 60_000])
def test_neither_reads_more_than_a_site_can_be(count: int) -> None:
    raw = b"".join(b"k%d: 1\n" % number for number in range(count))
    assert agree(raw) is (count == 3_000)


SCALARS = [
    "a", "b1", "x-y", "x.y", "x/y", "no", "yes", "true", "false", "null", "True", "NULL", "~", "on", "y",
    "n", "inf", "nan", "Infinity", "0", "1", "12", "007", "1.5", "1.50", "0.0", "1e3", "+1", "-1", "-0",
    ".5", "2025-07-01", "10.0.0.1", "10.0.0.0/8", "52:54:00:12:34:5a", "fd00::1", "fd00::/8", "fe80::",
    "::1", "a:b:c", "1:2:a", "12:30", "1_0", "0x1", "[]", "{}",
    "''", '""', "'a'", '"b"', "'no'", '"1"', '"~"', "'a#b'", '"a:b"', "[1,2]", "{a:1}", "5a", "-", "--",
    "---", "...", ":", "::", "a:", "#a", "&", "*", "!", "|", ">", "%", "@", "`", "=", "<<", "a b",
    "Huyện ủy", "53 đường", "a #b", "a  b", "'a b'", '"a # b"', "[1, 2]", "{a: 1, b: [x, y]}",
    "[a, {b: c}]", "{a: 1, a: 2}", "[]", "[a, ]", "[ a ]", "{ a: b }", "{a: }", "a ", "1 2", "[[[a]]]",
    "a, b", "a - b", "é", "1 x: y",
]  # fmt: skip
LINES = st.builds(
    lambda indent, dash, key, colon, value, tail: f"{' ' * indent}{dash}{key}{colon}{value}{tail}",
    st.sampled_from([0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 6]),
    st.sampled_from(["", "", "", "- ", "-"]),
    st.sampled_from([*"abcdef", "a", "b", "", "no", "inf", "key-1", "5", '"q"']),
    st.sampled_from([": ", ": ", ": ", ":", ":", ""]),
    st.sampled_from([*SCALARS, "", ""]),
    st.sampled_from(["", "", "", " # c", "#c", " ", "  "]),
)
TEXTS = st.lists(LINES, max_size=8).map(lambda lines: "".join(f"{line}\n" for line in lines).encode())


@seed(7)
@settings(max_examples=1500, deadline=None, database=None)
@given(TEXTS)
def test_made_up_texts(raw: bytes) -> None:
    agree(raw)


def mutated(raw: bytes, source: random.Random) -> bytes:
    """A part of a real file with a few small mistakes in it."""
    lines = raw.splitlines(keepends=True)
    first = source.randrange(len(lines))
    text = bytearray(b"".join(lines[first : first + source.randrange(1, 30)]))
    for _ in range(source.randrange(1, 4)):
        at = source.randrange(len(text) + 1)
        match source.randrange(8):
            case 0 if at < len(text):
                text[at] = source.randrange(256)
            case 1 if at < len(text):
                del text[at : at + source.randrange(1, 4)]
            case 2:
                text[at:at] = source.choice(
                    (b" ", b"  ", b"\n", b"'", b'"', b": ", b"- ", b"#", b" #", b",", b"\t", b"\r")
                )
            case 3:
                text[at:at] = source.choice(
                    (b"[", b"]", b"{", b"}", b"&a ", b"*a", b"!", b"|", b">", b"~", b"no", b"\xc2\x85")
                )
            case 4:
                text[at:at] = b"\n" + b" " * source.randrange(8)
            case 5:
                start = text.rfind(b"\n", 0, at) + 1
                del text[start : start + source.randrange(1, 5)]
            case 6:
                start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1
                text[end:end] = text[start:end]
            case _:
                start = text.rfind(b"\n", 0, at) + 1
                text[start:start] = b" " * source.randrange(1, 5)
    return bytes(text)


def test_real_files_with_mistakes(capfd: pytest.CaptureFixture[str]) -> None:
    source = random.Random(7)
    taken = sum(agree(mutated(source.choice([*OURS, *CORPUS]), source)) for _ in range(1500))
    assert taken > 100
    assert capfd.readouterr() == ("", ""), "rapidyaml's own messages reach the user"

"""The matcher that looks for secrets in artefacts finds each form where it was planted, and nothing else."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.model.secret import SecretRef
from lienthong.secrets.kinds import fresh
from tests.lab.traces import Sieve, find, forms

SECRETS = {
    "ospf": "0f1e2d3c4b5a6978",
    "sip": "Ab_c-Defgh.ijKLmn~opqrstuv",
    "odd": "p/a+s?s \"w'o<r>d & käse %",
    "wireguard": fresh(SecretRef("wireguard/a")),
    "pki": fresh(SecretRef("pki/wan")),
}
NEEDLES = {name: forms(value) for name, value in SECRETS.items()}
SIEVE = Sieve(NEEDLES)
TEXTS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda v: v.encode(),
    "base64 at 0": lambda v: base64.b64encode(v.encode()),
    "base64 at 1": lambda v: base64.b64encode(b"x" + v.encode() + b"yy"),
    "base64 at 2": lambda v: base64.b64encode(b"xx" + v.encode() + b"y"),
    "base64 at 4": lambda v: base64.b64encode(b"user:pa" + v.encode() + b"\n"),
    "base64 for urls at 0": lambda v: base64.urlsafe_b64encode(v.encode()),
    "base64 for urls at 1": lambda v: base64.urlsafe_b64encode(b"\xff" + v.encode() + b"\xfe"),
    "base64 for urls at 2": lambda v: base64.urlsafe_b64encode(b"\xff\xfe" + v.encode() + b"\xff"),
    "base64 in lines": lambda v: base64.encodebytes(b"x" * 40 + v.encode() + b"y" * 40),
    "base64 in lines within json": lambda v: json.dumps(
        base64.encodebytes(b"x" * 41 + v.encode()).decode()
    ).encode(),
    "hex": lambda v: v.encode().hex().encode(),
    "HEX": lambda v: v.encode().hex().upper().encode(),
    "hex with colons": lambda v: v.encode().hex(":").encode(),
    "hex with spaces": lambda v: v.encode().hex(" ").encode(),
    "url": lambda v: quote(v, safe="").encode(),
    "url, small": lambda v: (
        b"?x="
        + b"".join(c if len(c) == 1 else c.lower() for c in [quote(char, safe="").encode() for char in v])
    ),
    "url, form": lambda v: urlencode({"password": v}).encode(),
    "url, plus": lambda v: quote_plus(v).encode(),
    "url, all": lambda v: "".join(f"%{byte:02X}" for byte in v.encode()).encode(),
    "url, twice": lambda v: quote(quote(v, safe=""), safe="").encode(),
    "json": lambda v: json.dumps({"a": v}).encode(),
    "json, any script": lambda v: json.dumps({"a": v}, ensure_ascii=False).encode(),
    "json within json": lambda v: json.dumps(json.dumps({"a": v})).encode(),
    "json, \\u": lambda v: "".join(f"\\u{ord(c):04x}" for c in v).encode(),
    "html": lambda v: html.escape(v).encode(),
    "python": lambda v: repr([v]).encode(),
    "utf-16": lambda v: v.encode("utf-16"),
    "utf-16, big": lambda v: v.encode("utf-16-be"),
    "backwards": lambda v: v.encode()[::-1],
}


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("inner/note.txt", content)
    return out.getvalue()


def tarred(content: bytes, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("note.txt")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def database(tmp_path: Path, content: bytes, *, delete: bool = False, wal: bool = False) -> Path:
    path = tmp_path / "journal.db"
    base = sqlite3.connect(path)
    if wal:
        base.execute("PRAGMA journal_mode=wal")
    base.execute("CREATE TABLE runs (id INTEGER PRIMARY KEY, note)")
    base.execute("PRAGMA secure_delete=off")
    base.execute("INSERT INTO runs (note) VALUES (?)", (content.decode("latin-1"),))
    base.commit()
    if delete:
        base.execute("DELETE FROM runs")
        base.commit()
    base.close()
    return path


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "gzip after something": lambda c: b"head" * 10 + gzip.compress(c) + b"tail",
    "gzip, the second": lambda c: gzip.compress(b"first") + gzip.compress(c),
    "gzip, cut off": lambda c: gzip.compress(c + bytes(range(256)) * 40)[:-20],
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
    "zip, bzip2": lambda c: zipped(c, zipfile.ZIP_BZIP2),
    "zip within zip": lambda c: zipped(zipped(c)),
    "gzip within zip within gzip": lambda c: gzip.compress(zipped(gzip.compress(c))),
    "tar": tarred,
    "tar.gz": lambda c: tarred(c, "w:gz"),
    "tar.xz": lambda c: tarred(c, "w:xz"),
    "pdf": lambda c: b"%PDF-1.7\n1 0 obj\n<<>>\nstream\n" + zlib.compress(c) + b"\nendstream\n",
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("form", TEXTS)
def test_a_planted_form_is_found(form: str, name: str) -> None:
    planted = b"before \x00 " + TEXTS[form](SECRETS[name]) + b" after\n"
    found = find("a", planted, NEEDLES)
    if name == "odd":
        large = bytes(5000) + planted
        assert find("a", large, NEEDLES, SIEVE) == find("a", large, NEEDLES) != []
    assert name in {trace.name for trace in found}, form
    assert {trace.name for trace in found} == {name}


@pytest.mark.parametrize("way", PACKED)
def test_what_is_packed_is_found(way: str) -> None:
    content = b"noise " * 50 + SECRETS["sip"].encode() + b" noise" * 50
    packed = PACKED[way](content)
    assert way == "tar" or SECRETS["sip"].encode() not in packed
    found = find("a", packed, NEEDLES)
    assert {trace.name for trace in found} == {"sip"}
    assert way == "tar" or all("!" in trace.where for trace in found)


def test_a_workbook_is_looked_into() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet["B7"] = SECRETS["odd"]
    book.save(out)
    assert {trace.name for trace in find("a.xlsx", out.getvalue(), NEEDLES)} == {"odd"}


def test_rows_and_pages_of_a_journal_are_looked_into(tmp_path: Path) -> None:
    for number, options in enumerate(({}, {"wal": True}, {"delete": True})):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = database(folder, b"note " + SECRETS["ospf"].encode(), **options)
        assert {trace.name for trace in find("db", path.read_bytes(), NEEDLES)} == {"ospf"}


def test_a_value_that_lies_across_two_pages_is_found(tmp_path: Path) -> None:
    value = SECRETS["sip"].encode()
    hidden = 0
    for shift in range(0, 4200, 20):  # a page ends somewhere in there, and the value is longer than a step
        folder = tmp_path / str(shift)
        folder.mkdir()
        raw = database(folder, b"n" * shift + value + b"n" * (13000 - shift)).read_bytes()
        assert {trace.name for trace in find("db", raw, NEEDLES)} == {"sip"}
        hidden += value not in raw
    assert hidden  # some of them were not to be seen in the raw pages


def test_a_part_of_a_private_key_is_found() -> None:
    body = SECRETS["pki"].splitlines()[1]
    assert {trace.name for trace in find("a", b"x" + body.encode(), NEEDLES)} == {"pki"}
    raw = base64.b64decode(SECRETS["wireguard"])
    for planted in (raw, raw.hex().encode(), base64.urlsafe_b64encode(raw), base64.b64encode(b"k" + raw)):
        assert {trace.name for trace in find("a", planted, NEEDLES)} == {"wireguard"}


def test_a_trace_holds_no_value() -> None:
    text = str(find("a", gzip.compress(SECRETS["sip"].encode()), NEEDLES))
    assert SECRETS["sip"] not in text
    assert "sip" in text


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=40),
    st.text(st.characters(codec="utf-8"), min_size=10, max_size=40),
    st.binary(max_size=40),
)
def test_base64_is_found_wherever_it_begins(before: bytes, value: str, after: bytes) -> None:
    needles = {"x": forms(value)}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert find("a", encode(before + value.encode() + after), needles)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_chance_finds_nothing(noise: bytes) -> None:
    for content in (noise, gzip.compress(noise), base64.b64encode(noise), noise.hex().encode()):
        assert find("a", content, NEEDLES) == []


def test_what_is_broken_is_no_error() -> None:
    for packed in (way(b"text " * 400) for way in PACKED.values()):
        for cut in (3, 10, len(packed) // 2, len(packed) - 3):
            assert find("a", packed[:cut], NEEDLES) == []
            assert find("a", packed[:cut] + bytes(30) + packed[cut:], NEEDLES) == []

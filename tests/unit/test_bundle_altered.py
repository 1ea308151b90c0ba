"""A bundle altered at any byte, cut anywhere, made longer, or hostile within: refused, with its reason."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.bundle import age, envelope, header, judge, keys, manifest
from lienthong.bundle.chain import Chain, Role
from lienthong.bundle.envelope import ROOM
from lienthong.bundle.judge import introduce
from lienthong.bundle.manifest import Entry
from lienthong.bundle.unpack import unpack
from lienthong.bundle.words import BundleRefused, Reason
from lienthong.errors import LienThongError
from tests.bundling import WAY, Sides, made_keys


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


def reason(sides: Sides, data: bytes) -> Reason:
    """Why an import refuses these bytes; it leaves nothing."""
    path = sides.base / "altered.ltb"
    path.write_bytes(data)
    with pytest.raises(BundleRefused) as found:
        sides.take(path)
    assert sides.tree() == {}
    assert Chain(sides.in_state, WAY, Role.IMPORT).read() is None
    return found.value.reason


def test_every_byte(sides: Sides) -> None:
    whole = sides.export().path.read_bytes()
    found: dict[Reason, int] = {}
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1 << (place % 8)
        why = reason(sides, bytes(altered))
        found[why] = found.get(why, 0) + 1
    assert sum(found.values()) == len(whole)
    kinds = {Reason.NO_BUNDLE, Reason.FUTURE_FORMAT, Reason.HEADER, Reason.SIGNATURE, Reason.BODY}
    assert found.keys() == kinds, found
    assert found[Reason.BODY] == len(whole) - ROOM
    sides.take(sides.out_state / "outbox" / "tinh-uy-net-wan-1.ltb")  # the one that was not altered is taken


def test_every_length(sides: Sides) -> None:
    whole = sides.export().path.read_bytes()
    for length in range(1, len(whole)):
        assert reason(sides, whole[:length]) is Reason.TRUNCATED, length
    assert reason(sides, b"") is Reason.NO_BUNDLE


@pytest.mark.parametrize("more", [b"\0", b"\n", b"x" * 5000])
def test_appended_bytes(sides: Sides, more: bytes) -> None:
    assert reason(sides, sides.export().path.read_bytes() + more) is Reason.TRAILING


def test_a_stick_that_answers_differently_the_second_time(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashed, then altered before it is opened: what is opened is hashed too."""
    (sides.source / "lớn").write_bytes(os.urandom(3 << 20))
    path = sides.export().path
    real = age.opened

    def alter(identity: Path, cipher: Iterator[bytes]) -> Iterator[bytes]:
        with path.open("r+b") as file:
            file.seek(-1, 2)
            last = file.read(1)
            file.seek(-1, 2)
            file.write(bytes([last[0] ^ 1]))
        return real(identity, cipher)

    monkeypatch.setattr(age, "opened", alter)
    with pytest.raises(BundleRefused, match="altered-body"):
        sides.take(path)
    assert sides.tree() == {}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_header_is_a_traceback(text: bytes) -> None:
    with pytest.raises(BundleRefused):
        header.read(text)
    room = envelope.MARK + struct.pack(">III", 1, len(text), 1) + b"\0" * 32 + text
    with pytest.raises(BundleRefused):
        envelope.unpack(room.ljust(ROOM, b"\0"))


def test_a_header_in_another_form_is_refused(sides: Sides) -> None:
    text = envelope.unpack(sides.export().path.read_bytes()[:ROOM]).header.text()
    assert header.read(text).text() == text
    for old, new in (
        (b'"sequence":1', b'"sequence": 1'),
        (b'"sequence":1', b'"sequence":1.0'),
        (b'"sequence":1', b'"sequence":true'),
        (b'"sequence":1', b'"sequence":0'),
        (b'"sequence":1', b'"sequence":1,"sequence":1'),
        (b'"sequence":1', b'"sequence":1,"more":1'),
        (b'"sequence":1', b'"sequence":' + b"[" * 400),
        (b'"tinh-uy/', b'"tinh-uy/../'),
        (b"T08:00:00Z", b"T8:00:00Z"),
        (b"age1", b"agel"),
        (b"documents", b"commands"),
    ):
        assert old in text
        with pytest.raises(BundleRefused, match="altered-header"):
            header.read(text.replace(old, new))


def line(
    path: bytes, size: object = 1, digest: str = hashlib.sha256(b"x").hexdigest(), mtime: object = 0
) -> bytes:
    return f"{digest} {size} {mtime} ".encode() + path + b"\n"


HOSTILE = {
    "leads up": line(b"../x"),
    "leads up within": line(b"a/../../x"),
    "absolute": line(b"/etc/passwd"),
    "a dot": line(b"./x"),
    "empty part": line(b"a//x"),
    "ends in a slash": line(b"a/"),
    "escape": line(b"\x1b[2Jx"),
    "zero": line(b"a\0b"),
    "tab": line(b"a\tb"),
    "carriage return": line(b"a\rb"),
    "c1 control": line("a\x9bb".encode()),
    "turned round": line("a\u202egpj.exe".encode()),
    "line separator": line("a\u2028b".encode()),
    "no utf-8": line(b"a\xff"),
    "surrogate": line(b"a\xed\xa0\x80"),
    "overlong": line(b"\xc0\xaf"),
    "too long a name": line(b"a" * 256),
    "too deep": line(b"a/" * 40 + b"x"),
    "no name": line(b""),
    "twice": line(b"a") + line(b"a"),
    "out of order": line(b"b") + line(b"a"),
    "file and folder": line(b"a") + line(b"a/b"),
    "negative": line(b"a", -1),
    "size with a zero before": line(b"a", "01"),
    "size in other digits": line(b"a", "١"),
    "other hash": line(b"a", digest="0" * 64),
    "no hash": line(b"a", digest="0" * 63),
    "time far away": line(b"a", mtime=10**11),
    "no end": line(b"a")[:-1],
    "nothing": b"",
    "noise": b"\xff" * 100 + b"\n",
    "more than is there": line(b"a", 2),
}


def plaintext(listed: bytes, body: bytes = b"x") -> bytes:
    return struct.pack(">Q", len(listed)) + listed + body


def hand_made(sides: Sides, monkeypatch: pytest.MonkeyPatch, plain: bytes) -> Path:
    """A bundle with all its seals right, by an exporter that was taken over."""
    monkeypatch.setattr(manifest, "contents", lambda *_: iter([plain]))
    path = sides.export().path
    monkeypatch.undo()
    return path


@pytest.mark.parametrize("listed", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_content_behind_good_seals(
    sides: Sides, monkeypatch: pytest.MonkeyPatch, listed: bytes
) -> None:
    path = hand_made(sides, monkeypatch, plaintext(listed))
    outside = sorted(str(one) for one in sides.base.rglob("*") if "state" not in str(one))
    with pytest.raises(BundleRefused) as found:
        sides.take(path)
    assert found.value.reason is Reason.CONTENT
    assert not any(ord(char) < 32 or char in "\x9b\u202e\u2028" for char in found.value.what)
    assert sides.tree() == {}
    assert sorted(str(one) for one in sides.base.rglob("*") if "state" not in str(one)) == outside
    with pytest.raises(BundleRefused):
        sides.verify(path)


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (plaintext(line(b"a"), b"xx"), Reason.CONTENT),
        (plaintext(line(b"a"), b"y"), Reason.CONTENT),
        (plaintext(line(b"a"), b""), Reason.CONTENT),
        (b"", Reason.CONTENT),
        (b"\0\0\0", Reason.CONTENT),
        (struct.pack(">Q", 2**63), Reason.TOO_LARGE),
        (plaintext(line(b"a", 10**14)), Reason.TOO_LARGE),
        (plaintext(b"\n" * 200_001), Reason.TOO_LARGE),
    ],
)
def test_more_or_less_than_its_list(
    sides: Sides, monkeypatch: pytest.MonkeyPatch, plain: bytes, why: Reason
) -> None:
    path = hand_made(sides, monkeypatch, plain)
    with pytest.raises(BundleRefused) as found:
        sides.take(path)
    assert found.value.reason is why and sides.tree() == {}


def test_what_is_sealed_to_another_key_than_it_says(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    (other,) = keys.own_recipients(made_keys() / "other.age")
    real = age.sealed
    monkeypatch.setattr(age, "sealed", lambda _, plain: real(other, plain))
    path = sides.export().path
    with pytest.raises(BundleRefused, match="wrong-recipient: it is sealed to another key"):
        sides.take(path)
    monkeypatch.setattr(age, "sealed", lambda *_: iter([b"no age at all" * 10]))
    second = sides.export(state=sides.base / "other").path
    with pytest.raises(BundleRefused, match="bad-content: it cannot be opened"):
        sides.take(second)


def test_a_limit_of_the_importing_side(sides: Sides) -> None:
    from dataclasses import replace

    path = sides.export().path
    with pytest.raises(BundleRefused, match="too-large"):
        sides.take(path, replace(sides.side(), max_bytes=5))
    sides.take(path)


def _link(folder: Path) -> None:
    (folder / "x").symlink_to("/etc/passwd")


def _folder_link(folder: Path) -> None:
    there = folder.parent / "outside"  # plain files only, so that nothing but the link is wrong
    there.mkdir(exist_ok=True)
    (there / "plain").touch()
    (folder / "x").symlink_to(there)


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "x")


def _name(folder: Path) -> None:
    (folder / "a\x1b[2J").touch()


def _no_utf8(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).touch()


def _deep(folder: Path) -> None:
    (folder / "/".join("d" * 40)).mkdir(parents=True)
    (folder / "/".join("d" * 40) / "x").touch()


@pytest.mark.parametrize("make", [_link, _folder_link, _pipe, _name, _no_utf8, _deep])
def test_what_an_export_refuses(sides: Sides, make: Callable[[Path], None]) -> None:
    make(sides.source)
    with pytest.raises(LienThongError, match="not only plain files"):
        sides.export()
    assert Chain(sides.out_state, WAY, Role.EXPORT).read() is None


def test_a_file_that_changes_while_it_is_read(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    real = manifest.survey
    for change in ("nội dunG", "nội dung và thêm", "", None):

        def then(folder: Path, *words: object, text: str | None = change) -> tuple[Entry, ...]:
            found = real(folder)
            place = sides.source / "công văn" / "số 1.txt"
            if text is None:
                place.unlink()
                place.symlink_to("/etc/passwd")
            else:
                place.write_text(text)
            return found

        sides.files()
        monkeypatch.setattr(manifest, "survey", then)
        with pytest.raises(LienThongError):
            sides.export()
        assert Chain(sides.out_state, WAY, Role.EXPORT).read() is None


def test_nothing_arrives_executable_or_open_to_others(sides: Sides) -> None:
    for path in sides.source.rglob("*"):
        path.chmod(0o4777)
    done = sides.take(sides.export().path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [done.path, *done.path.rglob("*")]}
    assert modes == {0o600, 0o700}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_plaintext_is_a_traceback(plain: bytes) -> None:
    with pytest.raises(BundleRefused):
        unpack(iter([plain]), None, 10**6)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=6), st.binary(max_size=9))
def test_a_list_is_read_as_it_was_written_or_refused(names: list[str], body: bytes) -> None:
    digest = hashlib.sha256(body).hexdigest()
    fine = sorted({name for name in names if not manifest.wrong_path(name)})
    entries = tuple(Entry(name, len(body), digest, 7) for name in fine)
    try:
        found = unpack(iter([plaintext(manifest.dump(entries), body * len(fine))]), None, 10**6)
    except BundleRefused:
        assert not fine or any(a != b and b.startswith(f"{a}/") for a in fine for b in fine)
    else:
        assert found == entries


def test_who_signed_is_found_before_anything_is_opened(sides: Sides) -> None:
    data = sides.export().path.read_bytes()
    file = sides.base / "x.ltb"
    file.write_bytes(data[:ROOM])
    with judge.opened(file) as opened:
        assert isinstance(opened, io.FileIO)
        assert introduce(opened, sides.root).signer.startswith("SHA256:")

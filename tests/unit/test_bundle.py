"""A bundle crosses once, whole and in order; each other one is refused, for a reason that has a name."""

from __future__ import annotations

import json
import os
import socket
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from lienthong.bundle import chain, envelope, keys, logged
from lienthong.bundle.chain import Chain, Role
from lienthong.bundle.envelope import ROOM, Envelope
from lienthong.bundle.header import FIRST
from lienthong.bundle.take import Side as Importing
from lienthong.bundle.words import BundleRefused, Content, Reason, own_side, stream
from lienthong.errors import LienThongError, Unreachable
from lienthong.model.words import Side
from tests.bundling import BACK, NOW, WAY, Sides, made_keys, public, recipient


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


def refused(sides: Sides, path: Path, reason: Reason, side: Importing | None = None) -> str:
    """It is refused for that reason, by `verify` too, and leaves nothing."""
    before, memory = sides.tree(), Chain(sides.in_state, WAY, Role.IMPORT).read()
    with pytest.raises(BundleRefused) as verified:
        sides.verify(path, side)
    with pytest.raises(BundleRefused) as found:
        sides.take(path, side)
    assert (found.value.reason, verified.value.reason) == (reason, reason), found.value
    assert sides.tree() == before
    assert Chain(sides.in_state, WAY, Role.IMPORT).read() == memory
    return str(found.value)


def again(sides: Sides, path: Path, key: str = "net", **changes: object) -> Path:
    """The same bundle with another header, signed anew by that key."""
    data = path.read_bytes()
    header = replace(envelope.unpack(data[:ROOM]).header, **changes)  # type: ignore[arg-type]
    made = Envelope(header, keys.sign(made_keys() / key, envelope.signed(header)))
    new = sides.base / "again.ltb"
    new.write_bytes(envelope.pack(made) + data[ROOM:])
    return new


def test_what_was_exported_arrives(sides: Sides) -> None:
    os.utime(sides.source / "rỗng", (1_700_000_000, 1_700_000_000))
    (sides.source / "rỗng").chmod(0o777)
    made = sides.export()
    assert made.path.name == "tinh-uy-net-wan-1.ltb"
    looked = sides.verify(made.path)
    assert looked.entries is not None and [one.path for one in looked.entries] == [
        "công văn/số 1.txt",
        "rỗng",
    ]
    assert sides.tree() == {} and not sides.in_state.exists()
    done = sides.take(made.path)
    assert sides.tree() == {
        "tinh-uy-net-wan-1": b"/",
        "tinh-uy-net-wan-1/công văn": b"/",
        "tinh-uy-net-wan-1/công văn/số 1.txt": "nội dung".encode(),
        "tinh-uy-net-wan-1/rỗng": b"",
    }
    arrived = (done.path / "rỗng").stat()
    assert stat.S_IMODE(arrived.st_mode) == 0o600 and arrived.st_mtime == 1_700_000_000


def test_nothing_of_its_content_can_be_read_in_it(sides: Sides) -> None:
    sides.files(**{"tên mật": "x" * 100})
    data = sides.export().path.read_bytes()
    assert b"x" * 20 not in data and "tên".encode() not in data and b"\\u00ean" not in data


def test_the_exporting_side_cannot_open_it(sides: Sides) -> None:
    assert "not this side's key" in refused(
        sides, sides.export().path, Reason.RECIPIENT, side=sides.side(identity="net.age")
    )


def test_a_chain_of_three(sides: Sides) -> None:
    made = [sides.export() for _ in range(3)]
    assert made[0].envelope.header.previous == FIRST
    assert made[2].envelope.header.previous == made[1].envelope.head
    for one in made:
        sides.take(one.path)
    assert len(list(sides.into.iterdir())) == 3


def test_a_second_import_is_a_replay(sides: Sides) -> None:
    first, second = sides.export(), sides.export()
    sides.take(first.path)
    assert "number 1 was imported before; the next is 2" in refused(sides, first.path, Reason.REPLAYED)
    sides.take(second.path)
    refused(sides, first.path, Reason.REPLAYED)
    refused(sides, second.path, Reason.REPLAYED)


def test_a_gap_names_what_is_missing(sides: Sides) -> None:
    made = [sides.export() for _ in range(4)]
    assert "1 to 2 are missing" in refused(sides, made[2].path, Reason.ORDER)
    sides.take(made[0].path)
    assert "number 3, and 2 is missing" in refused(sides, made[2].path, Reason.ORDER)
    assert "2 to 3 are missing" in refused(sides, made[3].path, Reason.ORDER)


def test_two_exporters_of_one_stream_are_a_fork(sides: Sides) -> None:
    one = [sides.export() for _ in range(3)]
    other = [sides.export(state=sides.base / "other") for _ in range(3)]
    sides.take(one[0].path)
    assert "has made two" in refused(sides, other[0].path, Reason.FORKED)
    assert "another number 1" in refused(sides, other[1].path, Reason.FORKED)
    sides.take(one[1].path)
    refused(sides, other[2].path, Reason.FORKED)


def test_time(sides: Sides) -> None:
    path = sides.export(days=7).path
    late, early = NOW + timedelta(days=7, seconds=1), NOW - timedelta(hours=1, seconds=1)
    assert "valid until 2026-03-09T08:00:00Z" in refused(sides, path, Reason.STALE, side=sides.side(late))
    assert "set the clock" in refused(sides, path, Reason.CLOCK, side=sides.side(early))
    sides.take(path, sides.side(NOW - timedelta(minutes=59)))


def test_signers(sides: Sides) -> None:
    path = sides.export().path
    assert "may not sign for tinh-uy/net-wan" in refused(sides, again(sides, path, "stranger"), Reason.SIGNER)
    # known, but of the other stream
    refused(sides, again(sides, path, "wan"), Reason.SIGNER)
    # what was signed for something else is no signature of a bundle
    signers = sides.root / keys.SIGNERS
    signers.write_text(f'{WAY} namespaces="lienthong-plan" {public("net")}\n')
    refused(sides, path, Reason.SIGNER)
    signers.write_text(f'{WAY} namespaces="lienthong-bundle",valid-before="20250101" {public("net")}\n')
    refused(sides, path, Reason.SIGNER)


def test_a_plan_signature_is_none_of_a_bundle(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sides.export().path
    monkeypatch.setattr(keys, "NAMESPACE", "lienthong-plan")
    forged = again(sides, path)
    monkeypatch.undo()
    refused(sides, forged, Reason.SIGNATURE)


def test_another_signature_of_the_same_key(sides: Sides) -> None:
    one, two = sides.export().path, sides.export().path
    theirs = envelope.unpack(two.read_bytes()[:ROOM]).signature
    mine = envelope.unpack(one.read_bytes()[:ROOM])
    swapped = sides.base / "swapped.ltb"
    swapped.write_bytes(envelope.pack(replace(mine, signature=theirs)) + one.read_bytes()[ROOM:])
    refused(sides, swapped, Reason.SIGNATURE)
    bodies = sides.base / "bodies.ltb"
    bodies.write_bytes(one.read_bytes()[:ROOM] + two.read_bytes()[ROOM:])
    refused(sides, bodies, Reason.BODY)


def test_streams(sides: Sides, tmp_path: Path) -> None:
    path = sides.export().path
    known = (sides.root / keys.RECIPIENTS).read_text()
    (sides.root / keys.RECIPIENTS).write_text(known.replace(str(WAY), "dong-phu/net-wan"))
    assert "no stream of this province" in refused(sides, path, Reason.STREAM)
    (sides.root / keys.RECIPIENTS).write_text(f"{WAY} {recipient('other.age')}\n")
    refused(sides, path, Reason.RECIPIENT)
    (sides.root / keys.RECIPIENTS).write_text(known)
    from lienthong.bundle.take import take

    with pytest.raises(BundleRefused, match="it is of tinh-uy/net-wan, not of tinh-uy/wan-net"):
        take(path, sides.into, sides.side(), BACK)
    refused(sides, path, Reason.DIRECTION, side=sides.side(own="net"))
    own_side(Side.WAN, "import", None)


def test_documents_never_leave_the_closed_side(sides: Sides) -> None:
    with pytest.raises(BundleRefused, match="wrong-direction: documents"):
        sides.export(BACK, Content.DOCUMENTS, "wan")
    assert not sides.out_state.exists()
    path = sides.export(BACK, Content.PACKAGES, "wan").path
    forged = again(sides, path, "wan", content=Content.DOCUMENTS)
    with pytest.raises(BundleRefused, match="wrong-direction: documents"):
        sides.take(forged, sides.side(identity="net.age"))
    sides.take(path, sides.side(identity="net.age"))


def test_a_later_format(sides: Sides) -> None:
    data = bytearray(sides.export().path.read_bytes())
    data[len(envelope.MARK) + 3] = 2
    (new := sides.base / "new.ltb").write_bytes(data)
    assert "format 2, this tool reads 1" in refused(sides, new, Reason.FUTURE_FORMAT)


@pytest.mark.parametrize("text", [b"", b"x", b"PK\3\4" * 2000, b"\0" * 5000, b"lienthong-plan" * 500])
def test_what_is_no_bundle(sides: Sides, text: bytes) -> None:
    (path := sides.base / "x.ltb").write_bytes(text)
    refused(sides, path, Reason.NO_BUNDLE)


def test_a_pipe_or_a_folder_is_no_bundle(sides: Sides) -> None:
    os.mkfifo(sides.base / "pipe")
    refused(sides, sides.base / "pipe", Reason.NO_BUNDLE)
    refused(sides, sides.into, Reason.NO_BUNDLE)


def test_a_key_that_may_not_sign_takes_no_number(sides: Sides) -> None:
    with pytest.raises(BundleRefused, match="unknown-signer"):
        sides.export(key="stranger")
    assert Chain(sides.out_state, WAY, Role.EXPORT).read() is None
    assert sides.export().envelope.header.sequence == 1
    assert [path.name for path in (sides.out_state / "outbox").iterdir()] == ["tinh-uy-net-wan-1.ltb"]


def test_a_side_that_lost_its_memory_is_told_where_it_stands(sides: Sides) -> None:
    made = [sides.export() for _ in range(3)]
    place = chain.after(f"2:{made[1].envelope.head}")
    refused(sides, made[2].path, Reason.ORDER)
    sides.take(made[2].path, after=place)
    with pytest.raises(LienThongError, match="this side knows where"):
        sides.take(made[2].path, after=place)
    fourth = sides.export(state=sides.base / "new", after=chain.after(f"3:{made[2].envelope.head}"))
    sides.take(fourth.path)
    for wrong in ("2", "0:" + FIRST, "x:" + FIRST, "2:abc"):
        with pytest.raises(LienThongError, match="no place in a chain"):
            chain.after(wrong)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"lienthong-bundle-state": 2}', "\x00"])
def test_a_damaged_memory_is_not_an_empty_one(sides: Sides, text: str) -> None:
    path = sides.export().path
    sides.take(path)
    Chain(sides.in_state, WAY, Role.IMPORT).path.write_text(text)
    with pytest.raises(LienThongError, match="is damaged"):
        sides.take(path)


def test_one_at_a_time(sides: Sides) -> None:
    path = sides.export().path
    with chain.held(sides.in_state, WAY, Role.IMPORT), pytest.raises(Unreachable, match="another run"):
        sides.take(path)
    sides.take(path)


def test_private_halves_are_private(sides: Sides, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.write_bytes((made_keys() / "net").read_bytes())
    loose.chmod(0o644)
    with pytest.raises(LienThongError, match="can be read by others"):
        keys.private(loose, sides.root, "the key")
    inside = sides.root / "key"
    inside.touch(0o600)
    (tmp_path / "link").symlink_to(inside)
    for path in (inside, tmp_path / "link"):
        with pytest.raises(LienThongError, match="inside the checkout"):
            keys.private(path, sides.root, "the key")
    beside = tmp_path / "beside"
    beside.touch(0o600)
    keys.private(sides.root / os.path.relpath(beside, sides.root), sides.root, "the key")


def test_a_place_that_is_taken(sides: Sides) -> None:
    path = sides.export().path
    (sides.into / "tinh-uy-net-wan-1").mkdir()
    with pytest.raises(LienThongError, match="is there already"):
        sides.take(path)
    (sides.into / "tinh-uy-net-wan-1").rmdir()
    sides.take(path)


def test_bundles_that_are_no_longer_valid_leave_the_outbox(sides: Sides) -> None:
    for day in (0, 1, 9):
        sides.export(now=NOW + timedelta(days=day))
    names = sorted(path.name for path in (sides.out_state / "outbox").iterdir())
    assert names == ["tinh-uy-net-wan-2.ltb", "tinh-uy-net-wan-3.ltb"]


def test_heads_go_to_the_local_syslog(sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "log"
    monkeypatch.setattr(logged.log, "__defaults__", (place,))
    made = sides.export()
    assert not made.logged  # nobody listens
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(place))
        assert sides.export().logged
        done = sides.take(made.path)
        lines = [heard.recv(4096).decode() for _ in range(3)]
    assert done.logged and all(line.startswith("<85>") and " lienthong-bundle[" in line for line in lines)
    said = [line.partition("]: ")[2] for line in lines]
    ends = f"sha256={made.envelope.header.sha256} head={made.envelope.head}"
    # the first one again, which was not heard, then the second; the other side says the same of the first
    assert said[0] == f"export tinh-uy/net-wan 1 {ends}"
    assert said[1].startswith("export tinh-uy/net-wan 2 ")
    assert said[2] == f"import tinh-uy/net-wan 1 {ends}"


@pytest.mark.parametrize(
    "text", ["tinh-uy", "tinh-uy/net", "/net-wan", "A/net-wan", "../x/net-wan", "x/net-wan\n"]
)
def test_what_is_no_stream(text: str) -> None:
    with pytest.raises(LienThongError, match="is no stream"):
        stream(text)


@pytest.mark.parametrize("text", ["tinh-uy/net-wan", "tinh-uy/net-wan age1x", "x y z"])
def test_recipients_that_are_wrong(sides: Sides, text: str) -> None:
    (sides.root / keys.RECIPIENTS).write_text(text)
    with pytest.raises(LienThongError, match=r"bundle\.recipients:1"):
        keys.recipients(sides.root)
    (sides.root / keys.RECIPIENTS).write_text(f"{WAY} {recipient('wan.age')}\n" * 2)
    with pytest.raises(LienThongError, match="stands there twice"):
        keys.recipients(sides.root)


def test_the_state_is_what_heads_shows(sides: Sides) -> None:
    made = sides.export()
    (found,) = chain.chains(sides.out_state)
    assert (found.stream, found.role) == (WAY, Role.EXPORT)
    data = json.loads(found.path.read_text())
    assert (data["sequence"], data["head"], data["waiting"]) == (1, made.envelope.head, "")

"""Carry files from one side of a site to the other: signed, encrypted, each once and in order."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lienthong.bundle.words import Content
from lienthong.cli._options import Json, Root, say
from lienthong.errors import Exit, LienThongError
from lienthong.root import find_root

if TYPE_CHECKING:
    from lienthong.bundle.envelope import Envelope
    from lienthong.bundle.judge import Introduced
    from lienthong.bundle.manifest import Entry
    from lienthong.bundle.take import Side
    from lienthong.bundle.words import BundleRefused

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
_STATE = "/var/lib/lienthong/bundle"
State = Annotated[
    Path,
    typer.Option("--state", envvar="LIENTHONG_BUNDLE_STATE", help="where this side remembers its chains"),
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", envvar="LIENTHONG_BUNDLE_IDENTITY", help="file of this side's age identity"),
]
After = Annotated[
    str | None,
    typer.Option("--after", metavar="NUMBER:HEAD", help="where the chain stands, for a side that lost it"),
]
Bundle = Annotated[Path, typer.Argument(help="a bundle, e.g. /media/stick/tinh-uy-net-wan-7.ltb")]
OnlyStream = Annotated[str | None, typer.Option("--stream", help="take this stream only")]


@app.callback()
def _group() -> None:
    """Carry files from one side of a site to the other: signed, encrypted, each once and in order."""


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(help="what is to cross: a folder of plain files")],
    stream: Annotated[str, typer.Option("--stream", help="SITE/net-wan or SITE/wan-net")],
    content: Annotated[Content, typer.Option("--content", help="what the files are")],
    key: Annotated[
        Path, typer.Option("--key", envvar="LIENTHONG_BUNDLE_KEY", help="file of the signing key")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="the stick; else it stays in the outbox")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="how long it may be imported")] = 7,
    after: After = None,
    state: State = Path(_STATE),
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make the next bundle of a stream from a folder. Documents go from net to wan only."""
    from lienthong.bundle import chain, seal, words

    checkout, way = find_root(root), words.stream(stream)
    say(f"bundle export · {way} · {content} · chain in {state}")
    words.own_side(way.start, "export", os.environ.get("LIENTHONG_SIDE"))
    if not (checkout / "inventory" / "sites" / f"{way.site}.yaml").is_file():
        raise LienThongError(f"no site {way.site!r} in the inventory", hint="lienthong validate lists them")
    if out is not None and not out.is_dir():
        raise LienThongError(f"{out} is no folder", hint="mount the stick first")
    made = seal.export(
        folder,
        way,
        content,
        root=checkout,
        key=key,
        state=state,
        now=datetime.now(UTC),
        valid=timedelta(days=days),
        say=say,
        after=chain.after(after) if after else None,
    )
    there = seal.carry(made.path, out) if out is not None else made.path
    data = {
        "file": str(there),
        "kept": str(made.path),
        **_header(made.envelope),
        "files": made.files,
        "bytes": made.bytes,
        "logged": made.logged,
    }
    text = (
        f"{there}: number {made.envelope.header.sequence} of {way}, {made.files} files, {made.bytes} bytes\n"
        f"  {made.envelope.header.sequence}:{made.envelope.head}\n"
        f"  kept in {made.path} until it is no longer valid; {_logged(made.logged)}"
    )
    _print(as_json, data, text)


@app.command()
def verify(
    file: Bundle,
    stream: OnlyStream = None,
    identity: Identity = None,
    state: State = Path(_STATE),
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Say what a bundle is and whether import would take it; change nothing. Exit code 2: it would not."""
    from lienthong.bundle import judge, take, words

    say(f"bundle verify · {file} · chain in {state}")
    side = _side(root, state, identity)
    seen: Introduced | None = None
    try:
        with judge.opened(file) as opened:
            seen = judge.introduce(opened, side.root)
            if not as_json:
                typer.echo(_shown(seen))
            found = take.verify(opened, seen, side, words.stream(stream) if stream else None)
    except words.BundleRefused as error:
        _refuse(error, as_json, seen)
    assert seen is not None
    looked = "its content was not opened" if found.entries is None else _count(found.entries)
    if found.entries is None and not as_json:
        say("without --identity only the seal is checked")
    data = {
        **_header(seen.envelope),
        "signer": seen.signer,
        "taken": True,
        "entries": _entries(found.entries),
    }
    _print(as_json, data, f"  would be taken; {looked}")


@app.command("import")
def import_(
    file: Bundle,
    into: Annotated[Path, typer.Option("--into", help="the bundle becomes a new folder in this one")],
    stream: OnlyStream = None,
    identity: Identity = None,
    after: After = None,
    state: State = Path(_STATE),
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Take a bundle, whole and once, as a new folder; or refuse it with a reason. Exit code 2: refused."""
    from lienthong.bundle import chain, take, words

    say(f"bundle import · {file} · chain in {state}")
    side = _side(root, state, identity)
    try:
        done = take.take(
            file,
            into,
            side,
            words.stream(stream) if stream else None,
            chain.after(after) if after else None,
        )
    except words.BundleRefused as error:
        _refuse(error, as_json, None)
    header = done.seen.header
    data = {
        **_header(done.seen.envelope),
        "signer": done.seen.signer,
        "taken": True,
        "folder": str(done.path),
        "entries": _entries(done.entries),
        "logged": done.logged,
    }
    text = (
        f"{_shown(done.seen)}\n  taken: {done.path}, {_count(done.entries)}\n"
        f"  {header.sequence}:{done.seen.envelope.head}\n  {_logged(done.logged)}"
    )
    _print(as_json, data, text)


@app.command()
def heads(state: State = Path(_STATE), as_json: Json = False) -> None:
    """Show where every chain of this side stands, to be compared with Central's collector."""
    from lienthong.bundle.chain import chains

    say(f"bundle heads · chain in {state}")
    rows, lines = [], []
    for chain in chains(state):
        link = chain.read()
        if link is None:
            continue
        rows.append(
            {
                "role": str(chain.role),
                "stream": str(chain.stream),
                "sequence": link.sequence,
                "head": link.head,
                "sha256": link.sha256,
                "made": link.made,
                "place": link.place,
                "in_place": not link.waiting,
                "logged": link.logged,
            }
        )
        more = "" if link.logged else "  not logged yet"
        more += "  its folder or file is not in place yet: the next run mends it" if link.waiting else ""
        lines.append(f"{chain.role}  {chain.stream}  {link.sequence}:{link.head}  made {link.made}{more}")
    _print(as_json, rows, "\n".join(lines) or "no chain yet")


def _side(root: Path | None, state: Path, identity: Path | None) -> Side:
    from lienthong.bundle.take import Side

    own = os.environ.get("LIENTHONG_SIDE")
    return Side(find_root(root), state, identity, own, datetime.now(UTC), say)


def _refuse(error: BundleRefused, as_json: bool, seen: Introduced | None) -> NoReturn:
    from lienthong.report.hostile import json_text

    if not as_json:
        raise error
    known = {**_header(seen.envelope), "signer": seen.signer} if seen else {}
    typer.echo(
        json_text(
            {**known, "taken": False, "reason": str(error.reason), "what": error.what, "hint": error.hint}
        )
    )
    raise typer.Exit(Exit.BAD_INPUT)


def _header(envelope: Envelope) -> dict[str, object]:
    from lienthong.bundle.header import when

    header = envelope.header
    return {
        "stream": str(header.stream),
        "content": str(header.content),
        "sequence": header.sequence,
        "made": when(header.made),
        "valid_until": when(header.valid_until),
        "previous": header.previous,
        "head": envelope.head,
        "sha256": header.sha256,
        "size": header.size,
        "recipient": header.recipient,
    }


def _entries(entries: tuple[Entry, ...] | None) -> list[dict[str, object]] | None:
    if entries is None:
        return None
    return [{"path": e.path, "bytes": e.size, "sha256": e.sha256, "mtime": e.mtime} for e in entries]


def _shown(seen: Introduced) -> str:
    from lienthong.bundle.header import when

    header = seen.header
    return (
        f"number {header.sequence} of {header.stream}: {header.content}, {header.size} bytes\n"
        f"  made {when(header.made)}, valid until {when(header.valid_until)}, signed by {seen.signer}"
    )


def _count(entries: tuple[Entry, ...]) -> str:
    return f"{len(entries)} files of {sum(one.size for one in entries)} bytes, every hash right"


def _logged(logged: bool) -> str:
    if logged:
        return "its head is in the local syslog"
    return "its head is NOT logged: nobody listens at /dev/log; the next run tries again"


def _print(as_json: bool, data: object, text: str) -> None:
    from lienthong.report.hostile import json_text, visible

    typer.echo(json_text(data) if as_json else visible(text, lines=True))

"""Bring documents back from a vault, try whether they would come back, undo a deletion in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say
from lienthong.errors import Exit, LienThongError
from lienthong.root import find_root
from lienthong.workspace import Workspace

if TYPE_CHECKING:
    from lienthong.restore.pick import Kept


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[HOST|SITE|VAULT]", help="whose documents; or a site or vault")
    ] = None,
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="a document or folder below /srv/documents")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="all documents of the host")] = False,
    database: Annotated[
        str, typer.Option("--database", metavar="NAME", help="a database, to a scratch one on its host")
    ] = "",
    archive: Annotated[str, typer.Option("--archive", help="not the newest but this one")] = "",
    to: Annotated[Path | None, typer.Option("--to", help="a new folder on this computer")] = None,
    over_original: Annotated[
        bool, typer.Option("--over-original", help="put it back on the host; what is there is kept beside")
    ] = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="restore the newest of all to scratch, compare every hash")
    ] = False,
    undelete: Annotated[
        bool, typer.Option("--undelete", help="a vault back to its last look without a finding")
    ] = False,
    accept: Annotated[
        str,
        typer.Option("--accept", metavar="REASON", help="what a vault's look misses is meant or past help"),
    ] = "",
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Bring documents back from a vault, try whether they would come back, undo a deletion in it.

    With a host and a path (or --all) documents are restored to a scratch folder of its vault, each compared
    with the hash of its fetch. With neither, the archives are listed.
    """
    from lienthong.model.words import Target
    from lienthong.openssh import ways
    from lienthong.report.hostile import json_text
    from lienthong.restore import back, base, pick, told
    from lienthong.restore.far import Far

    if sum((drill, undelete, bool(accept), bool(database), path is not None or everything)) > 1:
        raise LienThongError(
            "one thing at a time", hint="a path, --all, --database, --drill, --undelete or --accept"
        )
    if to is not None and over_original:
        raise LienThongError("--to and --over-original are two places", hint="name one")
    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access = ws.access
    say(f"restore · target {access.target.value}")
    whole = path is not None or everything
    if whole or database:
        if name is None:
            raise LienThongError("whose documents?", hint="lienthong restore HOST PATH")
        one, source = pick.of_source(ws, name)
        kept, nodes = [one], [one.vault, source]
    else:
        kept = pick.named(ws, [name] if name else [])
        nodes = [found.vault for found in kept]
        if (undelete or accept) and (len(kept) != 1 or name is None):
            raise LienThongError("name one vault", hint=", ".join(found.vault.name for found in kept))
    if access.target is Target.LAB and not access.simulated:
        from lienthong.lab.namespace import enter

        enter(ws.root)
    data: object
    good = True
    with ways(access, {node.name: access.address(node) for node in nodes}) as there:
        far = Far(there, say)
        if whole:
            done = back.restore(far, kept[0], source, path or "", archive, to=to, over_original=over_original)
            data, text, good = done.data(), told.restored(done), done.good
        elif database:
            came = base.restore(far, kept[0], source, database, archive)
            data, text, good = came.data(), came.text(), came.good
        elif drill:
            results = [(found.vault.name, far.ask(found.vault, "drill")) for found in _with_sources(kept)]
            data = [{"vault": vault, **answer} for vault, answer in results]
            text, good = told.drills(results), all(answer["ok"] for _, answer in results)
        elif undelete or accept:
            words = ["undelete"] if undelete else ["accept", accept]
            answer = far.ask(kept[0].vault, *words)
            data = {"vault": kept[0].vault.name, **answer}
            text = f"{kept[0].vault.name}: {answer['archives']} archives, ledger at {answer['seq']}"
            if undelete:
                text += (
                    f"; as of {answer['back_to']}. What came after lies in {answer['aside']}; run a job now"
                )
        else:
            lists = [(found.vault.name, far.ask(found.vault, "list")) for found in kept]
            data = [{"vault": vault, **answer} for vault, answer in lists]
            text = "\n".join(told.archives(vault, answer) for vault, answer in lists)
            # A vault that has nothing to pull was never looked at.
            good = all(a["look"].get("ok") for one, (_, a) in zip(kept, lists, strict=True) if one.sources)
    typer.echo(json_text(data) if as_json else text)
    raise typer.Exit(Exit.OK if good else Exit.FINDINGS)


def _with_sources(kept: list[Kept]) -> list[Kept]:
    """Vaults that have something to drill.

    Raises:
        LienThongError: none has.
    """
    found = [one for one in kept if one.sources]
    if not found:
        raise LienThongError("no vault of these pulls from anything that this target has")
    for one in kept:
        if not one.sources:
            say(f"{one.vault.name}: pulls from nothing that this target has")
    return found

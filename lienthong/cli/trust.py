"""Ask devices for their host keys, compare them with an officer, and put them on record."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, SideOption, TargetOption, say
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    names: Annotated[list[str], typer.Argument(metavar="SITE|NODE…", help="sites and nodes")],
    accepted: Annotated[
        list[str] | None,
        typer.Option(
            "--yes-fingerprint", metavar="SHA256:…", help="believe this key, compared before; may be repeated"
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="a changed key may be replaced; the new one is still compared")
    ] = False,
    side: SideOption = None,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Ask devices for their host keys, compare them with an officer, and put them on record.

    Nothing is believed because the network says it: each fingerprint is compared with what the device's own
    console shows. Without a terminal nothing is recorded, unless --yes-fingerprint names the key.
    """
    from lienthong.cli._picked import picked
    from lienthong.errors import Exit, LienThongError
    from lienthong.model.words import Target
    from lienthong.report.hostile import json_text
    from lienthong.trust.ask import keep, look
    from lienthong.trust.judge import Answers, State, decide
    from lienthong.trust.told import as_data, closing, shown

    wrong = [one for one in accepted or [] if not one.startswith("SHA256:") or len(one.rstrip("=")) != 50]
    if wrong:
        raise LienThongError(
            f"{wrong[0]!r} is no fingerprint", hint="SHA256: and 43 characters, as ssh-keygen -lf prints it"
        )
    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access = ws.access
    say(f"trust · target {access.target.value} · {access.known_hosts}")
    nodes = picked(ws, names, side)
    for node in nodes:
        access.address(node)
    if access.target is Target.LAB and not access.simulated:
        from lienthong.lab.namespace import enter

        enter(ws.root)
    ask = _ask if sys.stdin.isatty() and not as_json else None
    answers = Answers(ask, frozenset(one.rstrip("=") for one in accepted or []), replace)
    found, verdicts = look(access, nodes), []
    for seen in found:
        if not as_json:
            typer.echo(shown(seen))
        verdict = decide(seen, answers)
        if verdict.key is not None:
            keep(access.known_hosts, seen.host, verdict.key)
        if not as_json and seen.state not in {State.SAME, State.AWAY}:
            typer.echo(f"    {verdict.said}")
        verdicts.append(verdict)
    if as_json:
        data = [as_data(*pair) for pair in zip(found, verdicts, strict=True)]
        typer.echo(json_text(data))
    else:
        typer.echo(closing(found, verdicts))
    if any(one.state is State.AWAY for one in found):
        raise typer.Exit(Exit.UNREACHABLE)
    settled = all(s.state is State.SAME or v.key is not None for s, v in zip(found, verdicts, strict=True))
    raise typer.Exit(Exit.OK if settled else Exit.FINDINGS)


def _ask(question: str) -> str:
    """What the officer types; the end of input is no answer, and no answer is no."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()

"""Print what a factory-new system is given at its console, or make the stick that installs a Debian host."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._options import Root, TargetOption, say
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    name: Annotated[str, typer.Argument(metavar="NODE", help="a device, an endpoint or a host")],
    reveal: Annotated[
        bool, typer.Option("--reveal", help="with the values of secrets: on a terminal, or into --out")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="write it into this new file, which only you may read")
    ] = None,
    image: Annotated[
        Path | None, typer.Option("--image", help="a Debian host: write the image of a USB stick")
    ] = None,
    target: TargetOption = None,
    root: Root = None,
) -> None:
    """Print what a factory-new system is given at its console, or make the stick that installs a Debian host.

    Secrets stand in it by name; with --reveal by value, but never into a pipe.
    """
    from lienthong.bootstrap import keep, paste, preseed
    from lienthong.bootstrap.first import first
    from lienthong.errors import LienThongError
    from lienthong.runners.look import kind_of
    from lienthong.transport.veil import Veil

    if reveal and out is None and not sys.stdout.isatty():
        raise LienThongError("secrets do not go into a pipe", hint="--out FILE writes them for you alone")
    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access, node = ws.access, ws.node(name)
    say(f"bootstrap · target {access.target.value} · {node.name} at {node.address}")
    key, templates = keep.public_key(access.key_file), ws.root / "templates"
    kind = kind_of(node)
    if kind is None:
        told = preseed.files(ws.plan, node, access.user, key, templates)
        if image is not None:
            keep.write(image, preseed.stick(told))
            say(f"written: {image}; put it on a stick: dd if={image} of=/dev/sdX")
            for line in told["readme.txt"].splitlines():
                say(line)
            return
        text = told["preseed.cfg"]
        after = "--image FILE.img makes the stick with it and all that belongs to it"
    else:
        if image is not None:
            raise LienThongError(
                f"{node.name} is no Debian host", hint="its lines are pasted; leave out --image"
            )
        lines = paste.lines(first(ws.plan, node, access.network_user, key), kind.name, templates)
        if reveal:
            veil = Veil(ws.secrets, [(line,) for line in lines])
            lines = tuple(map(veil.reveal, lines))
        text = "\n".join(lines) + "\n"
        after = f"then read its host key at the console, and: lienthong trust {node.name}"
    if out is not None:
        keep.write(out, text.encode())
        say(f"written: {out}, for you alone")
    else:
        typer.echo(text, nl=False)
    if not reveal and "<secret " in text:
        say("what stands as <secret …> has to be typed: lienthong secret list, or --reveal")
    say(after)

"""Options that several verbs share, and progress."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from lienthong.model.words import Side, Target

Sites = Annotated[list[str] | None, typer.Argument(help="slugs of sites, e.g. loc-ninh", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="every site that the target has")]
TargetOption = Annotated[
    Target | None, typer.Option("--target", help="lab or live; the lab is the default while it is up")
]
SideOption = Annotated[Side | None, typer.Option("--side", help="only this side")]
Json = Annotated[bool, typer.Option("--json", help="print data for programs")]
Root = Annotated[Path | None, typer.Option("--root", help="the checkout; else upward from here")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be written; write nothing")]

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Progress, on stderr, with the seconds since the command began."""
    line = "".join(char if char.isprintable() else "·" for char in text)
    print(f"[{time.monotonic() - _BEGAN:5.1f} s] {line}", file=sys.stderr, flush=True)

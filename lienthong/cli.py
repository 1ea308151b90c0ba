"""The command line: a typed function is a command, its docstring the help.

Data goes to stdout, progress and the target's name to stderr. Exit codes: 0 reached or clean,
1 findings or differences, 2 bad input or refused, 3 unreachable, locked or partial, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lienthong import __version__
from lienthong.errors import Exit, InventoryError, LienThongError
from lienthong.lab.commands import app as lab
from lienthong.model.intent import Node
from lienthong.model.words import Side, Target
from lienthong.workspace import Workspace, find_root

app = typer.Typer(
    name="lienthong",
    help="One typed inventory that provisions, audits and proves the networks of a province.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(lab, name="lab")

Sites = Annotated[list[str] | None, typer.Argument(help="slugs of sites, e.g. loc-ninh", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="every site that the target has")]
TargetOption = Annotated[
    Target | None, typer.Option("--target", help="lab or live; the lab is the default while it is up")
]
SideOption = Annotated[Side | None, typer.Option("--side", help="only this side")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", help="override a refusal of the guard by name, e.g. large-removal@loc-ninh-gw-wan"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print data for programs")]
Root = Annotated[Path | None, typer.Option("--root", help="the checkout; else upward from here")]


@app.command()
def validate(root: Root = None, as_json: Json = False) -> None:
    """Read the whole inventory and say everything that is wrong with it, each with its place."""
    ws = Workspace(find_root(root))
    try:
        plan = ws.plan
    except InventoryError as error:
        if as_json:
            problems = [{"where": p.where, "what": p.what, "hint": p.hint} for p in error.problems]
            typer.echo(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
            raise typer.Exit(Exit.BAD_INPUT) from None
        raise
    kinds: dict[str, int] = {}
    for site in plan.sites.values():
        kinds[site.site.kind] = kinds.get(site.site.kind, 0) + 1
    if as_json:
        typer.echo(json.dumps({"sites": len(plan.sites), "nodes": len(plan.nodes), "problems": []}))
        return
    typer.echo(f"{len(plan.sites)} sites and {len(plan.nodes)} systems are in order")
    typer.echo("  " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))


@app.command()
def plan(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show what would change on every device and host; change nothing."""
    from lienthong import provision

    ws, slugs, nodes = _start("plan", root, target, sites, all_sites, side)
    report = provision.plan(ws, nodes, _say)
    _show(report, ws, slugs, as_json)


@app.command()
def apply(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    allow: Allow = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make sites as the inventory says, in dependency order; a second time changes nothing."""
    from lienthong import provision

    ws, slugs, nodes = _start("apply", root, target, sites, all_sites, side)
    report = provision.apply(ws, slugs, nodes, _say, allow=frozenset(allow or ()))
    _show(report, ws, slugs, as_json)


@app.command()
def audit(
    sites: Sites = None,
    all_sites: All = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="also checks that disturb, such as cutting a line")
    ] = False,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Look whether sites are as they must be; write report.html, junit.xml and findings.json."""
    from lienthong import report
    from lienthong.audit import load_catalogue
    from lienthong.audit import run as run_audit
    from lienthong.model.finding import Finding, Status

    ws, slugs, _ = _start("audit", root, target, sites, all_sites, None)
    if drill and ws.access.target is Target.LIVE:
        raise LienThongError(
            "a drill disturbs a site, and live sites have no declared window yet", hint="drill in the lab"
        )
    seen: dict[Status, int] = {}

    def tell(finding: Finding) -> None:
        """Failures at once; of the rest only how many, now and then."""
        seen[finding.status] = seen.get(finding.status, 0) + 1
        count = sum(seen.values())
        if finding.status in {Status.FAIL, Status.ERROR}:
            _say(f"{finding.status}: {finding.control} {finding.node or finding.site}")
        elif count % 50 == 0:
            _say(f"{count} findings so far")

    _say(f"looking at {', '.join(slugs)}")
    run = run_audit(ws, slugs, drill=drill, progress=tell)
    controls = load_catalogue(ws.root)
    report.write(run, ws.plan, controls, ws.access.out)
    if as_json:
        typer.echo(run.model_dump_json(indent=1))
    else:
        typer.echo(report.summary(run, controls))
        for slug in slugs:
            typer.echo(f"report: {(ws.access.out / slug / 'report.html').relative_to(ws.root)}")
    bad = {finding.status for finding in run.findings} & {Status.FAIL, Status.ERROR}
    raise typer.Exit(Exit.FINDINGS if bad else Exit.OK)


def _start(
    verb: str,
    root: Path | None,
    target: Target | None,
    sites: Sequence[str] | None,
    every: bool,
    side: Side | None,
) -> tuple[Workspace, list[str], list[Node]]:
    """Name the target on the first line, enter the lab when it is the lab, and pick the nodes."""
    found = find_root(root)
    ws = Workspace(found, target.value if target else None)
    access = ws.access
    _say(
        f"{verb} · target {access.target.value}"
        + (f" · {_where(access.root)}" if access.target is Target.LAB else "")
    )
    plan = ws.plan
    if every == bool(sites):
        raise LienThongError("name sites, or say --all", hint=f"sites: {', '.join(plan.sites)}")
    slugs = (
        list(dict.fromkeys(sites))
        if sites
        else [
            slug for slug, site in plan.sites.items() if any(access.reaches(n) for n in site.nodes.values())
        ]
    )
    nodes = [
        node for slug in slugs for node in ws.site(slug).nodes.values() if side is None or node.side is side
    ]
    for node in nodes:
        access.address(node)  # raises when the lab does not run it
    if access.target is Target.LIVE and side is None and verb == "apply":
        raise LienThongError(
            "live, each side has a controller of its own", hint="say which you are: --side wan or --side net"
        )
    if access.target is Target.LAB:
        from lienthong.lab.namespace import enter

        enter(found)
    return ws, slugs, nodes


def _where(root: Path) -> str:
    from lienthong.target import lab_dir

    return str(lab_dir(root).relative_to(root))


def _show(report: Any, ws: Workspace, slugs: list[str], as_json: bool) -> None:
    from lienthong import table

    if as_json:
        typer.echo(table.as_json(report, ws.access.target, slugs))
    else:
        typer.echo(table.as_text(report))
    raise typer.Exit(report.exit_code)


_BEGAN = time.monotonic()


def _say(text: str) -> None:
    """Progress, on stderr, with the seconds since the command began."""
    line = "".join(char if char.isprintable() else "·" for char in text)
    print(f"[{time.monotonic() - _BEGAN:5.1f} s] {line}", file=sys.stderr, flush=True)


def version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    show: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """One typed inventory that provisions, audits and proves the networks of a province."""


def main(run: Callable[[], Any] = app) -> None:
    """Entry point: no traceback reaches a user."""
    try:
        run()
    except LienThongError as error:
        print(error, file=sys.stderr)
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(int(Exit.INTERRUPTED))
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        print(f"this should not have happened: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"hint: the details are in {_keep_traceback()}", file=sys.stderr)
        sys.exit(int(Exit.UNREACHABLE))


def _keep_traceback() -> Path:
    """Write the traceback of the current error to a file that only its owner reads."""
    handle, name = tempfile.mkstemp(prefix="lienthong-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exc(file=file)
    return Path(name)


if __name__ == "__main__":
    main()

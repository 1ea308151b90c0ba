"""Set, rotate and list the secrets of the real network: by name, never by value."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli._options import Json, Root, SideOption, say
from lienthong.errors import Exit, LienThongError
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Side

if TYPE_CHECKING:
    from lienthong.secrets.change import Changed, Vault
    from lienthong.secrets.survey import Row
    from lienthong.workspace import Workspace

MAX_CHARS = 65536
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
Name = Annotated[str, typer.Argument(help="e.g. ospf/loc-ninh; lienthong secret list has them all")]
Rest = Annotated[list[str] | None, typer.Argument(hidden=True)]


@app.callback()
def _group() -> None:
    """Set, rotate and list the secrets of the real network: by name, never by value."""


@app.command("set")
def set_(
    name: Name,
    rest: Rest = None,
    generate: Annotated[bool, typer.Option("--generate", help="make a value of the right kind")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="even if it is set already")] = False,
    root: Root = None,
) -> None:
    """Set a secret: from a prompt (asked twice), from standard input, or made with --generate."""
    if rest:
        raise LienThongError(
            "a value is never an argument: every user of this machine could read it, and your shell keeps it",
            hint=f"lienthong secret set {name} asks for it, or reads standard input; take this one as known",
        )
    ws, vault = _start("set", root)
    ref = _ref(name, vault)
    _own_side(ws, vault.need(ref).identity.side)
    value = None if generate else _read(ref)
    if ref.startswith("pki/"):
        _certificate_fits(ws, ref, value, replace)
    changed = vault.set(ref, value, _today(), replace=replace)
    _certify(ws, vault, ref)
    typer.echo(f"{ref} is set in {_place(ws, changed.path)}")
    _next(changed)


@app.command()
def rotate(
    name: Annotated[str | None, typer.Argument(help="the secret to make anew, e.g. ospf/loc-ninh")] = None,
    identity: Annotated[
        str | None, typer.Option("--identity", help="give a whole file a new password, e.g. loc-ninh-net")
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", help="where its new password comes from: [ID@]FILE, an executable, or prompt"),
    ] = None,
    root: Root = None,
) -> None:
    """Make a secret anew, or give the file of an identity a new password."""
    if (name is None) == (identity is None) or (identity is None) != (new is None):
        raise LienThongError(
            "name one secret, or an identity with --new",
            hint="lienthong secret rotate ospf/loc-ninh; or rotate --identity loc-ninh-net --new prompt",
        )
    ws, vault = _start("rotate", root)
    if identity is not None and new is not None:
        _own_side(ws, vault.identity(identity).side)
        changed = vault.rekey(identity, new)
        typer.echo(f"{_place(ws, changed.path)} has its new password; its values are what they were")
        typer.echo(
            "  older commits still open with the old password: if somebody has it who should not, "
            "rotate each of its secrets as well"
        )
        return
    ref = _ref(str(name), vault)
    _own_side(ws, vault.need(ref).identity.side)
    changed = vault.rotate(ref, _today())
    _certify(ws, vault, ref)
    typer.echo(f"{ref} is new in {_place(ws, changed.path)}")
    _next(changed)


@app.command("list")
def list_(side: SideOption = None, root: Root = None, as_json: Json = False) -> None:
    """List the secrets that the plan needs and the vault holds: exit 1 if one is missing, 3 if unseen."""
    from lienthong.secrets import survey
    from lienthong.secrets.exposed import exposed

    ws, vault = _start("list", root)
    own = Side(ws.access.side) if ws.access.side else None
    if side is not None:
        _own_side(ws, side)
    rows = survey.survey(vault.folder, vault.root, vault.plan, side or own, datetime.now(UTC).date())
    plain = exposed(ws.root / "inventory")
    if as_json:
        fields = ("name", "identity", "file", "state", "why", "since", "age_days", "nodes")
        secrets = [{field: getattr(row, field) for field in fields} for row in rows]
        clear = [{"where": problem.where, "what": problem.what} for problem in plain]
        typer.echo(json.dumps({"secrets": secrets, "in_the_clear": clear}, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            age = f"{row.age_days} days" if row.age_days is not None else "-"
            why = f"  {row.why}" if row.why else ""
            typer.echo(f"{row.name:<32} {row.state:<13} {age:<10} {row.file}{why}")
        for problem in plain:
            typer.echo(f"{problem.where}: {problem.what}")
        typer.echo(_sum(rows))
    states = {row.state for row in rows}
    if plain or states & {survey.MISSING, survey.WRONG}:
        raise typer.Exit(Exit.FINDINGS)
    if states & {survey.LOCKED, survey.SHUT}:
        raise typer.Exit(Exit.UNREACHABLE)


def _start(verb: str, root: Path | None) -> tuple[Workspace, Vault]:
    from lienthong.root import find_root
    from lienthong.secrets.change import Vault
    from lienthong.workspace import Workspace

    ws = Workspace(find_root(root), "live")
    say(f"secret {verb} · target live · {_place(ws, ws.access.secrets_file)}")
    return ws, Vault(ws.access.secrets_file, ws.root, ws.plan)


def _ref(name: str, vault: Vault) -> SecretRef:
    from difflib import get_close_matches

    from lienthong.secrets.names import needs

    try:
        ref = SecretRef(name)
        vault.need(ref)
    except ValueError as error:
        raise LienThongError(str(error)) from None
    except LienThongError as error:
        near = get_close_matches(name, [need.ref for need in needs(vault.plan)], 1)
        raise LienThongError(error.what, hint=f"did you mean {near[0]}?" if near else error.hint) from None
    return ref


def _read(ref: SecretRef) -> Secret:
    """The value: asked twice without echo, or all of standard input less its last line break."""
    if sys.stdin.isatty():
        import getpass

        first = Secret(getpass.getpass(f"value of {ref}: "))
        if not first.matches(getpass.getpass("once more: ")):
            raise LienThongError("the two are not the same; nothing was set")
        return first
    text = sys.stdin.read(MAX_CHARS + 1)
    if len(text) > MAX_CHARS:
        raise LienThongError(f"more than {MAX_CHARS} characters are no secret")
    return Secret(text.removesuffix("\n").removesuffix("\r"))


def _certificate_fits(ws: Workspace, ref: SecretRef, value: Secret | None, replace: bool) -> None:
    """Refuse a key that the authority's certificate, which nodes believe, is not of."""
    from lienthong.hosts.certificates import authority_file
    from lienthong.secrets.authority import belongs, is_key

    path = authority_file(ws.access, Side(ref.partition("/")[2]))
    if path.exists() and not replace:
        fits = value is not None and is_key(value.reveal()) and belongs(path.read_bytes(), value)
        if not fits:
            raise LienThongError(
                f"{path}: this certificate is not of that key", hint="--replace makes a new authority"
            )


def _certify(ws: Workspace, vault: Vault, ref: SecretRef) -> None:
    """After a change of an authority's key: the certificate that goes with it."""
    if not ref.startswith("pki/"):
        return
    from lienthong.hosts.certificates import authority_file
    from lienthong.secrets.authority import belongs, certificate
    from lienthong.secrets.vaultfile import replace

    side = Side(ref.partition("/")[2])
    path, key = authority_file(ws.access, side), ws.secrets.get(ref)
    if not path.exists() or not belongs(path.read_bytes(), key):
        path.parent.mkdir(parents=True, exist_ok=True)
        made = certificate(key, side, vault.plan.name, datetime.now(UTC))
        replace(path, made.encode(), 0o644)
        typer.echo(f"{_place(ws, path)}: the authority's new certificate")


def _own_side(ws: Workspace, side: Side) -> None:
    if ws.access.side is not None and ws.access.side != side:
        raise LienThongError(f"that is of side {side}; this controller is of side {ws.access.side}")


def _next(changed: Changed) -> None:
    if changed.nodes:
        typer.echo(f"  the next plan of side {changed.identity.side} changes: {', '.join(changed.nodes)}")
        if len(changed.nodes) > 1:
            typer.echo("  apply their sites in one run: until both ends have it, they do not agree")
    else:
        typer.echo("  nothing of the plan asks for it")


def _sum(rows: list[Row]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


def _place(ws: Workspace, path: Path) -> str:
    return str(path.relative_to(ws.root)) if path.is_relative_to(ws.root) else str(path)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()

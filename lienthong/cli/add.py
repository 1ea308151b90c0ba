"""Add a site: asks on a terminal, takes options in a script, and writes a file that validates."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli._options import DryRun, Root
from lienthong.errors import LienThongError
from lienthong.root import find_root
from lienthong.workspace import Workspace

if TYPE_CHECKING:
    from lienthong.edit.write import Value

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def options() -> None:
    """Add a site: asks on a terminal, takes options in a script, and writes a file that validates."""


class _Answers:
    """An answer is an option; else what a person types, with a proposal; else the proposal."""

    def __init__(self, asks: bool) -> None:
        self.asks = asks
        self.missing: list[str] = []

    def get(
        self, option: str, question: str, given: str | None, proposal: str | None, check: Callable[[str], Any]
    ) -> str:
        if given is not None:
            return _good(given, check, option)
        if not self.asks:
            if proposal is None:
                self.missing.append(option)
            return proposal or ""
        while True:
            typed = str(typer.prompt(question, default=proposal, err=True))
            try:
                return _good(typed, check, option)
            except LienThongError as error:
                typer.echo(error.what, err=True)


def _good(text: str, check: Callable[[str], Any], option: str) -> str:
    import unicodedata

    from pydantic import ValidationError

    text = unicodedata.normalize("NFC", text).strip()
    try:
        check(text)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise LienThongError(f"{option}: {said}") from None
    except ValueError as error:
        raise LienThongError(f"{option}: {error}") from None
    return text


@app.command()
def site(
    slug: Annotated[
        str | None, typer.Argument(help="short name, e.g. loc-ninh; proposed from --name-vi")
    ] = None,
    name_vi: Annotated[str | None, typer.Option(help="full name in Vietnamese")] = None,
    name_en: Annotated[str | None, typer.Option(help="full name in English")] = None,
    kind: Annotated[str | None, typer.Option(help="a file of inventory/layers/kinds, e.g. district")] = None,
    number: Annotated[str | None, typer.Option(help="number of the site; the lowest free one")] = None,
    inet: Annotated[str | None, typer.Option(help="Internet line: address/prefix of the provider")] = None,
    gateway: Annotated[str | None, typer.Option(help="the provider's end of the line")] = None,
    dial: Annotated[str | None, typer.Option(help="dial number of its conference endpoint")] = None,
    parent: Annotated[str | None, typer.Option(help="unit above it")] = None,
    root: Root = None,
    dry_run: DryRun = False,
) -> None:
    """Add a site. On a terminal it asks for what no option says; elsewhere it takes what it would propose."""
    from lienthong.edit import Draft

    ws = Workspace(find_root(root))
    asks = sys.stdin.isatty()
    given = {"vi": name_vi, "en": name_en, "kind": kind, "number": number, "inet": inet}
    given |= {"gateway": gateway, "dial": dial, "slug": slug}
    found, value = _value(ws, _Answers(asks), given)
    if parent is not None:
        value["parent"] = parent
    draft = Draft(ws.root / "inventory")
    draft.create(f"sites/{found}.yaml", value)
    draft.check()
    typer.echo(draft.text(f"sites/{found}.yaml"), nl=False)
    if dry_run or (
        asks and not typer.confirm(f"write inventory/sites/{found}.yaml?", default=True, err=True)
    ):
        typer.echo("nothing was written", err=True)
        return
    plan = draft.commit().sites[found]
    typer.echo(
        f"wrote inventory/sites/{found}.yaml: {len(plan.nodes)} systems, number {plan.site.number}", err=True
    )
    typer.echo(
        f"next: lienthong explain {found} shows what it has of its kind; change what differs there", err=True
    )


def _value(ws: Workspace, answers: _Answers, given: dict[str, str | None]) -> tuple[str, dict[str, Value]]:
    """Slug and content of the new file."""
    from ipaddress import IPv4Address, IPv4Interface

    from lienthong.edit import proposal
    from lienthong.edit.layers import layers

    folder, inventory = ws.root / "inventory", ws.inventory
    taken = set(inventory.units())
    vi = answers.get("--name-vi", "full name in Vietnamese", given["vi"], None, _field("name.vi"))
    wanted = proposal.slug_of(vi)
    slug = answers.get(
        "SLUG",
        "short name, for files and addresses",
        given["slug"],
        proposal.free_slug(wanted, taken) if wanted else None,
        lambda text: _free(_field("slug")(text), taken, "unit"),
    )
    en = answers.get("--name-en", "full name in English", given["en"], None, _field("name.en"))
    kinds = sorted(path.stem for path in (folder / "layers" / "kinds").glob("*.yaml"))
    kind = answers.get(
        "--kind", f"kind ({', '.join(kinds)})", given["kind"], None, lambda text: _one_of(text, kinds)
    )
    numbers = {site.number: site.slug for site in inventory.sites.values()}
    number = answers.get(
        "--number",
        "number; its addresses grow from it",
        given["number"],
        str(proposal.free_number(numbers)),
        lambda text: _free(_field("number")(text), numbers, "number"),
    )
    below = layers(folder, kind) if kind in kinds else {}
    lines: dict[str, dict[str, str]] = {}
    for line in proposal.open_lines(below):
        address = answers.get(
            "--inet", f"Internet line {line}: address/prefix", given["inet"], None, IPv4Interface
        )
        near = proposal.gateway_of(IPv4Interface(address)) if address else None
        far = answers.get(
            "--gateway", f"Internet line {line}: the provider's end", given["gateway"], near, IPv4Address
        )
        lines[line] = {"address": address, "gateway": far}
    dialled = proposal.dial_numbers(inventory)
    dials = {}
    for host in proposal.endpoints(below):
        free = proposal.free_dial(int(number), dialled)
        dials[host] = answers.get("--dial", f"dial number of {host}", given["dial"], free, _digits(dialled))
        dialled.add(dials[host])
    if answers.missing:
        raise LienThongError(
            f"{', '.join(dict.fromkeys(answers.missing))} must be said",
            hint="on a terminal lienthong add site asks for them",
        )
    return slug, proposal.site_value(int(number), kind, (vi, en), lines, dials)


def _field(name: str) -> Callable[[str], Any]:
    """What the model allows for a field of a site."""
    from pydantic import TypeAdapter

    from lienthong.model.base import Bilingual
    from lienthong.model.site import Site

    key, _, below = name.partition(".")
    field = (Bilingual if below else Site).model_fields[below or key]
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    return adapter.validate_strings  # what is typed is text: 5 is a number here


def _free(value: Any, taken: Any, what: str) -> Any:
    if value in taken:
        owner = f", it is {taken[value]}'s" if isinstance(taken, dict) else ""
        raise ValueError(f"{what} {value} is taken{owner}")
    return value


def _one_of(text: str, known: list[str]) -> str:
    if text not in known:
        raise ValueError(f"there is no kind {text!r}; there are {', '.join(known)}")
    return text


def _digits(taken: set[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not (text.isascii() and text.isdecimal() and 3 <= len(text) <= 8):
            raise ValueError("a dial number has 3 to 8 digits")
        return str(_free(text, taken, "dial number"))

    return check

"""What one endpoint fetches: what may be read again, and what is handed out once. Pure but for templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lienthong.errors import LienThongError
from lienthong.model.endpoint import EndpointWanted
from lienthong.model.secret import Secret

#: Read by a phone that finds no file of its own (Poly, UC Software: central provisioning).
POLY_MASTER = "000000000000.cfg"


@dataclass(frozen=True)
class Files:
    """What one endpoint may fetch, by name."""

    open: dict[str, str]
    """Holds no secret; within the window as often as it likes."""
    once: dict[str, str] = field(repr=False)
    """Holds its password."""


def files(wanted: EndpointWanted, password: Secret, templates: Path) -> Files:
    """The files of one endpoint; `templates` is the folder that holds `ztp/<platform>/`.

    Raises:
        LienThongError: its Ethernet address is not known, or its platform fetches no files.
    """
    if wanted.mac is None:
        raise LienThongError(
            f"{wanted.node}: its Ethernet address is not in the inventory",
            hint="read it off the label and write it as mac",
        )
    mac = wanted.mac.replace(":", "")
    if wanted.platform == "yealink":
        return Files({}, {f"{mac}.cfg": _settings(wanted, password, templates)})
    if wanted.platform == "poly":
        own, master = f"{mac}-endpoint.cfg", _environment(templates).get_template("ztp/poly/master.cfg.j2")
        # A phone asks for <mac>.cfg first, then for the file of everybody: both are lists of files.
        return Files(
            {
                f"{mac}.cfg": master.render(settings=own),
                POLY_MASTER: master.render(settings="[PHONE_MAC_ADDRESS]-endpoint.cfg"),
            },
            {own: _settings(wanted, password, templates)},
        )
    raise LienThongError(
        f"{wanted.node}: a {wanted.platform} fetches no files", hint="lienthong plan shows what it is told"
    )


def _settings(wanted: EndpointWanted, password: Secret, templates: Path) -> str:
    template = _environment(templates).get_template(f"ztp/{wanted.platform}/endpoint.cfg.j2")
    value = password.reveal()
    if not value.isascii() or not value.isprintable() or set(value) & set("\"'\\<>&#%; "):
        raise LienThongError(
            f"{wanted.password}: no file of an endpoint can hold it",
            hint=f"lienthong secret rotate {wanted.password}",
        )
    return template.render(wanted=wanted, password=value)


@cache
def _environment(templates: Path) -> Environment:
    return Environment(  # noqa: S701 - EndpointWanted and _settings let no character pass that ends a value
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

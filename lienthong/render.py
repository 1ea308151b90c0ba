"""From what a device must be to the lines its command line would show. Pure but for reading the templates.

A secret stands in the lines as its name, `<secret ospf/loc-ninh>`; only the transport puts the value in.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from lienthong.errors import LienThongError
from lienthong.model.endpoint import EndpointWanted
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import Wanted
from lienthong.platforms import Dialect, Lines, Platform
from lienthong.platforms.dialects.leaves import leaves

#: Vietnamese letters that Unicode does not take apart.
_LETTERS = str.maketrans("đĐ", "dD")


def render(wanted: Wanted, platform: Platform, dialect: Dialect, templates: Path) -> Lines:
    """The intended lines of one dialect, in the order in which they are to be sent.

    A template sees `wanted`, its `device`, and its `plane`.

    Args:
        templates: the folder that holds `<platform>/<dialect>.j2`.

    Raises:
        LienThongError: there is no such template.
    """
    return _lines(templates, platform, dialect, wanted=wanted, device=wanted.device, plane=wanted.plane)


def render_endpoint(wanted: EndpointWanted, platform: Platform, dialect: Dialect, templates: Path) -> Lines:
    """The intended lines of a conference endpoint with a software of its own; as :func:`render`."""
    return _lines(templates, platform, dialect, wanted=wanted)


def _lines(templates: Path, platform: Platform, dialect: Dialect, **seen: object) -> Lines:
    try:
        template = _environment(templates).get_template(f"{platform.name}/{dialect.name}.j2")
    except TemplateNotFound as error:
        raise LienThongError(f"{templates}: no template {error.name}") from None
    return (dialect.intended or leaves)(template.render(**seen))


def token(ref: SecretRef) -> str:
    """What stands for a secret in lines that people may see."""
    return f"<secret {ref}>"


def ascii_text(text: str) -> str:
    """Without diacritics: vtysh reads a terminal whose character set the tool does not choose."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    # not "?": that asks vtysh for help in the middle of a line
    return "".join(c if c.isascii() else "." for c in plain if not unicodedata.combining(c))


@cache
def _environment(templates: Path) -> Environment:
    environment = Environment(  # noqa: S701 - device configuration, not HTML
        loader=FileSystemLoader(templates), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["ascii"] = ascii_text
    environment.filters["secret"] = token
    return environment

"""The lines to paste at the console of factory-new gear. Secrets stand in them by name."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from lienthong.bootstrap.first import First
from lienthong.errors import LienThongError
from lienthong.platforms.dialects import vrp_keys
from lienthong.render import ascii_text, token


def lines(first: First, kind: str, templates: Path) -> tuple[str, ...]:
    """What to paste, line by line, from the moment that the console shows a prompt.

    Args:
        kind: name of the platform; `bootstrap/<kind>.j2` is its template.

    Raises:
        LienThongError: there is no template, or the platform cannot be given that key.
    """
    environment = Environment(  # noqa: S701 - device configuration, not HTML
        loader=FileSystemLoader(templates), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"ascii": ascii_text, "secret": token, "md5": _md5, "vrp": _vrp}
    environment.globals["refuse"] = _refuse
    try:
        template = environment.get_template(f"bootstrap/{kind}.j2")
    except TemplateNotFound:
        raise LienThongError(
            f"nothing is known of the first minutes of {kind}", hint=f"write templates/bootstrap/{kind}.j2"
        ) from None
    return tuple(line for line in template.render(d=first).splitlines() if line.strip())


def _md5(key: str) -> str:
    """What IOS keeps of a public key."""
    return hashlib.md5(base64.b64decode(key.split()[1]), usedforsecurity=False).hexdigest().upper()


def _vrp(key: str) -> tuple[str, ...]:
    """A public key as Huawei devices have it typed."""
    found = vrp_keys.compared(key)
    if found is None:
        _refuse("VRP knows RSA keys only")
    return vrp_keys.typed(found)


def _refuse(why: str) -> NoReturn:
    raise LienThongError(
        why, hint="ssh-keygen -t rsa -b 3072 makes another key; name it with LIENTHONG_KEY for this platform"
    )

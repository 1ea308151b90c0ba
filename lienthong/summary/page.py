"""The week as one self-contained page that asks nobody for anything; its only style is named by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lienthong import report
from lienthong.model.finding import Control
from lienthong.model.site import Bilingual
from lienthong.model.words import Target
from lienthong.report import labels
from lienthong.report.hostile import one_line, visible
from lienthong.summary import told
from lienthong.summary.week import Week, local

_HERE = Path(__file__).parent


def render(week: Week, controls: Mapping[str, Control], names: Mapping[str, Bilingual]) -> str:
    """The page; every text is escaped, and what steers a terminal or a direction is shown as its number."""
    style = (Path(report.__file__).parent / "report.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"line": one_line, "seen": visible, "local": local, "slug": labels.slug}
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("summary.html.j2").render(
        week=week,
        controls=controls,
        names=names,
        told=told,
        target=Target(week.target),
        STATUS=labels.STATUS,
        TARGET=labels.TARGET,
        # A file of this package.
        style=Markup(style),  # noqa: S704
        style_hash=f"sha256-{digest}",
    )

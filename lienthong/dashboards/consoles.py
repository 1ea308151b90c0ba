"""Questions as Prometheus' console templates write them: Go's `printf` puts the site in, quoted."""

from __future__ import annotations

import json

from lienthong.dashboards.panels import SITE


def asked(expr: str) -> str:
    """`(printf "…" $site)`, or the plain text in quotes where no site is asked for.

    The text is Go's: what JSON escapes Go reads the same way. `%` has no place in a question.
    """
    parts = expr.count(SITE)
    if not parts:
        return json.dumps(expr)
    text = json.dumps(expr.replace(SITE, "site=~%q"))
    return f"(printf {text}{' $site' * parts})"

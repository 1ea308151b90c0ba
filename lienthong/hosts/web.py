"""What a web server must show to one who looks at it from outside (control APP-01)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

DAY_S = 86400
#: Certificates live 30 days and renew themselves when ten are left.
LEAST_DAYS = 9
HSTS_LEAST_S = 180 * DAY_S


def judge(seen: dict[str, Any], evidence: Callable[[str], None]) -> None:
    """Assert what holds for every web server of ours: trusted, TLS 1.2 or newer, not about to expire, HSTS.

    Args:
        seen: what the probe's verb `https` brought.
        evidence: takes the line that was seen.

    Raises:
        AssertionError: something of it does not hold.
    """
    days = (seen["not_after"] - time.time()) / DAY_S
    hsts = str(seen["headers"].get("strict-transport-security", ""))
    evidence(
        f"{seen.get('version', 'no TLS')}, status {seen['status']}, {days:.0f} days, HSTS {hsts or 'none'}"
    )
    assert seen["trusted"], f"not trusted by the side's authority: {seen['why']}"
    assert seen["version"] in {"TLSv1.2", "TLSv1.3"}
    assert not seen["old"], f"also speaks {', '.join(seen['old'])}"
    assert days > LEAST_DAYS, f"the certificate ends in {days:.0f} days"
    assert seen["status"] == 200, f"status {seen['status']}: {seen['why']}"
    age = [part.strip()[8:] for part in hsts.split(";") if part.strip().lower().startswith("max-age=")]
    assert age and age[0].isdigit() and int(age[0]) >= HSTS_LEAST_S, (
        "no Strict-Transport-Security of half a year"
    )
    for header, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")):
        assert seen["headers"].get(header) == value, f"{header} is {seen['headers'].get(header)}"
    assert "/" not in str(seen["headers"].get("server", "")), "the server tells its version"

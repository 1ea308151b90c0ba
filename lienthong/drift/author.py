"""Who changed a device last and when, where its configuration tells; and the lines that change by themselves.

A device may say what it likes: name and time are shown, never believed. FortiOS and RouterOS tell in their
first lines only who fetched the configuration and when (https://hackfaqs.com/fortigate-backup-field-header/),
which is this tool, now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Author:
    """Who and when, in the device's own words."""

    who: str = UNKNOWN
    when: str = ""


NOBODY = Author()
_WHO = r"(?P<who>\S{1,64})"
_TOLD = (
    # Cisco: ! Last configuration change at 06:12:01 UTC Mon Nov 23 2026 by netadm
    re.compile(rf"^! Last configuration change at (?P<when>[^\n]{{1,64}}?)(?: by {_WHO})?\s*$", re.M),
    # Juniper: ## Last commit: 2026-11-23 06:12:01 UTC by netadm
    re.compile(rf"^## Last (?:commit|changed): (?P<when>[^\n]{{1,64}}?)(?: by {_WHO})?\s*$", re.M),
    # the newest line of `show system commit`: 0   2026-11-23 06:12:01 UTC by netadm via cli
    re.compile(rf"^0 +(?P<when>[^\n]{{1,64}}?) by {_WHO} via [^\n]*$", re.M),
    # Huawei: !Last configuration was updated at 2026-11-23 06:12:01+00:00 by netadm
    re.compile(
        rf"^!Last configuration was (?:updated|changed) at (?P<when>[^\n]{{1,64}}?)(?: by {_WHO})?\s*$", re.M
    ),
)
#: Lines that change though nobody has changed the configuration, and the one word of a line that does.
_BY_ITSELF = re.compile(
    r"^(?:! (?:Last configuration change|NVRAM config last updated|No configuration change since)"
    r"|!Last configuration was |!Software Version .*uptime|## Last (?:commit|changed)"
    r"|Building configuration|Current configuration ?:|ntp clock-period |#conf_file_ver="
    r"|# [^\n]{0,40} by RouterOS)[^\n]*\n?",
    re.M,
)
_WORDS = (
    (re.compile(r"^(#config-version=[^\n]*):user=[^\n]*$", re.M), r"\1"),
    (re.compile(r" last-logged-in=[^\s=]+(?: \d\d:\d\d:\d\d)?"), ""),
)
_FORMATS = ("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S", "%H:%M:%S %Z %a %b %d %Y")


def author(text: str) -> Author:
    """Who the device says has changed it last."""
    head = text[:4000]  # what stands further down is configuration, a banner for instance
    for told in _TOLD:
        found = told.search(head)
        if found:
            return Author(found["who"] or UNKNOWN, found["when"].strip())
    return NOBODY


def lasting(text: str) -> str:
    """The text without what changes by itself."""
    text = _BY_ITSELF.sub("", text.replace("\r", ""))
    for word, instead in _WORDS:
        text = word.sub(instead, text)
    return text


def moment(when: str) -> datetime | None:
    """A device's time, where it is beyond doubt: with UTC or an offset."""
    for form in _FORMATS:
        try:
            found = datetime.strptime(when.replace(".000", ""), form)
        except ValueError:
            continue
        if found.tzinfo is not None:
            return found
        return found.replace(tzinfo=UTC) if "UTC" in when or "GMT" in when else None
    return None

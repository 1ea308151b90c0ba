"""What is proposed for a new site, so that nobody need invent it: slug, number, dial number, gateway."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from ipaddress import IPv4Interface
from typing import Any

from lienthong.edit.write import Value
from lienthong.model.site import Inventory
from lienthong.plan.addressing import CENTRAL_NUMBER

MAX_SLUG = 20
#: What offices of one kind all begin or end with; the name without it tells them apart.
_BEFORE = re.compile(
    r"(huyện|thị|thành|quận) ủy |đảng (ủy|bộ) (xã|phường|thị trấn|đặc khu) |văn phòng (?=tỉnh ủy|thành ủy)",
    re.IGNORECASE,
)
_AFTER = re.compile(r"(?<!^)( trực thuộc)?( tỉnh ủy| thành ủy| tỉnh| thành phố)$", re.IGNORECASE)


def slug_of(name: str) -> str:
    """A slug from a Vietnamese name: `Huyện ủy Lộc Ninh` gives `loc-ninh`; empty where no letter is left."""
    text = unicodedata.normalize("NFC", name).strip()
    text = re.sub(r"(?i)u(?=ỷ)", "ủ", text).replace("ủỷ", "ủy").replace("ỦỶ", "ủy")  # both spellings are met
    short = _AFTER.sub("", _BEFORE.sub("", text, count=1) if _BEFORE.match(text) else text)
    plain = unicodedata.normalize("NFD", short.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(char for char in plain if not unicodedata.combining(char)).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", letters) if word]
    while words and not words[0][0].isalpha():
        words.pop(0)
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:MAX_SLUG]
        if len(longer) > MAX_SLUG:
            break
        slug = longer
    return slug


def free_slug(wanted: str, taken: Collection[str]) -> str:
    """That slug, or with the lowest number behind it that nobody has."""
    slug, count = wanted, 1
    while slug in taken:
        count += 1
        slug = f"{wanted[: MAX_SLUG - len(str(count)) - 1].rstrip('-')}-{count}"
    return slug


def free_number(taken: Collection[int]) -> int:
    """The lowest number that no site has; 0 is left to the office, and Central's to Central."""
    return next(number for number in range(1, CENTRAL_NUMBER) if number not in taken)


def dial_numbers(inventory: Inventory) -> set[str]:
    """Every number that a conference endpoint of the province has."""
    found = set()
    for site in inventory.sites.values():
        for host in site.hosts.values():
            number = host.runs.get("videoconf", {}).get("number")
            if number is not None:
                found.add(str(number))
    return found


def free_dial(number: int, taken: Collection[str]) -> str:
    """1000 plus the number of the site, or the next that nobody has."""
    dial = 1000 + number
    while str(dial) in taken:
        dial += 1
    return str(dial)


def endpoints(site: Mapping[str, Any]) -> list[str]:
    """Hosts of a merged site that are conference endpoints and whose number no layer can say."""
    found = []
    for name, host in site.get("hosts", {}).items():
        service = ((host or {}).get("runs") or {}).get("videoconf") or {}
        if service.get("role") == "endpoint" and "number" not in service:
            found.append(name)
    return found


def open_lines(site: Mapping[str, Any]) -> list[str]:
    """Internet lines of a merged site whose address no layer can say."""
    return [
        name
        for name, line in site.get("uplinks", {}).items()
        if line and line.get("kind") == "internet" and "address" not in line
    ]


def gateway_of(address: IPv4Interface) -> str | None:
    """The provider's end that an address suggests: the other one of a /30 or /31, else the first."""
    network = address.network
    if network.prefixlen == 32:
        return None
    start = 0 if network.prefixlen == 31 else 1
    return str(next(host for host in (network[start], network[start + 1]) if host != address.ip))


def site_value(
    number: int,
    kind: str,
    name: tuple[str, str],
    lines: Mapping[str, Mapping[str, str]],
    dials: Mapping[str, str],
) -> dict[str, Value]:
    """A site's file: what no layer can say. `lines` and `dials` are by line and host."""
    value: dict[str, Value] = {"number": number, "kind": kind, "name": {"vi": name[0], "en": name[1]}}
    if lines:
        value["uplinks"] = {line: dict(said) for line, said in lines.items()}
    if dials:
        value["hosts"] = {host: {"runs": {"videoconf": {"number": dial}}} for host, dial in dials.items()}
    return value

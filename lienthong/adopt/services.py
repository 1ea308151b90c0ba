"""Which services of ours a device runs, and with which parameters, as far as its files tell. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from typing import Any

from pydantic import ValidationError

from lienthong.adopt.seen import Seen
from lienthong.model.site import Inventory
from lienthong.services import discover

Raw = dict[str, Any]
Known = Mapping[IPv4Address, tuple[str, str]]
"""(site, short) of every node of the inventory, by its address"""
DAYS_A_MONTH = 31
DAY_S = 86400
#: Units that say a service of ours may run; the reader says whether, and how.
UNITS = {
    "kea-dhcp4-server.service": "dhcp",
    "unbound.service": "dns",
    "chrony.service": "ntp",
    "kamailio.service": "videoconf",
    "baresip.service": "videoconf",
    "lienthong-backup.timer": "backup",
    "lienthong-ca.service": "ca",
    "nginx.service": "web",
    "prometheus.service": "monitoring",
    "rsyslog.service": "logs",
}


def runs(seen: Seen, inventory: Inventory, known: Known) -> tuple[dict[str, Raw], list[str]]:
    """(`runs` of the entry, what has to be asked)."""
    found: dict[str, Raw] = {}
    asks: list[str] = []
    for unit, topic in UNITS.items():
        if unit not in seen.running:
            continue
        name, raw = _READERS[topic](seen, inventory, known, asks)
        if raw is None:
            continue
        try:
            params = discover()[name].params.model_validate(raw)
        except (ValidationError, KeyError):
            asks.append(f"runs.{name}: it runs, and its parameters could not be read")
            continue
        found[name] = params.model_dump(mode="json", exclude_defaults=True)
    return dict(sorted(found.items())), asks


Read = Callable[[Seen, Inventory, Known, list[str]], tuple[str, Raw | None]]


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text, re.M)
    return int(found[1]) if found else None


def _said(**values: object) -> Raw:
    return {key: value for key, value in values.items() if value is not None and value != []}


def _dhcp(seen: Seen, _i: Inventory, _k: Known, _a: list[str]) -> tuple[str, Raw | None]:
    return "dhcp", _said(lease_s=_number(r'"valid-lifetime": (\d{1,7})', seen.settings.get("kea", "")))


def _dns(seen: Seen, inventory: Inventory, known: Known, asks: list[str]) -> tuple[str, Raw | None]:
    text = seen.settings.get("unbound", "")
    blocked = re.findall(r'^ *local-zone: "([a-z0-9.-]+?)\.?" always_nxdomain$', text, re.M)
    raw = _said(blocked=blocked)
    for said in re.findall(r"^ *forward-addr: ([0-9.]+)$", text, re.M):
        address = _address(said)
        outside = [name for name, one in inventory.province.outside.items() if one.address == address]
        if address in known:
            raw["forward_node"] = "-".join(known[address])
        elif outside:
            raw["forward_outside"] = outside[0]
        else:
            asks.append("runs.dns: it asks a resolver that the inventory does not know")
    return "dns", raw


def _ntp(seen: Seen, _i: Inventory, _k: Known, _a: list[str]) -> tuple[str, Raw | None]:
    text = seen.settings.get("chrony", "")
    if not re.search(r"^allow ", text, re.M):
        return "ntp", None  # a client, as every node is one
    return "ntp", _said(upstream=re.findall(r"^server ([0-9.]+)(?: |$)", text, re.M))


def _videoconf(seen: Seen, _i: Inventory, _k: Known, _a: list[str]) -> tuple[str, Raw | None]:
    if "kamailio.service" in seen.running:
        return "videoconf", {"role": "registrar"}
    found = re.match(r"<sip:([0-9]{3,8})@", seen.settings.get("baresip", ""))
    return "videoconf", {"role": "endpoint", **_said(number=found[1] if found else None)}


def _backup(seen: Seen, inventory: Inventory, known: Known, asks: list[str]) -> tuple[str, Raw | None]:
    try:
        job = json.loads(seen.settings.get("backup_job", "{}"))
        names = [known.get(_address(one["address"])) for one in job.get("sources", [])]
        raw = _said(
            keep_daily=job.get("keep_daily"), keep_monthly=job.get("keep_monthly"), gap_min=job.get("gap_min")
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        names, raw = [], {}
    served = {
        service
        for site, short in (name for name in names if name)
        if site in inventory.sites and short in inventory.sites[site].hosts
        for service in ("app", "portal")
        if service in inventory.sites[site].hosts[short].runs
    }
    if len(served) == 1:
        raw["sources"] = served.pop()
    asks.append("runs.backup: how old may the newest copy be (rpo_hours), and where are further copies")
    hour = _number(r"^OnCalendar=\*-\*-\* (\d\d):", seen.settings.get("backup_timer", ""))
    return "backup", {**raw, **_said(hour=hour)}


def _ca(seen: Seen, _i: Inventory, _k: Known, _a: list[str]) -> tuple[str, Raw | None]:
    text = seen.settings.get("ca", "")
    life_s = _number(r'^ "life_s": (\d{1,8})', text)
    revoked = re.findall(r'^  "([0-9a-f]{64})",?$', text, re.M)
    return "ca", _said(life_days=life_s and life_s // DAY_S, revoked=revoked)


def _web(seen: Seen, _i: Inventory, _k: Known, asks: list[str]) -> tuple[str, Raw | None]:
    name = "portal" if "limit_conn " in seen.settings.get("nginx", "") else "app"
    what = "a public portal" if name == "portal" else "an internal application"
    asks.append(f"runs.{name}: nginx runs, and it looks like {what}; is it, and where does it fetch updates")
    return name, {}


def _monitoring(seen: Seen, _i: Inventory, _k: Known, _a: list[str]) -> tuple[str, Raw | None]:
    return "monitoring", _said(
        interval_s=_number(r"^  scrape_interval: +(\d{1,3})s", seen.settings.get("prometheus", "")),
        retention_days=_number(r"retention\.time=(\d{1,4})d", seen.settings.get("prometheus_start", "")),
    )


def _logs(seen: Seen, inventory: Inventory, _k: Known, _a: list[str]) -> tuple[str, Raw | None]:
    text = seen.settings.get("rsyslog", "")
    if 'type="imrelp"' not in text:
        return "logs", None  # it sends, as every node does
    target = re.search(r'name="central" type="omrelp" target="([0-9.]+)"', text)
    target = target or re.search(r'"address": "([0-9.]+)"', seen.settings.get("logs_onward", ""))
    address = _address(target[1]) if target else None
    central = next((n for n, one in inventory.province.outside.items() if one.address == address), None)
    days = _number(r"[ :](\d{1,4})d$", seen.settings.get("log_keep", ""))
    months = days // DAYS_A_MONTH if days else None
    return "logs", _said(central=central, retention_months=months)


def _address(text: object) -> IPv4Address:
    try:
        return IPv4Address(str(text))
    except ValueError:
        return IPv4Address(0)


_READERS: dict[str, Read] = {
    "dhcp": _dhcp,
    "dns": _dns,
    "ntp": _ntp,
    "videoconf": _videoconf,
    "backup": _backup,
    "ca": _ca,
    "web": _web,
    "monitoring": _monitoring,
    "logs": _logs,
}

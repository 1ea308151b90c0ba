"""The panels: a question to Prometheus each, for the sites that `$site` means.

Sites and systems come from the labels that the inventory gives every target (`deploys/monitoring.py`), so a
new site is there without an edit. Limits are those of the alerts (`lienthong-rules.yml.j2`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lienthong.model.site import Bilingual

#: Stands in an expression where the site goes: Grafana's own sign of a variable.
SITE = 'site=~"$site"'


class Unit(StrEnum):
    """What a value is."""

    UP = "up"
    """1 or 0"""
    SHARE = "share"
    """of 1"""
    SECONDS = "seconds"
    DAYS = "days"
    BITS = "bits a second"
    PACKETS = "packets a second"
    STATUS = "interface"
    """RFC 2863: 1 up, 2 down, 7 lower layer down"""


@dataclass(frozen=True)
class Panel:
    """One question."""

    key: str
    title: Bilingual
    expr: str
    """PromQL with `$site`"""
    labels: tuple[str, ...]
    """what tells one line from another, beside the node"""
    unit: Unit
    sign: str = ""
    """with `limit`, what is bad: `<`, `>` or `==`; empty: nothing is bad by itself"""
    limit: float = 0.0

    @property
    def bad(self) -> str:
        """The same question for what is bad only; the whole one where nothing is bad by itself."""
        return f"({self.expr}) {self.sign} {self.limit:g}" if self.sign else self.expr


def _panel(
    key: str,
    vi: str,
    en: str,
    expr: str,
    labels: tuple[str, ...],
    unit: Unit,
    sign: str = "",
    limit: float = 0.0,
) -> Panel:
    return Panel(key, Bilingual(vi=vi, en=en), expr, labels, unit, sign, limit)


PANELS = (
    _panel("systems", "Máy chủ trả lời", "Systems answer", f'up{{job="node",{SITE}}}', (), Unit.UP, "==", 0),
    _panel("ping", "Trả lời ping", "Ping", f'probe_success{{job="ping",{SITE}}}', (), Unit.UP, "==", 0),
    _panel("gear", "Thiết bị trả lời SNMP", "Gear by SNMP", f'up{{job="snmp",{SITE}}}', (), Unit.UP, "==", 0),
    _panel(
        "watched", "Hệ thống thông tin trả lời", "Information systems answer",
        f'probe_success{{system!="",{SITE}}}', ("system",), Unit.UP, "==", 0,
    ),
    _panel("ports", "Trạng thái cổng", "Ports", f"ifOperStatus{{{SITE}}}", ("ifName",), Unit.STATUS),
    _panel(
        "in", "Lưu lượng vào", "Traffic in",
        f"8 * rate(ifHCInOctets{{{SITE}}}[5m])", ("ifName",), Unit.BITS,
    ),
    _panel(
        "out", "Lưu lượng ra", "Traffic out",
        f"8 * rate(ifHCOutOctets{{{SITE}}}[5m])", ("ifName",), Unit.BITS,
    ),
    _panel(
        "drops", "Gói bị bỏ ở hàng đợi", "Packets dropped by queues",
        f"rate(node_qdisc_drops_total{{{SITE}}}[5m])", ("device", "kind"), Unit.PACKETS, ">", 0,
    ),
    _panel(
        "certificates", "Chứng thư còn hiệu lực", "Certificates end in",
        f"(probe_ssl_earliest_cert_expiry{{{SITE}}} - time()) / 86400", ("system",), Unit.DAYS, "<", 14,
    ),
    _panel(
        "disk", "Đĩa còn trống", "Disk left",
        f'node_filesystem_avail_bytes{{fstype!~"tmpfs|overlay",{SITE}}} / node_filesystem_size_bytes',
        ("mountpoint",), Unit.SHARE, "<", 0.1,
    ),
    _panel(
        "clock", "Đồng hồ lệch", "Clock offset",
        f"abs(node_timex_offset_seconds{{{SITE}}})", (), Unit.SECONDS, ">", 1,
    ),
)  # fmt: skip
#: What is said of a site on one line: title, question.
COLUMNS = (
    (
        Bilingual(vi="Máy chủ", en="systems"),
        f'sum(up{{job="node",{SITE}}})',
        f'count(up{{job="node",{SITE}}})',
    ),
    (
        Bilingual(vi="Ping", en="ping"),
        f'sum(probe_success{{job="ping",{SITE}}})',
        f'count(probe_success{{job="ping",{SITE}}})',
    ),
    (Bilingual(vi="Thiết bị", en="gear"), f'sum(up{{job="snmp",{SITE}}})', f'count(up{{job="snmp",{SITE}}})'),
)
SITES = "group by (site) (up)"
FIRING = f'ALERTS{{alertstate="firing",{SITE}}}'


def expressions() -> list[str]:
    """Every question that a page or a dashboard asks, with a site in the variable's place."""
    asked = [SITES, FIRING, *(question for _, *both in COLUMNS for question in both)]
    asked += [question for panel in PANELS for question in (panel.expr, panel.bad)]
    return [question.replace("$site", "loc-ninh") for question in asked]

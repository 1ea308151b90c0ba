"""Words that a report shows in both languages, and the order in which statuses weigh."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.model.finding import Finding, Kind, Severity, Status
from lienthong.model.site import Bilingual
from lienthong.model.words import Role, Side, Target, Zone


def _both(vi: str, en: str) -> Bilingual:
    return Bilingual(vi=vi, en=en)


STATUS: dict[Status, Bilingual] = {
    Status.FAIL: _both("Chưa đạt", "fail"),
    Status.ERROR: _both("Lỗi", "error"),
    Status.NOT_ASSESSED: _both("Chưa đánh giá", "not assessed"),
    Status.PASS: _both("Đạt", "pass"),
    Status.NOT_APPLICABLE: _both("Không áp dụng", "not applicable"),
}
"""Worst first. An error outweighs `not assessed`: somebody tried to look and could not."""

MEANING: dict[Status, Bilingual] = {
    Status.FAIL: _both("đã xem, và không đúng như phải có", "looked at, and not as it must be"),
    Status.ERROR: _both(
        "không xem được: không phải là chưa đạt, cũng không phải là đạt",
        "could not be looked at: neither a failure nor a pass",
    ),
    Status.NOT_ASSESSED: _both(
        "không có gì để xem, hoặc cần con người trả lời", "nobody looked, or a person must answer"
    ),
    Status.PASS: _both("đã xem, và đúng", "looked at, and as it must be"),
    Status.NOT_APPLICABLE: _both(
        "không có ở nơi này, lý do ghi kèm", "does not exist here, the reason is given"
    ),
}

SEVERITY: dict[Severity, Bilingual] = {
    Severity.HIGH: _both("Cao", "high"),
    Severity.MEDIUM: _both("Trung bình", "medium"),
    Severity.LOW: _both("Thấp", "low"),
}

KIND: dict[Kind, Bilingual] = {
    Kind.READ: _both("đọc", "read"),
    Kind.PROBE: _both("thăm dò", "probe"),
    Kind.DRILL: _both("diễn tập", "drill"),
}

SIDE: dict[Side, Bilingual] = {
    Side.WAN: _both("Phía mạng nội bộ (TSLCD)", "Party-WAN side"),
    Side.NET: _both("Phía Internet", "Internet side"),
}

ZONE: dict[Zone, Bilingual] = {
    Zone.USERS: _both("Người dùng", "Users"),
    Zone.SERVERS: _both("Máy chủ", "Servers"),
    Zone.CONFERENCE: _both("Hội nghị", "Conference"),
    Zone.SCAN: _both("Số hóa", "Scan"),
    Zone.MANAGEMENT: _both("Quản trị", "Management"),
    Zone.BACKUP: _both("Sao lưu", "Backup"),
    Zone.DMZ: _both("Vùng DMZ", "DMZ"),
    Zone.WIFI: _both("Không dây", "Wi-Fi"),
}

ROLE: dict[Role, Bilingual] = {
    Role.GATEWAY: _both("Thiết bị định tuyến", "gateway"),
    Role.SWITCH: _both("Thiết bị chuyển mạch", "switch"),
}

TARGET: dict[Target, Bilingual] = {
    Target.LAB: _both("PHÒNG THÍ NGHIỆM", "LAB"),
    Target.LIVE: _both("MẠNG THẬT", "LIVE"),
}

_WEIGHT = {status: place for place, status in enumerate(STATUS)}
_SEVERITY_WEIGHT = {severity: place for place, severity in enumerate(SEVERITY)}


def weight(status: Status) -> int:
    """0 is the worst."""
    return _WEIGHT[status]


def severity_weight(severity: Severity | None) -> int:
    """0 is the worst; a control that is not in the catalogue comes last."""
    return len(_SEVERITY_WEIGHT) if severity is None else _SEVERITY_WEIGHT[severity]


def slug(status: Status) -> str:
    """The status as a CSS class and a fragment of an id: `not-applicable`."""
    return status.value.replace(" ", "-")


def worst(findings: Iterable[Finding]) -> Status | None:
    """The status that decides; None without findings.

    `not applicable` decides only where nothing else was found.
    """
    return min((finding.status for finding in findings), key=weight, default=None)


def counts(findings: Iterable[Finding]) -> dict[Status, int]:
    """How many findings have each status; every status is there, worst first."""
    tally = dict.fromkeys(STATUS, 0)
    for finding in findings:
        tally[finding.status] += 1
    return tally

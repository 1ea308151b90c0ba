"""The week as plain text, Vietnamese beside English, and as data. What a device said is one harmless line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from lienthong.model.finding import Control, Status
from lienthong.model.site import Bilingual
from lienthong.model.words import Target
from lienthong.report import labels
from lienthong.report.hostile import one_line
from lienthong.summary.week import Change, Missing, SiteWeek, Turn, Week, local

_REASON = 120
TURN = {
    Turn.NEW: Bilingual(vi="Mới chưa đạt", en="newly fails"),
    Turn.UNCOMPARED: Bilingual(vi="Chưa đạt, trước đó chưa biết", en="fails, before not known"),
    Turn.MENDED: Bilingual(vi="Đã khắc phục", en="mended"),
    Turn.LOST: Bilingual(vi="Không còn biết", en="no longer known"),
}
KIND = {
    "audit": Bilingual(vi="kiểm tra", en="audit"),
    "coverage": Bilingual(vi="phép thử nhật ký", en="coverage"),
}
CALM = Bilingual(vi="Không có việc phải làm", en="nothing asks for an officer")
BUSY = Bilingual(vi="Có việc phải xem", en="something asks for an officer")
UNKNOWN = Bilingual(vi="CHƯA BIẾT", en="NOT KNOWN")
NEVER = Bilingual(vi="không có lần kiểm tra nào gần đây", en="no recent audit")
NO_ENDS = Bilingual(
    vi="Ngày hết hạn của chứng thư và hạn diễn tập: kết quả kiểm tra không ghi ngày, nên ở đây chưa biết",
    en="when certificates end and drills are due: findings hold no dates, so it is not known here",
)


def text(week: Week, controls: Mapping[str, Control], names: Mapping[str, Bilingual]) -> str:
    """The whole summary, readable without colour."""
    lines = [
        f"TỔNG HỢP {week.days} NGÀY / SUMMARY OF {week.days} DAYS · {_both(labels.TARGET[_target(week)])}",
        f"đến / until {local(week.until)} (UTC+7)",
        _both(CALM if week.calm else BUSY),
    ]
    if week.target == "lab":
        lines.append("Không phải là bằng chứng về một điểm mạng thật. / No evidence about a site.")
    for site in week.sites:
        if site.now or site.then:
            lines += ["", *_site(site, controls, names.get(site.slug))]
    if slugs := never(week):
        lines += ["", f"{_both(UNKNOWN)} · {_both(NEVER)}: {', '.join(slugs)}"]
    lines += ["", "ĐÊM KHÔNG CÓ KẾT QUẢ / NIGHTS WITHOUT A RESULT", *_nights(week)]
    lines += ["", "HỆ THỐNG KHÔNG NGHE THẤY / SYSTEMS NOT HEARD", *_unheard(week)]
    lines += ["", "THAY ĐỔI ĐÃ LÀM / CHANGES APPLIED", *_applied(week)]
    lines += ["", _both(NO_ENDS)]
    return "\n".join(lines) + "\n"


def never(week: Week) -> list[str]:
    """Sites of which nothing is known."""
    return [site.slug for site in week.sites if not (site.now or site.then)]


def tally(site: SiteWeek, *, before: bool = False) -> str:
    """Counts in words, worst first; the look's date with them, or that there was none."""
    night, counts = (site.then, site.before) if before else (site.now, site.counts)
    if night is None:
        return _both(UNKNOWN)
    said = ", ".join(f"{_both(labels.STATUS[status])} {counts[status]}" for status in labels.STATUS)
    return f"{local(night.started)}: {said}"


def title(control: str, controls: Mapping[str, Control]) -> str:
    """A control's name with its title, if the catalogue has one."""
    known = controls.get(control)
    return f"{one_line(control)} {_both(known.title)}" if known else one_line(control)


def places(change: Change, site: str) -> str:
    """Where: nodes, or the site as a whole."""
    return ", ".join(one_line(place) or f"{site} (cả điểm mạng / as a whole)" for place in change.places)


def gaps(missing: Iterable[Missing]) -> list[str]:
    """Nights without a look, in both languages; those that lack the same of the same sites in one line."""
    days: dict[tuple[str, tuple[str, ...]], list[date]] = {}
    for one in missing:
        days.setdefault((one.kind, one.sites), []).append(one.day)
    lines = []
    for (kind, sites), lacking in days.items():
        when = ", ".join(f"{day:%d/%m}" for day in lacking)
        what = f"không có {KIND[kind].vi} / no {KIND[kind].en}"
        lines.append(f"{when}: {what}" + (f": {', '.join(sites)}" if sites else ""))
    return lines


def as_data(week: Week) -> dict[str, object]:
    """The same for programs; `null` is what is not known."""
    return {
        "format": "lienthong-summary/1",
        "target": week.target,
        "until": week.until.isoformat(),
        "days": week.days,
        "calm": week.calm,
        "sites": [
            {
                "site": site.slug,
                "verdict": site.verdict.value,
                "now": _look(site, before=False),
                "then": _look(site, before=True),
                "nights_looked_at": site.looked,
                "still_failing": site.still,
                "changes": [
                    {
                        "turn": change.turn.value,
                        "control": change.control,
                        "places": list(change.places),
                        "why": change.why,
                    }
                    for change in site.changes
                ],
            }
            for site in week.sites
        ],
        "missing": [
            {"kind": one.kind, "day": one.day.isoformat(), "sites": list(one.sites)} for one in week.missing
        ],
        "tonight": dict(week.tonight),
        "failed": [
            {"kind": night.kind, "started": night.started.isoformat(), "error": night.error or None}
            for night in week.failed
        ],
        "unreadable": list(week.broken),
        "coverage": week.coverage.started.isoformat() if week.coverage else None,
        "not_heard": [one.model_dump(mode="json") for one in week.unheard] if week.coverage else None,
        "not_asked": list(week.unasked) if week.coverage else None,
        "applied": [
            {
                "run": run.number,
                "verb": run.verb,
                "started": run.started.isoformat(),
                "outcome": run.outcome or None,
                "sites": list(run.sites),
                "changed_steps": run.changed,
                "unconfirmed": list(run.open),
            }
            for run in week.applied
        ],
        "ends": None,
    }


def _look(site: SiteWeek, *, before: bool) -> dict[str, object] | None:
    night, counts = (site.then, site.before) if before else (site.now, site.counts)
    if night is None:
        return None
    return {
        "started": night.started.isoformat(),
        "drill": night.drill,
        "counts": {status.value: counts[status] for status in Status},
    }


def _site(site: SiteWeek, controls: Mapping[str, Control], name: Bilingual | None) -> list[str]:
    head = f"{site.slug}" + (f" · {_both(name)}" if name else "")
    lines = [
        f"{head}: {_both(labels.STATUS[site.verdict])}",
        f"  nay / now {tally(site)}",
        f"  trước / then {tally(site, before=True)}",
        f"  vẫn chưa đạt / still failing: {site.still if site.then else _both(UNKNOWN)}",
    ]
    for change in site.changes:
        lines.append(f"  {_both(TURN[change.turn])}: {title(change.control, controls)}")
        why = f": {one_line(change.why, _REASON)}" if change.why else ""
        lines.append(f"      {places(change, site.slug)}{why}")
    return lines


def _nights(week: Week) -> list[str]:
    lines = [f"  {line}" for line in gaps(week.missing)] or ["  không / none"]
    lines += [
        f"  hôm nay / today: chưa có {KIND[k].vi} / no {KIND[k].en} yet"
        for k, v in week.tonight.items()
        if not v
    ]
    for night in week.failed:
        kind = KIND.get(night.kind)
        why = one_line(night.error, _REASON) or "bị ngắt hoặc đang chạy / cut off, or still at work"
        lines.append(f"  {local(night.started)} {_both(kind) if kind else one_line(night.kind)}: {why}")
    lines += [f"  không đọc được / cannot be read: {one_line(name)}" for name in week.broken]
    return lines


def _unheard(week: Week) -> list[str]:
    if week.coverage is None:
        return [f"  {_both(UNKNOWN)}"]
    lines = [f"  {local(week.coverage.started)}: {len(week.unheard)}/{len(week.systems)}"]
    for one in week.unheard:
        why = f": {one_line(one.why, _REASON)}" if one.why else ""
        lines.append(f"  {one_line(one.node)} ({', '.join(map(one_line, one.missing))}){why}")
    if week.unasked:
        lines.append(f"  {_both(UNKNOWN)}: {', '.join(week.unasked)}")
    return lines


def _applied(week: Week) -> list[str]:
    lines = []
    for run in week.applied:
        outcome = one_line(run.outcome) or "bị ngắt hoặc đang chạy / cut off, or still at work"
        lines.append(
            f"  {local(run.started)} {run.number} {one_line(run.verb)} {one_line(' '.join(run.sites))}:"
            f" {outcome}, {run.changed} thay đổi / changes"
        )
        if run.open:
            lines.append(f"      chưa xác nhận / unconfirmed: {', '.join(map(one_line, run.open))}")
    return lines or ["  không / none"]


def _target(week: Week) -> Target:
    return Target(week.target)


def _both(said: Bilingual) -> str:
    return f"{one_line(said.vi)} / {one_line(said.en)}"

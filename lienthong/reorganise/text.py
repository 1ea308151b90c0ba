"""The report of a reorganisation as officers read it: Vietnamese, and English below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lienthong.reorganise.fate import Aspect, Fate
from lienthong.reorganise.outcome import Outcome

#: Groups of aspects in the order of the report, with their Vietnamese names.
GROUPS = {
    "slug": "tên ngắn",
    "name": "tên",
    "kind": "loại",
    "level": "cấp độ",
    "number": "số hiệu",
    "prefix": "dải địa chỉ",
    "prefix6": "dải IPv6",
    "vlan": "VLAN",
    "address": "địa chỉ",
    "address6": "địa chỉ IPv6",
    "router id": "mã định tuyến",
    "line": "đường truyền",
    "tunnel": "đường hầm",
    "dial number": "số họp trực tuyến",
    "node name": "tên thiết bị",
    "dns name": "tên miền",
    "secret": "tên bí mật",
    "vault file": "tệp bí mật",
}
#: What tells where a thing is reached: an officer asks about these first.
ADDRESSES = ("number", "prefix", "prefix6", "vlan", "address", "address6", "router id", "line", "tunnel")
#: Renamed ones are listed once, at the end, where they are something to do.
LISTED_BELOW = ("node name", "dns name", "secret", "vault file")
#: What comes and goes with its prefix or address; said only when it changes.
FOLLOW = ("prefix6", "vlan", "address6")
_FATES = {
    "changed": "thay đổi / changed",
    "closed": "đóng / closed",
    "new": "mới / new",
    "joined": "nhập vào / joined",
}


def text(outcome: Outcome) -> str:
    """The whole report; the same outcome gives the same text."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    plan = outcome.plan
    yield f"Sắp xếp lại từ {plan.day} / Reorganisation from {plan.day}"
    yield f"  {plan.decision}"
    if not outcome.changes:
        yield "Không có gì thay đổi. / Nothing changes."
        return
    yield from _units(outcome)
    same = [one for one in outcome.fates if one.fate == "same"]
    yield ""
    yield f"Giữ nguyên tất cả: {len(same)} điểm mạng / {len(same)} sites keep everything:"
    yield "  " + (", ".join(str(one.after) for one in same) or "-")
    for one in outcome.fates:
        if one.fate != "same":
            yield from _site(one, outcome)
    yield from _kept(outcome)
    yield from _todo(outcome)


def _units(outcome: Outcome) -> Iterator[str]:
    if outcome.ended:
        yield ""
        yield f"Đơn vị kết thúc ngày {outcome.plan.last_day} / Units that end on {outcome.plan.last_day}"
    for unit, heirs in sorted(outcome.ended.items()):
        rest = f", {', '.join(heirs[1:])}" if heirs[1:] else ""
        yield f"  {unit} → {heirs[0]} (giữ hồ sơ / keeps the records){rest}"


def _site(one: Fate, outcome: Outcome) -> Iterator[str]:
    yield ""
    names = one.before or ""
    if one.after != one.before:
        names = " → ".join(part for part in (one.before, one.after) if part)
    province = f", {one.province}" if one.fate == "joined" else ""
    yield f"{names}: {_FATES[one.fate]}{province}"
    if one.fate == "closed":
        number = next(aspect.before for aspect in one.changed if aspect.group == "number")
        yield f"  số hiệu {number} trống; không dùng lại khi còn giữ nhật ký cũ"
        yield f"  number {number} is free; do not use it again while its logs are kept"
        nodes = [str(aspect.before) for aspect in one.changed if aspect.group == "node name"]
        yield f"  thiết bị thu hồi / equipment to take back: {', '.join(nodes)}"
        return
    if one.fate == "new":
        yield from (
            f"  + {line}" for line in _listed(one.changed, ("number", "kind", "prefix", "dial number"))
        )
        return
    kept, moved = Counter(a.group for a in one.kept), Counter(a.group for a in one.changed)
    stays = [f"{GROUPS[g]} / {g}" for g in ADDRESSES if kept[g] and not any(one.of(g))]
    yield f"  giữ / keeps: {'; '.join(stays) or '-'}"
    for group in GROUPS:
        if moved[group] and group != "slug":
            yield from _group(group, [a for a in one.changed if a.group == group])
    follow = outcome.follows.get(str(one.after))
    if follow is not None:
        if follow.level_before != follow.level_after:
            yield "  Cấp độ đổi: danh mục kiểm soát của cấp mới được áp dụng; hồ sơ cấp độ phải duyệt lại"
            yield "  The level changes: the controls of the new level apply; its dossier is approved anew"
        if follow.lost:
            yield f"  kiểm soát không còn áp dụng / controls that no longer apply: {', '.join(follow.lost)}"
        if follow.gained:
            yield f"  kiểm soát áp dụng thêm / controls that now apply: {', '.join(follow.gained)}"


def _group(group: str, aspects: list[Aspect]) -> Iterator[str]:
    if group in LISTED_BELOW:
        renamed = [one for one in aspects if one.before and one.after]
        if renamed:
            yield f"  {GROUPS[group]} / {group}: {len(renamed)} đổi, xem dưới / change, see below"
        aspects = [one for one in aspects if one not in renamed]
    aspects = [one for one in aspects if group not in FOLLOW or (one.before and one.after)]
    if not aspects:
        return
    yield f"  {GROUPS[group]} / {group}:"
    for one in aspects:
        label = f"{one.of}: " if one.of else ""
        if one.before is None:
            yield f"    + {label}{one.after}"
        elif one.after is None:
            yield f"    - {label}{one.before}"
        else:
            yield f"    {label}{one.before} → {one.after}"


def _listed(aspects: tuple[Aspect, ...], groups: tuple[str, ...]) -> Iterator[str]:
    for group in groups:
        found = [f"{one.of} {one.after}".strip() for one in aspects if one.group == group]
        if found:
            yield f"{GROUPS[group]} / {group}: {', '.join(found)}"


def _kept(outcome: Outcome) -> Iterator[str]:
    if outcome.kept:
        yield ""
        yield "Lưu giữ / Retention"
    for one in outcome.kept:
        where = ", ".join(one.at) or "không ở đâu / nowhere"
        goes = "; hệ thống vẫn chạy / the system goes on" if one.stays else ""
        yield f"  {one.unit} {one.what}: đến / until {one.until} ({one.months} tháng / months), {where}{goes}"
        yield f"    chịu trách nhiệm / answerable: {one.by}"
        if one.what.startswith("documents") and not one.stays:
            yield "    trước khi thu hồi: sao lưu lần cuối và thử phục hồi"
            yield "    before the host goes: take a last copy and try to restore from it"
        if one.what.startswith("host"):
            yield "    chỉ máy này giữ: đừng thu hồi trước ngày đó, hoặc chuyển dữ liệu đi"
            yield "    only this host holds it: do not take it back before that day, or move what it holds"
        if not one.enough:
            yield "    chưa đủ: nơi lưu giữ ngắn hơn, hãy tăng trước khi thực hiện"
            yield "    not enough: what holds it keeps it shorter; raise that before this is carried out"


def _todo(outcome: Outcome) -> Iterator[str]:
    renamed = [a for one in outcome.fates for a in one.of("node name")]
    aliases = [a for one in outcome.fates for a in one.of("dns name")]
    secrets = [a for group in ("secret", "vault file") for one in outcome.fates for a in one.of(group)]
    if aliases:
        yield ""
        yield f"Tên miền cũ nên giữ đến {outcome.aliases_until} / DNS aliases worth keeping until then"
        yield from (f"  {a.before} → {a.after}" for a in aliases)
    if secrets:
        yield ""
        yield "Bí mật đổi tên, giữ giá trị: mất giá trị borg thì không đọc được bản sao cũ"
        yield "Secrets that change their names; keep the values: without borg's no old copy can be read"
        yield from (f"  {a.before} → {a.after}" for a in secrets)
    if renamed:
        yield ""
        yield "known_hosts: đổi tên dòng, khóa giữ nguyên / rename the lines, the keys stay"
        yield from (f"  {a.before} → {a.after}" for a in renamed)
    if outcome.gone:
        yield ""
        yield "Mất theo loại cũ / Gone with the old kind"
        yield from (f"  {name}" for name in outcome.gone)
    for vi, en in outcome.notes:
        yield ""
        yield from (vi, en)
    yield ""
    yield "Danh mục kiểm soát không ghi cấp độ; ở trên chỉ tính theo dịch vụ. Người có trách nhiệm xem lại."
    yield "The catalogue says no levels; above, controls follow services only. A person looks at the rest."

"""Restores, drills and vaults as an officer reads them."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.errors import visible
from lienthong.restore.back import Done
from lienthong.restore.far import Answer


def restored(done: Done) -> str:
    """What came back, from when, where it lies now."""
    answer = done.answer
    lines = [
        f"{done.source}: {answer['matched']} of {answer['files']} documents, {answer['bytes']} bytes, "
        f"{'every hash equal' if done.good else 'HASHES DIFFER'}",
        f"  as of {answer['start']} UTC, archive {answer['archive']} of {done.vault}",
        f"  in {done.where}",
    ]
    if done.before:
        lines.append(f"  what was there before is kept in {done.source}:{done.before}")
    if not done.good:
        counts = ", ".join(f"{answer[key]} {key}" for key in ("different", "missing", "extra"))
        lines.append(f"  {counts}: {', '.join(map(visible, answer['names']))}")
    return "\n".join(lines)


def archives(vault: str, answer: Answer) -> str:
    """The archives of one vault, newest last, and what the last look found."""
    look = answer["look"]
    rows = [
        f"  {visible(str(one['start']))[:19]}  {visible(str(one['name']))}"
        f"{'' if one['there'] else '  VANISHED'}"
        for one in answer["archives"]
    ]
    state = "nothing wrong" if look.get("ok") else "; ".join(map(visible, look.get("findings", ["no look"])))
    return "\n".join([f"{vault}: {len(rows)} archives; last look {look.get('at', 'never')}: {state}", *rows])


def drills(results: Sequence[tuple[str, Answer]]) -> str:
    """A table of drills: one line a vault."""
    heads = ("Kho / vault", "Kết quả / outcome", "khớp / equal", "RTO s", "RPO s", "bytes")
    rows = [
        (
            vault,
            "đạt / pass" if one["ok"] else "CHƯA ĐẠT / FAIL",
            f"{one.get('matched', 0)}/{one.get('expected', 0)}",
            f"{one['rto_s']}",
            f"{one.get('rpo_s', '–')}",
            f"{one.get('bytes', 0)}",
        )
        for vault, one in results
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in (heads, *rows)]
    lines += [f"  {vault}: {visible(str(one['error']))}" for vault, one in results if one["error"]]
    return "\n".join(lines)

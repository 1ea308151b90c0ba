"""The report of a reorganisation as data for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lienthong.reorganise.fate import Aspect, Fate
from lienthong.reorganise.outcome import Outcome


def data(outcome: Outcome, files: tuple[str, ...]) -> dict[str, Any]:
    """Plain values for JSON; `files` are the names of the inventory's files that change."""
    return {
        "date": outcome.plan.day.isoformat(),
        "decision": outcome.plan.decision,
        "changes": outcome.changes,
        "files": list(files),
        "units": {
            "ended": {unit: list(heirs) for unit, heirs in sorted(outcome.ended.items())},
            "begun": sorted(outcome.begun),
        },
        "sites": [_site(one) for one in outcome.fates],
        "closed": dict(sorted(outcome.closed.items())),
        "retention": [asdict(one) | {"until": one.until.isoformat()} for one in outcome.kept],
        "controls": {slug: asdict(one) for slug, one in sorted(outcome.follows.items())},
        "aliases": {
            "until": outcome.aliases_until.isoformat(),
            "names": _pairs(outcome, "dns name"),
        },
        "secrets": _pairs(outcome, "secret"),
        "vault_files": _pairs(outcome, "vault file"),
        "known_hosts": _pairs(outcome, "node name"),
        "gone": list(outcome.gone),
        "notes": [{"vi": vi, "en": en} for vi, en in outcome.notes],
    }


def _site(one: Fate) -> dict[str, Any]:
    return {
        "fate": one.fate,
        "before": one.before,
        "after": one.after,
        "province": one.province,
        "keeps": [_aspect(aspect) for aspect in one.kept],
        "changes": [_aspect(aspect) for aspect in one.changed],
    }


def _aspect(one: Aspect) -> dict[str, str | None]:
    if one.before == one.after:
        return {"group": one.group, "of": one.of, "value": one.after}
    return asdict(one)


def _pairs(outcome: Outcome, group: str) -> list[dict[str, str | None]]:
    return [{"before": a.before, "after": a.after} for one in outcome.fates for a in one.of(group)]

"""What the checks of a site say of it while its gear is changed: what passed before must pass after.

A device can hold exactly what is intended, see all its neighbours, and yet swallow what passes through it.
So the checks marked `gear=True` are asked before anything is sent, and again before the change is
confirmed. They are judged by the plan as it will be, both times: what the plan no longer wants is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lienthong.audit.run import records_of
from lienthong.errors import LienThongError
from lienthong.model.finding import Status
from lienthong.model.intent import Node
from lienthong.runners.evidence import Seen
from lienthong.workspace import Workspace

#: Other sites that are looked at when gear of the office changes: all would take longer than any window.
OTHERS = 3


class Witness:
    """Asks the checks of one checkout; may be called from many threads."""

    def __init__(self, ws: Workspace, records: Callable[..., Any] = records_of) -> None:
        self._ws = ws
        self._records = records

    def sites(self, node: Node) -> tuple[str, ...]:
        """The sites that a change of this device could touch: its own, and of the office's some others."""
        if not self._ws.site(node.site).site.hub:
            return (node.site,)
        reached = dict.fromkeys(
            one.site for one in self._ws.reachable() if one.device is not None and one.site != node.site
        )
        return (node.site, *list(reached)[:OTHERS])

    def look(self, sites: Sequence[str]) -> Seen:
        """What holds there now.

        Raises:
            LienThongError: no check could be asked.
        """
        records, code, said = self._records(self._ws, sites, ["--gear"])
        if not any("collected" in record for record in records):
            raise LienThongError(f"no check was run (pytest ended with {code})", hint=said[-1500:])
        return seen(records)


def seen(records: Sequence[Mapping[str, Any]]) -> Seen:
    """What the records of a run of checks say: of each check whether it passed, of the rest why not.

    A check that fails counts for the single things that it says hold, so that what was broken before the
    change does not hide what the change breaks.
    """
    holds: set[str] = set()
    why: dict[str, str] = {}
    for record in records:
        if "held" in record:
            holds.update(
                f"{record['control']} {record['node'] or record['site']}: {one}" for one in record["held"]
            )
        elif "finding" in record:
            finding = record["finding"]
            if finding["status"] == Status.PASS:
                holds.add(_place(finding))
            else:
                why[_place(finding)] = _first(finding["detail"])
    return Seen(frozenset(holds), why)


def _first(detail: str) -> str:
    return next(iter(detail.splitlines()), "")


def _place(finding: Mapping[str, Any]) -> str:
    """`NET-02a test_every_flow_of_the_plan_passes loc-ninh`."""
    return f"{finding['control']} {finding['check'].split('::')[-1]} {finding['node'] or finding['site']}"

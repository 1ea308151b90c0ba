"""The report page: one self-contained HTML file that asks nobody for anything.

The page's policy forbids every request; its one style and one script are named by their hashes, so that even
markup that slipped through could neither run nor be dressed up.
"""

from __future__ import annotations

import base64
import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from lienthong.model.finding import AuditRun, Clause, Control, Finding, Severity, Status
from lienthong.model.intent import SitePlan
from lienthong.model.site import Bilingual
from lienthong.report import drawing, labels
from lienthong.report.hostile import one_line, visible

_HERE = Path(__file__).parent
_HANOI = timezone(timedelta(hours=7))  # the whole country, all year; needs no time zone database


@dataclass(frozen=True)
class Group:
    """A control with everything found about it at one site."""

    id: str
    control: Control | None
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Status:
        return labels.worst(self.findings) or Status.NOT_ASSESSED

    @property
    def severity(self) -> Severity | None:
        return self.control.severity if self.control else None

    @property
    def mappings(self) -> tuple[Clause, ...]:
        return self.control.mappings if self.control else ()

    @property
    def counts(self) -> dict[Status, int]:
        return {status: number for status, number in labels.counts(self.findings).items() if number}

    @property
    def frameworks(self) -> str:
        """Separated by `|`, for the filter."""
        return "|".join(sorted({framework(clause) for clause in self.mappings}))


@dataclass(frozen=True)
class Place:
    """A node, or the site as a whole, with what was found there."""

    name: str
    node: bool
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Status | None:
        return labels.worst(self.findings)

    @property
    def counts(self) -> dict[Status, int]:
        return labels.counts(self.findings)

    @property
    def troubles(self) -> list[str]:
        """Controls that failed or could not be looked at here."""
        return sorted({f.control for f in self.findings if f.status in {Status.FAIL, Status.ERROR}})


@dataclass(frozen=True)
class Trouble:
    """One line of what needs attention: a control that is not met for one reason, at one or more places."""

    status: Status
    group: Group
    reason: str
    where: tuple[str, ...]


def framework(clause: Clause) -> str:
    """Framework with edition, as readers know it."""
    return f"{clause.framework}:{clause.edition}" if clause.edition else clause.framework


def render(
    run: AuditRun,
    site: str,
    findings: Sequence[Finding],
    controls: Mapping[str, Control],
    plan: SitePlan | None,
) -> str:
    """The page of one site.

    Args:
        run: the audit; of its findings only `findings` are shown.
        site: slug.
        findings: those of the site, in a stable order.
        controls: the catalogue; a finding of a control that is not in it is shown as such.
        plan: what the drawing is made from; None when the inventory no longer has the site.
    """
    groups = grouped(findings, controls)
    style = _read("drawing.css") + _read("report.css")
    script = _read("report.js")
    return _template().render(
        run=run,
        site=site,
        plan=plan,
        name=plan.site.name
        if plan
        else Bilingual(vi="(không có trong kiểm kê)", en="(not in the inventory)"),
        groups=groups,
        troubles=troubles(groups),
        places=places(findings, plan),
        counts=labels.counts(findings),
        verdict=verdict(findings),
        unmapped=sum(not group.mappings for group in groups),
        frameworks=sorted({framework(clause) for group in groups for clause in group.mappings}),
        seconds=(run.ended - run.started).total_seconds(),
        # Markup: the drawing is built as a tree and escaped there, the rest are files of this package.
        drawing=Markup(_drawn(plan, findings)) if plan else None,  # noqa: S704
        symbols=Markup(ET.tostring(drawing.symbols(), encoding="unicode")),  # noqa: S704
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def verdict(findings: Sequence[Finding]) -> tuple[Status, Bilingual]:
    """What the first line says. A site is only called good when everything could be looked at."""
    tally = labels.counts(findings)
    failed, errors, open_ = (tally[s] for s in (Status.FAIL, Status.ERROR, Status.NOT_ASSESSED))
    if failed:
        return Status.FAIL, Bilingual(vi=f"Chưa đạt: {failed} phát hiện", en=f"{failed} failing")
    if errors:
        return Status.ERROR, Bilingual(
            vi=f"Chưa kết luận: {errors} lỗi khi kiểm tra", en=f"inconclusive: {errors} errors"
        )
    if not tally[Status.PASS]:
        return Status.NOT_ASSESSED, Bilingual(vi="Chưa đánh giá", en="nothing was assessed")
    if open_:
        return Status.NOT_ASSESSED, Bilingual(
            vi=f"Đạt ở phần đã xem, còn {open_} chưa đánh giá", en=f"passes as far as assessed, {open_} open"
        )
    return Status.PASS, Bilingual(vi="Đạt", en="everything that applies passes")


def grouped(findings: Sequence[Finding], controls: Mapping[str, Control]) -> list[Group]:
    """By control: the worst first, then the gravest, then by id."""
    by_control: dict[str, list[Finding]] = {}
    for finding in findings:
        by_control.setdefault(finding.control, []).append(finding)
    groups = [
        Group(
            name,
            controls.get(name),
            tuple(sorted(found, key=lambda f: (labels.weight(f.status), f.node or ""))),
        )
        for name, found in by_control.items()
    ]
    return sorted(groups, key=lambda g: (labels.weight(g.worst), labels.severity_weight(g.severity), g.id))


def troubles(groups: Sequence[Group]) -> list[Trouble]:
    """Failures, then errors; places with the same reason share a line, so that one cause is read once."""
    where: dict[tuple[Status, str, str], list[str]] = {}
    by_id = {group.id: group for group in groups}
    for group in groups:
        for finding in group.findings:
            if finding.status in {Status.FAIL, Status.ERROR}:
                key = (finding.status, group.id, finding.detail or finding.description)
                where.setdefault(key, []).append(finding.node or finding.site)
    return sorted(
        (Trouble(status, by_id[name], why, tuple(at)) for (status, name, why), at in where.items()),
        key=lambda trouble: labels.weight(trouble.status),
    )


def places(findings: Sequence[Finding], plan: SitePlan | None) -> list[Place]:
    """The site as a whole, then its nodes in the plan's order, then nodes the plan does not know."""
    names = [*(plan.nodes if plan else ())]
    names += sorted({f.node for f in findings if f.node is not None} - set(names))
    whole = tuple(f for f in findings if f.node is None)
    nodes = [Place(name, True, tuple(f for f in findings if f.node == name)) for name in names]
    return [*([Place("", False, whole)] if whole else []), *nodes]


def _drawn(plan: SitePlan, findings: Sequence[Finding]) -> str:
    worst = {
        place.name: place.worst for place in places(findings, plan) if place.node and place.worst is not None
    }
    return drawing.draw(plan, worst)


def _local(moment: datetime) -> str:
    """Vietnam's time; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(_HANOI).strftime("%d/%m/%Y %H:%M:%S (UTC+7)")


def _lines(text: str) -> str:
    return visible(text, lines=True)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seen": visible,
        "seen_lines": _lines,
        "line": one_line,
        "local": _local,
        "slug": labels.slug,
    }
    environment.filters["framework"] = framework
    environment.globals |= {
        "STATUS": labels.STATUS,
        "MEANING": labels.MEANING,
        "SEVERITY": labels.SEVERITY,
        "KIND": labels.KIND,
        "TARGET": labels.TARGET,
    }
    return environment.get_template("report.html.j2")

"""What a check found, and the run it belongs to. Everything a report shows comes from here.

Strings that came from a device are hostile: whoever shows them escapes them for its own medium.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from lienthong.model.site import Bilingual, Model
from lienthong.model.words import Target


class Status(StrEnum):
    """What is known of a control at one place."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    NOT_ASSESSED = "not assessed"
    ERROR = "error"


class Kind(StrEnum):
    """What looking costs: nothing, harmless traffic, or a disturbance."""

    READ = "read"
    PROBE = "probe"
    DRILL = "drill"


class Severity(StrEnum):
    """How bad a failure is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Clause(Model):
    """Where a control comes from: framework, edition, clause number."""

    framework: str
    edition: str
    clause: str


class Control(Model):
    """One line of the catalogue, `checks/controls.yaml`."""

    id: str
    title: Bilingual
    severity: Severity
    kind: Kind
    mappings: tuple[Clause, ...] = ()


class Finding(Model):
    """The outcome of one check at one place."""

    control: str
    check: str
    """file and function, e.g. `test_firewall.py::test_live_rules_equal_plan`"""
    description: str
    """first line of the check's docstring"""
    site: str
    node: str | None
    """None for a finding about the site as a whole"""
    status: Status
    kind: Kind
    detail: str = ""
    """why it failed or does not apply; hostile text"""
    evidence: tuple[str, ...] = ()
    """what was seen, line by line; hostile text"""
    seconds: float = 0.0


class AuditRun(Model):
    """One audit of some sites on one target."""

    target: Target
    sites: tuple[str, ...]
    drill: bool
    started: datetime
    ended: datetime
    commit: str
    version: str
    findings: tuple[Finding, ...]

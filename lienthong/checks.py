"""What a check is made of: the `@control` mark, the selectors of nodes, and the two honest ways out.

A check is a function `test_*` in `checks/test_<topic>.py`. The first line of its docstring is its
description. It returns nothing: passing is passing, an `assert` that does not hold is a failure, any
other exception is an error of the check (never a failure of the site).

    from lienthong.checks import HOSTS, control, not_applicable, runs

    @control("SRV-01", nodes=HOSTS)
    def test_sshd_lets_no_root_in(facts, evidence):
        '''sshd lets nobody in as root and takes no password.'''
        evidence(f"permitrootlogin {facts.sshd['permitrootlogin']}")
        assert facts.sshd["permitrootlogin"] == "no"

    @control("NET-08", kind="probe")
    def test_names_resolve(site, probes): ...

With `nodes` a check runs once for every matching node of the audited sites, and may ask for the
fixtures `node` (plan), `host` (Testinfra: ssh, sudo, host key verified) and `facts` (`lienthong.facts`),
which only a Debian system has; of gear of a vendor for `device` (`lienthong.facts.gear`).
Without, it runs once a site. Every check may ask for `site` (SitePlan), `plan` (ProvincePlan), `access`,
`secrets`, `probes` (`lienthong.audit.probes`), `hosts` (any node's Testinfra host by name: `hosts(name)`),
`facts_of` (any node's facts by name: `facts_of(name)`) and `evidence` (call it with a line that was seen).

With `gear=True` a check is also run before a device is told anything and before the change of it is
confirmed: what passed must pass again, or the device is returned. Such a check is quick and harmless. One
that looks at many things says of each that it holds (`evidence.holds`), so that one which did not hold
before the change hides no other.

Checks that ask only for these run side by side in threads, so slow ones overlap; `alone=True` keeps one
to itself. A check that asks for other fixtures runs by itself, as pytest does it. Drills run last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from _pytest.outcomes import (
    Skipped,  # what `pytest.skip` raises; it has no public name that can be subclassed
)

from lienthong.model.finding import Kind
from lienthong.model.intent import Node
from lienthong.model.words import Side

#: Testinfra's host: it has no types of its own.
Host = Any
#: Gives the Testinfra host of any system by its name.
Hosts = Callable[[str], Host]
Check = TypeVar("Check", bound=Callable[..., None])
MARK = "__lienthong_control__"


class Evidence:
    """A check calls it with a line that was seen; it stands in the report."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.held: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def holds(self, fact: str) -> None:
        """Say of one thing among many that it holds now, in words that are the same each time it does."""
        self.held.append(fact)


@dataclass(frozen=True)
class Selector:
    """Which nodes a check is about; combine with `&`, `|` and `~`."""

    words: str
    """how a reader is told: `a node that runs logs`"""
    matches: Callable[[Node], bool]

    def __and__(self, other: Selector) -> Selector:
        return Selector(
            f"{self.words} and {other.words}", lambda node: self.matches(node) and other.matches(node)
        )

    def __or__(self, other: Selector) -> Selector:
        return Selector(
            f"{self.words} or {other.words}", lambda node: self.matches(node) or other.matches(node)
        )

    def __invert__(self) -> Selector:
        return Selector(f"not {self.words}", lambda node: not self.matches(node))


ALL = Selector("any node", lambda _: True)
#: Every node that runs Linux; with the platforms of today that is all of them.
LINUX = Selector("a Linux system", lambda _: True)
HOSTS = Selector("a host", lambda node: node.device is None)
GEAR = Selector("a gateway or switch", lambda node: node.device is not None)
#: Gear that is asked by its own command line only: checks ask for `device`.
VENDOR = Selector("gear of a vendor", lambda node: node.device is not None and not node.debian)
GATEWAYS = Selector("a gateway", lambda node: node.is_gateway)
SWITCHES = Selector("a switch", lambda node: node.is_switch)


def runs(service: str) -> Selector:
    """Nodes that run a service."""
    return Selector(f"a node that runs {service}", lambda node: node.runs(service))


def side(wanted: Side | str) -> Selector:
    """Nodes of one side."""
    return Selector(f"a node of side {wanted}", lambda node: node.side is Side(wanted))


@dataclass(frozen=True)
class Mark:
    """What `@control` says of a check."""

    control: str
    kind: Kind
    nodes: Selector | None
    alone: bool
    lab_only: bool
    gear: bool = False


class NotApplicable(Skipped):
    """Facts show that the control has no object here. Not a skip: it is counted in the open."""


class NotAssessed(Skipped):
    """A machine cannot see it here; the text is the question a person must answer."""


def not_applicable(reason: str) -> NoReturn:
    """The control does not apply, as facts show; say which: `kernel: auditctl -s is not permitted`."""
    raise NotApplicable(reason)


def not_assessed(question: str) -> NoReturn:
    """Nobody looked; `question` is what a person must find out."""
    raise NotAssessed(question)


def control(
    name: str,
    *,
    kind: Kind | str = Kind.READ,
    nodes: Selector | None = None,
    alone: bool = False,
    lab_only: bool = False,
    gear: bool = False,
) -> Callable[[Check], Check]:
    """Mark a function as the check of a control of the catalogue `checks/controls.yaml`.

    Args:
        name: id in the catalogue, e.g. `SRV-01`; several checks may share one.
        kind: what looking costs: `read`, `probe` (harmless traffic) or `drill` (disturbs).
        nodes: which nodes it looks at, one by one; None for the site as a whole.
        alone: nothing else may run at the same time.
        lab_only: it speaks of the lab itself and is not collected live.
        gear: what passed before a change of gear must pass before the change is confirmed.
    """
    mark = Mark(name, Kind(kind), nodes, alone, lab_only, gear)

    def apply(function: Check) -> Check:
        if not (function.__doc__ or "").strip():
            raise TypeError(f"{function.__name__} needs a docstring: its first line is its description")
        setattr(function, MARK, mark)
        return function

    return apply


def mark_of(function: Any) -> Mark | None:
    """The mark of a function, None for one that has none."""
    mark = getattr(function, MARK, None)
    return mark if isinstance(mark, Mark) else None


def description_of(function: Any) -> str:
    """First line of the docstring."""
    return (function.__doc__ or "").strip().splitlines()[0]

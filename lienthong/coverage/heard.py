"""One event of every asset, and where it was found after how long."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic, sleep

from lienthong.errors import LienThongError
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Side
from lienthong.services.logs import STORE, Params
from lienthong.target import Access

WITHIN_S = 12.0
TAG = "lienthong-audit"
COLLECTOR, CENTRAL = "collector", "central"
#: Newest events that are looked through: minutes of a busy province.
NEWEST = 50_000
#: Runs a command as root on a system; its output.
#: Raises LienThongError or RuntimeError: not reached, or it failed.
Run = Callable[[str, str], str]

_AT_COLLECTOR = (
    f"found=$({STORE} show --newest 2 --last {NEWEST} --text {TAG}-) || exit 1; "
    f"printf %s \"$found\" | grep -oE '{TAG}-[0-9a-f]{{16}}' || true"
)
_AT_CENTRAL = f"grep -rhoE '{TAG}-[0-9a-f]{{16}}' --include=*.log /var/log/central || true"


@dataclass(frozen=True)
class Places:
    """Where the events of a side must be found: system by place, and what is asked there."""

    collector: str
    central: str | None
    """None where nobody of ours may look: live, Central is asked by a person."""

    def asked(self) -> dict[str, tuple[str, str]]:
        """System and question by place."""
        found = {COLLECTOR: (self.collector, _AT_COLLECTOR)}
        if self.central is not None:
            found[CENTRAL] = (self.central, _AT_CENTRAL)
        return found


@dataclass(frozen=True)
class Heard:
    """What became of the event of one asset."""

    node: Node
    what: str
    """what it is: `Debian`, or a platform; with `simulated` where the lab plays it"""
    places: Places | None
    after_s: dict[str, float] = field(default_factory=dict)
    """seconds by place where it was found"""
    why: str = ""
    """why it could not be sent, or not be looked for"""

    @property
    def missing(self) -> tuple[str, ...]:
        """Places where it should have been and was not."""
        places = self.places.asked() if self.places else {COLLECTOR: None}
        return tuple(place for place in places if place not in self.after_s)


def places_of(plan: ProvincePlan, access: Access, side: Side) -> Places | None:
    """Where the events of a side must be; None when this target has no collector of it."""
    collectors = [node for node in plan.running("logs", side) if access.reaches(node)]
    if not collectors:
        return None
    params = collectors[0].services["logs"].params
    assert isinstance(params, Params)
    # Central is nobody's to look into but its own; the lab plays it.
    return Places(collectors[0].name, params.central if access.management_interfaces else None)


def what_is(node: Node, access: Access) -> str:
    """What an asset is, as it counts: a simulated device is not the real one."""
    platform = node.device.platform if node.device is not None else node.platform
    if node.name in access.platforms:
        platform = access.platforms[node.name][0]
    name = "Debian" if node.debian and node.name not in access.acted else str(platform)
    return f"{name} (simulated)" if access.simulated or node.name in access.acted else name


def hear(nodes: Sequence[Node], plan: ProvincePlan, access: Access, run: Run) -> list[Heard]:
    """Every node sends its nonce; whoever hears of it is asked until all are found or time is over.

    Args:
        nodes: of any side, each one that this target reaches.
        run: how a command is run there.
    """
    found: list[Heard] = []
    for side in Side:
        mine = [node for node in nodes if node.side is side]
        if mine:
            found += _of_side(mine, places_of(plan, access, side), access, run)
    order = {node.name: place for place, node in enumerate(nodes)}
    return sorted(found, key=lambda one: order[one.node.name])


def _of_side(nodes: Iterable[Node], places: Places | None, access: Access, run: Run) -> list[Heard]:
    why: dict[str, str] = {}
    nonces: dict[str, str] = {}
    what = {node.name: what_is(node, access) for node in nodes}
    for node in nodes:
        if places is None:
            why[node.name] = "the collector of its side is not reached"
        elif not node.debian or node.name in access.acted:
            why[node.name] = f"{what[node.name]}: no sender of events"
        else:
            nonces[node.name] = f"{TAG}-{secrets.token_hex(8)}"
    sent_at: dict[str, float] = {}

    def send(name: str) -> None:
        try:
            run(name, f"logger -t {TAG} {nonces[name]}")
            sent_at[name] = monotonic()
        except (LienThongError, RuntimeError) as error:
            why[name] = str(error)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(send, nonces))
    after: dict[str, dict[str, float]] = {node.name: {} for node in nodes}
    if places is not None and sent_at:
        troubles = _look({nonces[name]: name for name in sent_at}, sent_at, places, after, run)
        for name in sent_at:
            why[name] = "; ".join(said for place, said in troubles.items() if place not in after[name])
    return [Heard(node, what[node.name], places, after[node.name], why.get(node.name, "")) for node in nodes]


def _look(
    names: dict[str, str],
    sent_at: dict[str, float],
    places: Places,
    after: dict[str, dict[str, float]],
    run: Run,
) -> dict[str, str]:
    """Fills `after`; returns what kept us from looking, by place."""
    troubles: dict[str, str] = {}
    until = max(sent_at.values()) + WITHIN_S
    while True:
        for place, (where, question) in places.asked().items():
            if all(place in after[name] for name in sent_at):
                continue
            try:
                seen = set(run(where, question).split())
                troubles.pop(place, None)
            except (LienThongError, RuntimeError) as error:
                troubles[place] = str(error)
                continue
            for nonce in seen & set(names):
                after[names[nonce]].setdefault(place, monotonic() - sent_at[names[nonce]])
        if all(len(after[name]) == len(places.asked()) for name in sent_at) or monotonic() > until:
            return troubles
        sleep(0.5)

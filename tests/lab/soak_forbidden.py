"""Every segment of the lab against every other and the Internet: TCP, UDP, ICMP, by IPv4 and by IPv6.

    python -m tests.lab.soak_forbidden --lab test-district --minutes 5

What a flow of the plan lets pass is left out, all else is sent and must not arrive. The audit does it for
the pairs of one site; here are all of them, sites of the lab among each other too, again and again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from ipaddress import IPv4Network

from lienthong.audit.play import Swept, sweep
from lienthong.audit.session import CheckSession
from lienthong.model.intent import End, Forbidden
from lienthong.model.words import Side
from lienthong.plan.ends import segment_end
from lienthong.plan.flows import pairs_between
from lienthong.workspace import Workspace
from tests.lab.conftest import NAME, ROOT


def pairs(session: CheckSession) -> list[Forbidden]:
    """Every ordered pair of places where a probe stands, the Internet among them."""
    here = [segment for slug in session.sites for segment in session.site(slug).segments.values()]
    internet = End("internet", (IPv4Network("0.0.0.0/0"),), ours=False)
    away = [Forbidden(a.side, segment_end(a), internet, a.side is Side.WAN) for a in here]
    back = [Forbidden(Side.NET, internet, segment_end(a), a.side is Side.WAN) for a in here]
    return [*pairs_between(here, here), *away, *back]


def once(session: CheckSession) -> Swept:
    """One round over all pairs, with the ears proved anew."""
    hub = next(site for site in session.ws.plan.sites.values() if site.site.hub)
    return sweep(session.ws.plan, session.ws.access, session.probes, hub, pairs(session))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lab", default=NAME)
    parser.add_argument("--minutes", type=float, default=5.0)
    asked = parser.parse_args()
    os.environ["LIENTHONG_LAB"] = asked.lab
    ws = Workspace(ROOT, "lab")
    sites = tuple(s for s, plan in ws.plan.sites.items() if any(map(ws.access.reaches, plan.nodes.values())))
    ends, tried, rounds, worst = time.monotonic() + asked.minutes * 60, 0, 0, 0
    while rounds == 0 or time.monotonic() < ends:
        session = CheckSession(ws, sites, drill=False, gear=True)
        began = time.monotonic()
        try:
            session.open()
            found = once(session)
        finally:
            session.close()
        rounds, tried = rounds + 1, tried + found.tried
        told = asdict(found) | {"seconds": round(time.monotonic() - began, 1)}
        print(json.dumps(told), flush=True)
        worst = max(worst, len(found.same_side) + len(found.across) + len(found.blind))
    print(
        f"{len(sites)} sites, {rounds} rounds, {found.pairs} ordered pairs, {tried} packets, {worst} passed"
    )
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())

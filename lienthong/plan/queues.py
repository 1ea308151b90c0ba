"""How the bandwidth of a line is shared: routing and conferences before everything else. Pure.

The queue must form at the gateway, where somebody chooses what waits, and not at the provider, who drops
whatever comes last. So a line is filled a little below its contracted rate. Each queue has its share even
when all are full: nothing starves, and what one leaves is lent to the others, the first ones first.
"""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.model.intent import Node

#: Of the contracted rate; the rest is for headers of the provider's that nobody here sees.
FILLED_PERCENT = 95
#: The longest that a packet waits in a queue of its own share, before later ones are dropped.
WAIT_S = 0.1
#: Octets of a full packet.
PACKET = 1500
LEAST_PACKETS = 30


@dataclass(frozen=True)
class Queue:
    """One class of packets, by DSCP (RFC 4594)."""

    number: int
    """also the order in which what is left is lent"""
    name: str
    marks: tuple[int, ...]
    """empty: everything else"""
    share_percent: int


QUEUES = (
    # OSPF and BFD are CS6 by themselves; without them a full line would be taken for a dead one.
    Queue(10, "routing", (48, 56), 5),
    Queue(20, "sound", (46,), 30),
    Queue(30, "picture and signalling", (34, 24), 40),
    Queue(40, "everything else", (), 25),
)
assert sum(queue.share_percent for queue in QUEUES) == 100


@dataclass(frozen=True)
class Share:
    """A queue on a line of some rate."""

    queue: Queue
    rate_kbit: int
    limit_packets: int


@dataclass(frozen=True)
class LineQueues:
    """A line of a gateway and what is sent on it first."""

    interface: str
    rate_kbit: int
    shares: tuple[Share, ...]


def queues_of(node: Node) -> tuple[LineQueues, ...]:
    """The queues of a gateway's lines to other sites, at the hub one line a site.

    A line whose rate the inventory does not say has none: where it is full nobody knows then.
    """
    if node.device is None or not node.is_gateway:
        return ()
    return tuple(
        of_rate(interface.name, interface.rate_mbps)
        for interface in node.device.interfaces
        if interface.ospf is not None and interface.rate_mbps is not None
    )


def of_rate(interface: str, rate_mbps: int) -> LineQueues:
    """The queues of a line of that contracted rate in Mbit/s."""
    rate = rate_mbps * 10 * FILLED_PERCENT
    limit = max(LEAST_PACKETS, round(rate * 1000 * WAIT_S / (8 * PACKET)))
    return LineQueues(
        interface, rate, tuple(Share(queue, rate * queue.share_percent // 100, limit) for queue in QUEUES)
    )

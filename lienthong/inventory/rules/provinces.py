"""Rules of the province's own file: pools that are private and apart from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.site import Province
from lienthong.plan.policy import INTERNET

#: RFC 1918 and, for carriers between, RFC 6598.
PRIVATE = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
#: Unique local addresses (RFC 4193).
LOCAL6 = IPv6Network("fc00::/7")
POOL6_BITS = 44
"""A pool of this size has a /56 for each of 4096 site numbers."""

#: Most characters of one part of a domain (RFC 1035, 2.3.4).
LABEL = 63


def check(province: Province, where: Callable[[Path_], str]) -> Iterator[Problem]:
    """Pools of the province, and the outside systems that must not lie in them."""
    pools = {"wan_pool": province.wan_pool, "net_pool": province.net_pool, "link_pool": province.link_pool}
    for name, pool in pools.items():
        if not any(pool.subnet_of(private) for private in PRIVATE):
            yield Problem(
                where((name,)),
                f"{name} {pool} is not private: every conference endpoint would have a public address",
                "take it from 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
            )
    for (name, pool), (other, beside) in combinations(pools.items(), 2):
        if pool.overlaps(beside):
            yield Problem(where((other,)), f"{other} {beside} overlaps {name} {pool}", "keep them apart")
    pools6 = {"wan_pool6": province.wan_pool6, "net_pool6": province.net_pool6}
    for name, pool6 in pools6.items():
        if pool6 is not None and pool6.prefixlen > POOL6_BITS:
            yield Problem(where((name,)), f"{name} {pool6} is too small", f"take a /{POOL6_BITS} or larger")
    if province.wan_pool6 is not None and not province.wan_pool6.subnet_of(LOCAL6):
        yield Problem(
            where(("wan_pool6",)),
            f"wan_pool6 {province.wan_pool6} is not a unique local prefix",
            "the WAN side is never routed on the Internet: take it from fd00::/8 (RFC 4193)",
        )
    if province.wan_pool6 and province.net_pool6 and province.wan_pool6.overlaps(province.net_pool6):
        yield Problem(where(("net_pool6",)), "net_pool6 overlaps wan_pool6", "keep them apart")
    for label in province.domain.split("."):
        if len(label) > LABEL:
            what = f"a part of a domain has at most {LABEL} characters, {label[:12]}… has {len(label)}"
            yield Problem(where(("domain",)), what, "put a dot into it, or shorten it (RFC 1035, 2.3.4)")
    for slug, outside in province.outside.items():
        if slug == INTERNET:
            hint = "it stands for the whole Internet: give the one system a name of its own"
            yield Problem(where(("outside", slug)), f"an outside system cannot be called {slug}", hint)
        for name, pool in pools.items():
            if outside.address in pool:
                yield Problem(
                    where(("outside", slug, "address")),
                    f"{outside.address} lies in {name}, which is ours",
                    "an outside system has an address of its own",
                )

"""`lienthong call` on the lab: a real call with figures, and a line that loses packets is told from one that
does not."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.conftest import District

SECONDS = "5"
#: Where an endpoint sends, so that what is gone never was on the wire: a listener sees before its own filter.
LOSSY = (
    "nft add table ip lossy && nft 'add chain ip lossy out { type filter hook output priority 10; }' && "
    "nft add rule ip lossy out udp dport 10000-20000 numgen random mod 100 '<' 10 drop"
)


def calls(district: District, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and rows."""
    done = district.run("call", *words, "--seconds", SECONDS, "--json", timeout_s=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["calls"]


def test_a_call_between_two_sites_has_figures(district: District) -> None:
    code, (row,) = calls(district, "loc-ninh", "tinh-uy")
    assert (code, row["verdict"], row["why"]) == (0, "good", [])
    assert 0 < row["ringing_ms"] + row["established_ms"] < 3000
    assert [(m["medium"], m["listener"]) for m in row["measured"]] == [
        ("audio", "tinh-uy-vc"),
        ("video", "tinh-uy-vc"),
        ("audio", "loc-ninh-vc"),
        ("video", "loc-ninh-vc"),
    ]
    for one in row["measured"]:
        assert one["expected"] >= one["packets"] > (150 if one["medium"] == "audio" else 40)
        assert one["secure"] and one["cipher"]
        assert list(one["marks"]) == (["46"] if one["medium"] == "audio" else ["34"])


def test_loss_is_seen_where_it_arrives_and_both_are_free_again(district: District) -> None:
    try:
        district.on("loc-ninh-vc", "sh", "-c", LOSSY)
        code, (row,) = calls(district, "--all")
    finally:
        district.on("loc-ninh-vc", "nft", "delete", "table", "ip", "lossy")
    assert (code, row["verdict"]) == (1, "beyond limits")
    lost = {one["listener"]: one["loss_percent"] for one in row["measured"] if one["medium"] == "audio"}
    assert 2 < lost["tinh-uy-vc"] < 25
    assert lost["loc-ninh-vc"] < 0.5
    # An endpoint takes one call at a time, so that a second rehearsal shows that the first was ended.
    code, (row,) = calls(district, "--all")
    assert (code, row["verdict"]) == (0, "good")

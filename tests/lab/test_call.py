"""`lienthong call` on the lab: a real call with figures, and a line that loses packets is told from one that
does not."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.lab import conftest, soak_calls
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


def test_an_endpoint_whose_registrar_fell_silent_starts_anew_but_never_during_a_call(
    district: District,
) -> None:
    """What its timer runs, with 4 s for the minute: else baresip waits up to half an hour after an outage."""

    def process() -> str:
        return district.on("loc-ninh-vc", "systemctl", "show", "-P", "MainPID", "baresip").strip()

    def look(quiet_s: int) -> str:
        return district.on("loc-ninh-vc", "lienthong-reachable", str(quiet_s))

    assert "loaded active" in district.on(
        "loc-ninh-vc", "systemctl", "list-units", "--no-legend", "baresip-reachable.timer"
    )
    first = process()
    assert look(60) == "" and process() == first
    media = "import socket, time; s = socket.socket(type=2); s.bind(('', 10444)); time.sleep(60)"
    district.on("loc-ninh-vc", "systemd-run", "-q", "--unit=media", "python3", "-c", media)
    try:
        # A process that stands still hears nothing.
        district.on("loc-ninh-vc", "kill", "-STOP", first)
        time.sleep(5)
        assert look(4) == "" and process() == first
        district.on("loc-ninh-vc", "systemctl", "stop", "media")
        assert "starts anew" in look(4)
        for _ in range(20):
            if process() not in {first, "0"}:
                break
            time.sleep(0.5)
        assert process() not in {first, "0"}
    finally:
        district.on("loc-ninh-vc", "sh", "-c", f"kill -CONT {first} || systemctl stop media || true")
    for _ in range(30):
        if "1005" in (known := district.on("tinh-uy-reg", "kamcmd", "ul.dump", "brief")):
            break
        time.sleep(1)
    assert "1005" in known, known


def test_two_calls_go_on_over_the_spare_line(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short part of `soak_calls`: the main line is cut meanwhile."""
    monkeypatch.setenv("LIENTHONG_LAB", conftest.NAME)
    outcome = soak_calls.campaign(
        soak_calls.Lab(conftest.NAME), calls=2, videos=1, windows=3, window_s=10.0, cut=1, mend=None
    )
    soak_calls.show(outcome)
    assert not outcome.wrong(), "\n".join(outcome.wrong())
    assert len(outcome.ways) == 6
    known = district.on("tinh-uy-reg", "kamcmd", "htable.dump", "accounts")
    assert str(soak_calls.FIRST + 1) not in known

"""The lease of a gateway: who holds it, until when, and what a clock or a restart does to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lienthong.lease import gateway

A, B = "officer a on one", "officer b on two"


def ask(
    kept: dict[str, Any], now: float, boot: str = "x", **question: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    return gateway.answer(question, kept, now, boot)


def test_a_second_owner_is_told_who_holds_it_and_for_how_long() -> None:
    said, kept = ask({}, 100, do="take", owner=A, seconds=30)
    assert said == {"fence": 1}
    said, same = ask(kept, 110, do="take", owner=B, seconds=30)
    assert said == {"owner": A, "left": 20.0}
    assert same == kept


def test_what_has_run_out_is_given_to_the_next_and_lost_to_the_first() -> None:
    _, kept = ask({}, 100, do="take", owner=A, seconds=30)
    said, kept = ask(kept, 130.1, do="take", owner=B, seconds=30)
    assert said == {"fence": 2}
    said, same = ask(kept, 131, do="refresh", fence=1, seconds=30)
    assert said == {"lost": f"{B} holds it now"}
    assert same == kept


def test_a_lease_that_ran_out_is_not_refreshed_even_if_nobody_took_it() -> None:
    _, kept = ask({}, 100, do="take", owner=A, seconds=30)
    said, _ = ask(kept, 131, do="refresh", fence=1, seconds=30)
    assert said == {"lost": "it has run out"}


def test_refreshing_counts_from_now() -> None:
    _, kept = ask({}, 100, do="take", owner=A, seconds=30)
    _, kept = ask(kept, 120, do="refresh", fence=1, seconds=30)
    said, _ = ask(kept, 149, do="take", owner=B, seconds=30)
    assert said["owner"] == A


def test_giving_back_frees_it_and_the_number_goes_on_growing() -> None:
    _, kept = ask({}, 100, do="take", owner=A, seconds=30)
    _, kept = ask(kept, 101, do="release", fence=1)
    said, kept = ask(kept, 102, do="take", owner=B, seconds=30)
    assert said == {"fence": 2}
    _, same = ask(kept, 103, do="release", fence=1)
    assert same == kept, "a former owner frees nothing"


def test_after_a_restart_it_holds_for_its_whole_length_again() -> None:
    _, kept = ask({}, 90_000, "before", do="take", owner=A, seconds=30)
    assert ask(kept, 10, "after", do="take", owner=B, seconds=30)[0]["owner"] == A
    assert ask(kept, 31, "after", do="take", owner=B, seconds=30)[0] == {"fence": 2}
    said, kept = ask(kept, 10, "after", do="refresh", fence=1, seconds=30)
    assert said == {"fence": 1}
    assert ask(kept, 39, "after", do="take", owner=B, seconds=30)[0]["owner"] == A


def test_nobody_waits_for_a_dead_run_of_its_own() -> None:
    _, kept = ask({}, 100, do="take", owner=A, seconds=30)
    assert ask(kept, 101, do="take", owner=A, seconds=30, instead=1)[0] == {"fence": 2}
    assert "owner" in ask(kept, 101, do="take", owner=B, seconds=30, instead=7)[0]


def test_no_lease_is_longer_than_ten_minutes() -> None:
    _, kept = ask({}, 0, do="take", owner=A, seconds=1e9)
    assert ask(kept, 601, do="take", owner=B, seconds=30)[0] == {"fence": 2}


def test_the_program_answers_a_line_for_a_line_and_keeps_across_connections(tmp_path: Path) -> None:
    code = "from lienthong.lease import gateway; import sys; gateway.main(sys.argv[1])"

    def talk(*questions: dict[str, Any]) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            input="".join(json.dumps(one) + "\n" for one in questions),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert talk({"do": "take", "owner": A, "seconds": 30}) == [{"fence": 1}]
    (said,) = talk({"do": "take", "owner": B, "seconds": 30})
    assert said["owner"] == A
    (tmp_path / "lease.json").write_text("{ torn", encoding="utf-8")
    assert "fence" in talk({"do": "take", "owner": B, "seconds": 30})[0]

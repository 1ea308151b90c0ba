"""A short part of `soak_vault`, with a seed of its own: cuts, a deletion, all of it back."""

from __future__ import annotations

from tests.lab.conftest import NAME, District
from tests.lab.soak_vault import Soak


def test_documents_survive_cuts_and_a_deletion(district: District) -> None:
    assert district.first is not None
    soak = Soak(NAME, 7)
    try:
        wanted = soak.put(300)
        soak.job_through_cuts(3, 0, "2mbit")
        soak.deletion()
        soak.all_equal(wanted, "after cuts and a deletion")
    finally:
        soak.tidy()

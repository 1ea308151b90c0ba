"""A short part of `soak_vault`, with a seed of its own: a document soon, cuts, a deletion, all back."""

from __future__ import annotations

from tests.lab.conftest import NAME, District
from tests.lab.soak_vault import Soak

#: The gap of the inventory (a minute), which a fetch just before may have begun, and what a fetch takes.
SOON_S = 60.0 + 30.0


def test_a_document_is_fetched_soon_after_it_appears(district: District) -> None:
    assert district.first is not None
    assert Soak(NAME, 7).soon(SOON_S) < SOON_S


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

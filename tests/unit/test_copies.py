"""What a store says of its copies, its scanner and its databases, spoilt one by one: every check fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from checks import test_backup, test_database, test_scan
from lienthong.services.backup import Copy
from lienthong.services.database import Params as Database
from lienthong.services.scan import Params as Scan


@dataclass(frozen=True)
class Told:
    rc: int = 0
    stdout: str = ""
    stderr: str = ""


class Said:
    """A host that answers a command by the first of its words that the command has."""

    def __init__(self, **answers: Told) -> None:
        self.answers = answers

    def run(self, command: str) -> Told:
        return next(told for word, told in self.answers.items() if word in command)


def evidence(_: str) -> None: ...


def node(name: str, **services: Any) -> Any:
    return SimpleNamespace(
        name=name, services={key: SimpleNamespace(params=params) for key, params in services.items()}
    )


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


GOOD: dict[str, Any] = {"ok": True, "at": days_ago(1), "archives": 3, "error": ""}


def offline(copies: dict[str, Any], attached: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = Copy.model_validate(
        {"name": "disk-a", "place": "tinh-uy/safe", "medium": "disk", "offline": True, "max_age_days": 8}
    )
    monkeypatch.setattr(test_backup, "params_of", lambda _: SimpleNamespace(copies=[copy]))
    host = Said(copies=Told(stdout=json.dumps(copies)), mountpoint=Told(0 if attached else 1))
    test_backup.test_offline_copy_is_young_and_away(node("tinh-uy-vault-wan"), lambda _: host, evidence)


def test_an_offline_copy_that_is_young_and_away_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    offline({"disk-a": GOOD}, False, monkeypatch)


@pytest.mark.parametrize(
    ("copies", "attached", "why"),
    [
        ({}, False, "nothing was ever copied"),
        ({"disk-b": GOOD}, False, "nothing was ever copied"),
        ({"disk-a": {**GOOD, "ok": False, "error": "not read back"}}, False, "failed: not read back"),
        ({"disk-a": {**GOOD, "at": days_ago(9.5)}}, False, "9 days old"),
        ({"disk-a": GOOD}, True, "is attached"),
    ],
)
def test_an_offline_copy_that_is_no_good_fails(
    copies: dict[str, Any], attached: bool, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError, match=why):
        offline(copies, attached, monkeypatch)


def signed(days: float) -> str:
    return f"{datetime.now(UTC).timestamp() - days * 86400:.0f} main.cvd\n"


SCANNER = {"for f in": Told(stdout=signed(1)), "clamscan": Told(1, "stdin: Eicar-Test-Signature FOUND")}


def scanner(answers: dict[str, Told]) -> None:
    test_scan.test_scanner_is_fresh_and_finds(
        node("x", scan=Scan(signature_days=7)), Said(**answers), evidence
    )


def test_a_fresh_scanner_passes() -> None:
    scanner(SCANNER)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"for f in": Told(stdout="")}, "no signatures"),
        ({"for f in": Told(stdout=signed(8.5))}, "8 days old"),
        ({"for f in": Told(stdout=signed(1) + "17 Sep 2024 04-22 -0400 <\n")}, "days old"),
        ({"clamscan": Told(0, "stdin: OK")}, "the test file is not found"),
        ({"clamscan": Told(2, "", "ERROR: no database")}, "the test file is not found: ERROR"),
    ],
)
def test_a_scanner_that_is_no_good_fails(spoilt: dict[str, Told], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        scanner({**SCANNER, **spoilt})


@dataclass(frozen=True)
class Store:
    """What the database and the newest archive of it say."""

    listed: Told = Told(stdout="ho so\nlienthong_restore_1\n")
    files: tuple[str, ...] = (".lienthong-databases/postgresql-ho%20so.dump",)
    error: str = ""

    def judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: dict[str, Any] = {"archive": "a", "files": [(path, 1) for path in self.files]}
        monkeypatch.setattr(test_database, "vault_of", lambda *_: (node("vault"), None))
        monkeypatch.setattr(test_database, "answer", lambda *_: {"error": self.error} if self.error else told)
        db, plan, host = (
            node("db", database=Database(engine="postgresql")),
            SimpleNamespace(),
            Said(psql=self.listed),
        )
        test_database.test_databases_are_in_the_copy(db, plan, lambda _: host, evidence)  # type: ignore[arg-type]


def test_a_copy_with_every_database_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    Store().judged(monkeypatch)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda store: replace(store, files=()), "not in the newest copy: ho so"),
        (lambda store: replace(store, files=("mariadb-ho%20so.dump",)), "not in the newest copy"),
        (lambda store: replace(store, listed=Told(stdout="ho so\nnew\n")), "not in the newest copy: new"),
        (lambda store: replace(store, listed=Told(1, "", "no connection")), "cannot read: no connection"),
        (lambda store: replace(store, error="no archive yet"), "no archive yet"),
    ],
)
def test_a_copy_without_one_fails(
    spoil: Callable[[Store], Store], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError, match=why):
        spoil(Store()).judged(monkeypatch)

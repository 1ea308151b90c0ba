"""Which logins at a source are the vault's, by the source's own journal."""

from __future__ import annotations

import json

from checks.test_backup import Login, login_of, unexplained

VAULT = "10.128.5.10"


def line(said: str, at: float = 1000.0) -> str:
    return json.dumps({"MESSAGE": said, "__REALTIME_TIMESTAMP": str(int(at * 1e6))})


def login(at: float, address: str = VAULT) -> Login:
    return Login(at, True, address, "SHA256:a")


def test_a_login_is_read_from_the_journal() -> None:
    told = line(f"Accepted publickey for lienthong-fetch from {VAULT} port 38826 ssh2: ED25519 SHA256:a")
    assert login_of(told) == login(1000.0)
    refused = login_of(told.replace("Accepted", "Failed"))
    assert refused is not None and not refused.accepted
    for other in (
        "no json",
        "{}",
        line("Accepted publickey for lienthong from 1.2.3.4 port 1 ssh2: X SHA256:a"),
    ):
        assert login_of(other) is None


def test_each_try_of_the_vault_explains_one_login() -> None:
    assert unexplained([login(1001), login(1002)], [1000.5, 1001.5, 1900], VAULT) == []
    assert unexplained([login(1001), login(1002)], [1000.5], VAULT) == [login(1002)]
    assert unexplained([login(2000)], [1000.5], VAULT) == [login(2000)]
    broken, own, stolen = 1000.0, login(1025), login(1036)
    assert unexplained([own, stolen], [broken, 1024.0], VAULT) == [stolen], (
        "a try that came to nothing covers nobody"
    )
    refused = login(1001)._replace(accepted=False)
    assert unexplained([refused], [1000.5], VAULT) == [], "its own try, refused, is no thief's"
    assert unexplained([refused, login(1002)], [1000.5], VAULT) == [login(1002)]
    assert unexplained([login(1001, "10.9.9.9")], [1000.5], VAULT) == [login(1001, "10.9.9.9")]


def test_a_job_that_tries_again_and_again_explains_each_of_its_logins() -> None:
    """A source that is not ready lets it in and gives nothing; a try right after a login is not its own."""
    tries = [1000 + 2.5 * n for n in range(16)]
    assert unexplained([login(at + 1.3) for at in tries], tries, VAULT) == []
    assert unexplained([login(at - 1.0) for at in tries], tries, VAULT) == [], "its clock is ahead"


def test_tries_that_came_to_nothing_cover_no_thief_after_the_next_login() -> None:
    refused = [1000 + 2.0 * n for n in range(8)]
    own, stolen = login(1016.7), login(1025.0)
    assert unexplained([own, stolen], [*refused, 1016.0, 1035.0], VAULT) == [stolen]


#: Seen on a busy machine after a first apply: fetches, a watch beside them, what the source wrote down.
FETCHES = [946.091, 949.695, 953.675, 957.003, 959.697, 962.767, 965.327, 968.019, 970.425, 973.076, 1066.281]
WAITS = [942.401, 948.156, 958.860, 975.598]
SEEN = [
    943.621, 947.462, 950.073, 951.371, 954.803, 957.563, 959.311, 960.580, 963.205, 965.885, 968.348,
    970.963, 973.701, 976.264, 1066.527,
]  # fmt: skip


def test_two_kinds_of_tries_beside_each_other_explain_every_login() -> None:
    seen = [login(at) for at in SEEN]
    assert unexplained(seen, FETCHES, VAULT, WAITS) == []
    assert len(unexplained(seen, FETCHES, VAULT)) == len(SEEN) - len(FETCHES)
    stolen = login(1090.0)
    assert unexplained([*seen, stolen], FETCHES, VAULT, WAITS) == [stolen]
    for missing in range(len(SEEN)):
        assert unexplained(seen[:missing] + seen[missing + 1 :], FETCHES, VAULT, WAITS) == []

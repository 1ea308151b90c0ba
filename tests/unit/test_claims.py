"""What goes when a deploy does not ask for it any more, and what must not go."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from lienthong.hosts import deploying
from lienthong.hosts.claims import TAKE_AWAY, Claim, in_words, not_wanted, note, noted
from lienthong.hosts.nodestate import FileState, NodeState, UnitState
from tests.rendered import claimed, space_of
from tests.whole import loaded, whole

ROOT = Path(__file__).resolve().parents[2]
WEB: frozenset[Claim] = frozenset(
    {("file", "/etc/nginx/nginx.conf"), ("unit", "nginx.service"), ("user", "docs", "/var/lib/docs")}
)


def test_a_note_is_read_as_it_was_written() -> None:
    lines = [f"app:{line}" for line in note(WEB).splitlines()]
    assert noted(lines) == {"app": WEB}


@pytest.mark.parametrize(
    "line",
    [
        "app:file /etc/../root/x",
        "app:wipe /",
        "app:wipe /etc",
        "app:wipe /home/lienthong",
        "app:wipe /var/lib/..",
        "app:file /etc/a b",
        "app:unit x;reboot",
        "app:unit -x",
        "app:user docs",
        "app:user docs /var/lib/x /etc",
        "../app:unit x",
        "app:other x",
        "app:wipe /media",
        "app:file /etc/\x1b[31m",
        "rubbish",
    ],
)
def test_what_is_no_claim_is_not_believed(line: str) -> None:
    assert noted([line]) == {}


def test_a_claim_that_would_not_be_read_again_is_not_written() -> None:
    with pytest.raises(ValueError, match="no claim"):
        note([("file", "/root/x")])


def test_what_is_not_asked_for_goes_in_order_and_the_rest_stays() -> None:
    gone = not_wanted("app", frozenset({("file", "/etc/nginx/nginx.conf")}), {"app": WEB})
    assert gone == (("unit", "nginx.service"), ("user", "docs", "/var/lib/docs"))
    assert in_words(gone) == "stop nginx.service, remove account docs"
    everything = [claim[0] for claim in not_wanted("app", frozenset(), {"app": WEB})]
    assert everything == ["unit", "file", "user"]
    assert not_wanted("app", WEB, {"app": WEB}) == ()
    assert not_wanted("app", frozenset(), {}) == ()


def test_what_another_deploy_has_noted_stays_with_it() -> None:
    backup: frozenset[Claim] = frozenset({("user", "docs", "/var/lib/docs")})
    gone = not_wanted("app", frozenset(), {"app": WEB, "backup": backup})
    assert [claim[:2] for claim in gone] == [("unit", "nginx.service"), ("file", "/etc/nginx/nginx.conf")]


def test_a_path_that_is_claimed_in_another_way_does_not_go() -> None:
    old: frozenset[Claim] = frozenset({("wipe", "/srv/documents"), ("unit", "chrony.service")})
    new: frozenset[Claim] = frozenset(
        {("keep", "/srv/documents"), ("shared", "chrony.service", "/etc/chrony/conf.d/x")}
    )
    assert not_wanted("app", new, {"app": old}) == ()


def test_a_shared_unit_is_started_anew_once_when_its_files_go() -> None:
    old: frozenset[Claim] = frozenset(
        {("shared", "rsyslog.service", f"/etc/rsyslog.d/{x}") for x in "ab"} | {("file", "/etc/rsyslog.d/a")}
    )
    assert [claim[0] for claim in not_wanted("logs", frozenset(), {"logs": old})] == ["file", "shared"]


def test_the_home_of_an_account_that_is_data_is_kept() -> None:
    old: frozenset[Claim] = frozenset({("keep", "/srv/vault"), ("user", "vault", "/srv/vault")})
    assert not_wanted("backup", frozenset(), {"backup": old}) == (
        ("keep", "/srv/vault"),
        ("user", "vault", "-"),
    )


def test_what_goes_is_not_there_for_a_deploy_that_comes_later() -> None:
    def there(kind: str, mode: int = 0o755) -> FileState:
        return FileState(kind, mode, "docs", "docs", 0.0, "")

    state = NodeState(
        files={
            "/etc/nginx/nginx.conf": there("f"),
            "/etc/nginx/nginx.conf.kept": there("f"),
            "/srv/documents": there("d"),
            "/usr/local/lib/lienthong/www": there("d"),
            "/usr/local/lib/lienthong/www/index.html": there("f"),
            "/var/lib/docs": there("d"),
        },
        units={"nginx.service": UnitState(True, 0.0)},
        enabled=frozenset({"nginx.service", "chrony.service"}),
        groups={"docs": ("www-data", "other"), "vault": ()},
        users={"docs": "/var/lib/docs"},
    )
    state.forget(
        [
            *WEB,
            ("keep", "/srv/documents"),
            ("wipe", "/usr/local/lib/lienthong/www"),
            ("member", "docs", "www-data"),
            ("group", "vault"),
        ]
    )
    assert set(state.files) == {"/etc/nginx/nginx.conf.kept", "/srv/documents"}
    assert (state.files["/srv/documents"].mode, state.files["/srv/documents"].user) == (0o700, "root")
    assert (state.units, state.users) == ({}, {})
    assert state.enabled == {"chrony.service"}
    assert state.groups == {"docs": ("other",)}


def test_a_file_that_must_go_at_once_goes_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations are run a second time when everything is planned, and the deploy has tidied up meanwhile."""
    state = NodeState(files={"/etc/x.conf": FileState("f", 0o644, "root", "root", 0.0, "")})
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(deploying, "node_state", lambda: state)
    monkeypatch.setattr(deploying, "_absent", lambda *paths, **_: asked.append(paths))
    deploying.absent("/etc/x.conf", "/etc/y.conf", name="x")
    state.forget([("file", "/etc/x.conf")])
    deploying.absent("/etc/x.conf", name="x")
    assert asked == [("/etc/x.conf",)]


def test_the_script_is_one_that_a_shell_reads() -> None:
    assert subprocess.run(["sh", "-n"], input=TAKE_AWAY, text=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def claims() -> dict[tuple[str, str], frozenset[Claim]]:
    """Of an inventory in which everything runs."""
    return claimed(space_of(loaded(whole())))


def test_what_deploys_claim_is_read_again(claims: dict[tuple[str, str], frozenset[Claim]]) -> None:
    assert {topic for _, topic in claims} >= {"backup", "database", "logs", "monitoring", "portal", "scan"}
    for (node, topic), mine in claims.items():
        assert noted(f"{topic}:{line}" for line in note(mine).splitlines()) == {topic: mine}, node


def test_who_keeps_a_certificate_in_memory_is_told(claims: dict[tuple[str, str], frozenset[Claim]]) -> None:
    told = {claim[1:] for mine in claims.values() for claim in mine if claim[0] == "uses"}
    assert told == {
        ("chrony.service", "restart"),
        ("kamailio.service", "reload"),
        ("lienthong-mirror.service", "reload"),
        ("nginx.service", "reload"),
        ("rsyslog.service", "restart"),
    }


def test_data_stays_and_so_do_units_of_others(claims: dict[tuple[str, str], frozenset[Claim]]) -> None:
    every = {claim for mine in claims.values() for claim in mine}
    assert {claim[1] for claim in every if claim[0] == "keep"} == {
        "/srv/archive",
        "/srv/documents",
        "/srv/flows",
        "/srv/flows/new",
        "/srv/flows/store",
        "/srv/mirror",
        "/srv/scans",
        "/srv/scans/scan-front-desk",
        "/srv/scans/scan-front-desk/new",
        "/srv/signatures",
        "/srv/vault",
        "/var/lib/lienthong/archive",
        "/var/lib/lienthong/ca",
        "/var/lib/lienthong/vault",
        "/var/lib/lienthong-central",
        "/var/log/lienthong",
    }
    units = {claim[1] for claim in every if claim[0] == "unit"}
    assert not units & {"chrony.service", "nftables.service", "rsyslog.service", "systemd-journald.service"}
    # The list that officers write is theirs; what is made of it is not.
    paths = {claim[1] for claim in every if claim[0] in {"file", "wipe"}}
    assert "/etc/lienthong/blocked-names" not in paths
    assert "/etc/unbound/rpz/officer.zone" in paths


def not_tidy(deploys: Path) -> list[str]:
    """Deploy files (those for hosts) that do not end by taking away what they no longer ask for."""
    wrong = []
    for path in sorted(deploys.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not any(
            isinstance(n, ast.ImportFrom) and n.module == "lienthong.hosts.deploying" for n in tree.body
        ):
            continue
        calls = [
            node.args[0].value
            for node in ast.walk(tree.body[-1])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tidy"
            if isinstance(node.args[0], ast.Constant)
        ]
        if calls != [path.stem]:
            wrong.append(path.name)
    return wrong


def test_every_deploy_takes_away_what_it_no_longer_asks_for(tmp_path: Path) -> None:
    assert not_tidy(ROOT / "deploys") == []
    (tmp_path / "x.py").write_text("from lienthong.hosts.deploying import place\nplace()\n")
    assert not_tidy(tmp_path) == ["x.py"]

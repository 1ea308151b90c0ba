"""Packages for the closed side on real files: made by apt and reprepro, judged, asked for over TLS."""

from __future__ import annotations

import functools
import http.server
import io
import json
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checks import test_mirror as checks
from lienthong.bundle.words import Content
from lienthong.checks import Evidence, NotApplicable
from lienthong.cli import app
from lienthong.errors import LienThongError, Refused, Unreachable
from lienthong.hosts import deploying
from lienthong.hosts.deploying import render
from lienthong.hosts.nodestate import NodeState
from lienthong.mirror import pinned, publish, snapshot, wanted
from lienthong.model.intent import ProvincePlan
from lienthong.model.secret import SecretRef
from lienthong.model.words import Side, Target
from lienthong.plan.build import build
from lienthong.plan.policy import forward_rules, input_rules
from lienthong.secrets.kinds import refuse_wrong
from lienthong.secrets.names import Identity, identity_of, needs
from lienthong.secrets.openpgp import home, is_key
from lienthong.target import lab_dir
from tests.bundling import Sides
from tests.snapshots import PROGRAM, SUITE, key, packed, program, public, resigned
from tests.snapshots import snapshot as made
from tests.whole import loaded, whole

MIRROR, SERVER = "loc-ninh-packages", "loc-ninh-srv"
PORTS = ((8543, 8543),)
DATE = "%a, %d %b %Y %H:%M:%S UTC"


def day(**away: float) -> str:
    return (datetime.now(UTC) + timedelta(**away)).strftime(DATE)


@pytest.fixture(scope="module")
def plan() -> ProvincePlan:
    return build(loaded(whole()))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("pristine") / "snapshot")


@pytest.fixture
def good(pristine: Path, tmp_path: Path) -> Path:
    """A good snapshot, for the test to spoil."""
    return Path(shutil.copytree(pristine, tmp_path / "snapshot"))


@pytest.fixture
def mirror(tmp_path: Path) -> SimpleNamespace:
    """A mirror's folder; `run` is its program."""
    store = tmp_path / "srv"
    store.mkdir()
    (tmp_path / "key.asc").write_text(public())
    conf = tmp_path / "mirror.json"
    conf.write_text(json.dumps({"store": str(store), "key": str(tmp_path / "key.asc"), "suite": SUITE}))

    def run(words: str, folder: Path | io.BytesIO | None = None, **now: Any) -> tuple[int, dict[str, Any]]:
        stream = packed(folder) if isinstance(folder, Path) else folder
        said = io.StringIO()
        real, sys.stdout = sys.stdout, said
        try:
            code = program().main(words.split(), conf, stream, **now)
        finally:
            sys.stdout = real
        return code, json.loads(said.getvalue())

    return SimpleNamespace(store=store, conf=conf, run=run)


def served(store: Path) -> dict[str, bytes]:
    current = (store / "current").resolve()
    return {str(p.relative_to(current)): p.read_bytes() for p in current.rglob("*") if p.is_file()}


# The key


def test_a_key_is_one_that_signs_and_its_home_goes(tmp_path: Path) -> None:
    text = key("own").reveal()
    ref = SecretRef("mirror/net")
    refuse_wrong(ref, text)
    for wrong in ("", public(), text[:300], text + key("stranger").reveal()):
        assert not is_key(wrong)
    with pytest.raises(LienThongError, match="one armoured OpenPGP"):
        refuse_wrong(ref, public())
    with home(key("own")) as found:
        assert found.path.stat().st_mode & 0o777 == 0o700
        assert (
            found.fingerprint
            in subprocess.run(
                ["gpg", "--homedir", str(tmp_path), "--show-keys"],
                input=found.public(),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    assert not found.path.exists()


def test_the_key_is_a_secret_of_the_internet_side(plan: ProvincePlan) -> None:
    assert identity_of(pinned.KEY, plan) == Identity(None, Side.NET)
    (need,) = [need for need in needs(plan) if need.ref == pinned.KEY]
    assert need.nodes == ()


def test_the_public_half_is_written_once_and_never_silently_another(tmp_path: Path) -> None:
    own, other = (SimpleNamespace(get=lambda _, name=name: key(name)) for name in ("own", "stranger"))
    path = tmp_path / "inventory" / "mirror.asc"
    access: Any = SimpleNamespace(target=Target.LIVE, root=tmp_path)
    with pytest.raises(LienThongError, match="cannot be read"):
        pinned.pinned(access, own)
    assert pinned.write(path, own)
    assert not pinned.write(path, own)
    assert pinned.pinned(access, own) == public()
    with pytest.raises(LienThongError, match="another key"):
        pinned.write(path, other)
    assert pinned.pinned(access, own) == public()
    assert pinned.write(path, other, replace=True)
    assert "PRIVATE" not in path.read_text()


def test_a_lab_has_its_own_key(tmp_path: Path) -> None:
    access: Any = SimpleNamespace(target=Target.LAB, root=tmp_path)
    assert pinned.pinned(access, SimpleNamespace(get=lambda _: key("own"))) == public()
    assert pinned.public_file(access).parent == lab_dir(tmp_path)
    assert not (tmp_path / "inventory").exists()


# What is wanted


def test_what_a_side_needs_follows_from_its_inventory(plan: ProvincePlan) -> None:
    sets = wanted.wanted(plan, Side.WAN)
    assert all({"openssh-server", "chrony", "linux-image-amd64", "sudo"} <= names for names in sets)
    every = frozenset().union(*sets)
    assert {"clamav", "ocrmypdf", "nginx-light"} <= every
    assert not all("ocrmypdf" in names for names in sets), "systems are looked at one by one"
    assert wanted.valid_days(plan, Side.WAN) == 40
    with pytest.raises(LienThongError, match="no host of side net"):
        wanted.wanted(plan, Side.NET)


def test_a_system_asks_one_mirror_of_its_own_side(plan: ProvincePlan) -> None:
    def asked(side: Side) -> set[str | None]:
        served_by = [wanted.serving(plan, node) for node in plan.nodes.values() if node.side is side]
        return {node.name if node else None for node in served_by}

    assert asked(Side.WAN) == {MIRROR}
    assert asked(Side.NET) == {None}
    gateways = [
        rule for rule in forward_rules(plan, plan.nodes["loc-ninh-gw-wan"]) if rule.flow.ports == PORTS
    ]
    assert gateways, "its gateway lets other segments ask it"
    own = [rule for rule in input_rules(plan, plan.nodes[MIRROR]) if rule.flow.ports == PORTS]
    assert own, "and so does its own filter"
    assert not [rule for rule in input_rules(plan, plan.nodes[SERVER]) if rule.flow.ports == PORTS]


# Making a snapshot


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that stands for Debian's, signed by its own key."""
    (tmp_path / "debian.asc").write_text(public("debian"))
    path = made(tmp_path / "debian", by="debian")
    line = f"deb [signed-by={tmp_path}/debian.asc] copy:{path} {SUITE} main"
    monkeypatch.setattr(snapshot, "_sources", lambda: [line])
    return path


def fetched(tmp_path: Path, name: str, *names: str) -> snapshot.Snapshot:
    sets = [frozenset(names)]
    return snapshot.fetch(
        tmp_path / name, sets, key("own"), tmp_path / "work", 30, lambda _: None, whole=False
    )


def debs(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.deb")}


def test_a_snapshot_is_what_is_asked_for_and_what_that_needs(tmp_path: Path, archive: Path) -> None:
    found = fetched(tmp_path, "out", "one")
    assert debs(found.path) == {"one_1.0_all.deb", "two_1.0_all.deb"}
    assert found.packages == 2
    assert sorted(path.name for path in found.path.iterdir()) == ["dists", "pool"]
    text = (found.path / "dists" / SUITE / "InRelease").read_text()
    assert "\nValid-Until: " in text
    assert fetched(tmp_path, "again", "one").packages == 2, "what is fetched already belongs to it too"
    with pytest.raises(LienThongError, match="is there already"):
        fetched(tmp_path, "out", "three")


def test_news_is_fetched_and_what_is_old_forgotten(tmp_path: Path, archive: Path) -> None:
    fetched(tmp_path, "first", "one")
    shutil.rmtree(archive)
    made(tmp_path / "newer", by="debian", version="2.0").rename(archive)
    assert debs(fetched(tmp_path, "second", "one").path) == {"one_2.0_all.deb", "two_2.0_all.deb"}
    assert debs(tmp_path / "work") == {"one_2.0_all.deb", "two_2.0_all.deb"}


def spoil_archive(archive: Path) -> None:
    next(archive.rglob("two_*.deb")).write_bytes(b"x" * next(archive.rglob("two_*.deb")).stat().st_size)


def sign_archive_otherwise(archive: Path) -> None:
    resigned(archive, by="stranger")


@pytest.mark.parametrize("spoil", [spoil_archive, sign_archive_otherwise])
def test_nothing_is_made_of_what_apt_does_not_verify(
    tmp_path: Path, archive: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(archive)
    with pytest.raises(Unreachable, match="apt"):
        fetched(tmp_path, "out", "one")
    assert not [path for path in tmp_path.iterdir() if path.name in {"out", ".out.part"}]


def test_a_package_that_nobody_has_is_an_error(tmp_path: Path, archive: Path) -> None:
    with pytest.raises(Unreachable, match="four"):
        fetched(tmp_path, "out", "one", "four")


def test_a_controller_of_the_closed_side_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    monkeypatch.setenv("LIENTHONG_SIDE", "wan")
    told = CliRunner().invoke(app, ["mirror", "fetch", str(tmp_path / "out"), "--target", "live"])
    assert isinstance(told.exception, LienThongError)
    assert "reaches no archive" in told.exception.what


# Taking it


def test_a_snapshot_is_put_in_place_once(good: Path, mirror: SimpleNamespace) -> None:
    assert mirror.run("status") == (0, {"served": False})
    code, told = mirror.run("take", good)
    assert (code, told["changed"], told["packages"]) == (0, True, 3)
    assert set(served(mirror.store)) >= {f"dists/{SUITE}/InRelease"}
    assert mirror.run("take", good)[1]["changed"] is False
    _, status = mirror.run("status")
    assert (status["served"], status["good"], status["packages"]) == (True, True, 3)
    for path in (mirror.store / "current").resolve().rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
    assert (mirror.store / "current").resolve().stat().st_mode & 0o777 == 0o755


def test_the_one_before_is_kept_and_no_more(good: Path, mirror: SimpleNamespace) -> None:
    for hour in (3, 2, 1):
        assert mirror.run("take", resigned(good, Date=day(hours=-hour)))[0] == 0
    names = sorted(path.name for path in (mirror.store / "snapshots").iterdir())
    assert len(names) == 2
    assert (mirror.store / "current").resolve().name == names[-1]
    assert not list(mirror.store.glob(".new-*"))


def one_of(folder: Path, pattern: str) -> Path:
    return next(folder.rglob(pattern))


def flip(folder: Path) -> None:
    path = one_of(folder, "two_*.deb")
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def flip_list(folder: Path) -> None:
    path = one_of(folder, "Packages")
    path.write_text(path.read_text().replace("Version: 1.0", "Version: 9.0"))


def flip_signed(folder: Path) -> None:
    path = one_of(folder, "InRelease")
    path.write_text(path.read_text().replace("Label: Lien", "Label: Mien"))


def add_before_signed(folder: Path) -> None:
    path = one_of(folder, "InRelease")
    path.write_text(f"Date: {day()}\n" + path.read_text().replace("SHA256", "SHA256 "))


#: reason → what is done to a good snapshot that is newer than the served one
SPOILT: tuple[tuple[str, Callable[[Path], object]], ...] = (
    ("altered", flip),
    ("altered", flip_list),
    ("altered", lambda f: one_of(f, "two_*.deb").unlink()),
    ("altered", lambda f: one_of(f, "two_*.deb").write_bytes(b"")),
    ("altered", lambda f: one_of(f, "Packages.gz").unlink()),
    ("altered", lambda f: (f / "pool" / "extra.deb").write_text("x")),
    ("altered", lambda f: (f / "pool" / "link.deb").symlink_to("/etc/passwd")),
    ("altered", lambda f: resigned(f, Valid_Until=None)),
    ("altered", lambda f: resigned(f, Date="yesterday")),
    ("unsigned", flip_signed),
    ("unsigned", add_before_signed),
    ("unsigned", lambda f: one_of(f, "InRelease").unlink()),
    ("unsigned", lambda f: one_of(f, "InRelease").write_text(one_of(f, "Release").read_text())),
    ("unsigned", lambda f: resigned(f, by="stranger")),
    ("expired", lambda f: resigned(f, Valid_Until=day(minutes=-1))),
    ("not-yet", lambda f: resigned(f, Date=day(hours=1))),
    ("older", lambda f: resigned(f, Date=day(days=-2))),
    ("other", lambda f: resigned(f, Codename="trixie")),
)


@pytest.mark.parametrize(("reason", "spoil"), SPOILT)
def test_what_is_refused_leaves_what_is_served(
    reason: str, spoil: Callable[[Path], object], good: Path, mirror: SimpleNamespace
) -> None:
    newest = one_of(good, "InRelease").read_bytes()
    assert mirror.run("take", resigned(good, Date=day(days=-1)))[0] == 0
    before = served(mirror.store)
    one_of(good, "InRelease").write_bytes(newest)
    spoil(good)
    code, told = mirror.run("take", good)
    assert (code, told["refused"]) == (2, reason), told
    assert served(mirror.store) == before
    assert sorted(path.name for path in mirror.store.iterdir()) == [".lock", "current", "snapshots"]
    assert len(list((mirror.store / "snapshots").iterdir())) == 1


@pytest.mark.parametrize("name", ["pool/../../out", "/etc/x", "pool//x", "other/x", "pool/.x", "dists/a\nb"])
def test_a_path_that_leads_elsewhere_is_refused(name: str, mirror: SimpleNamespace) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    out.seek(0)
    code, told = mirror.run("take", out)
    assert (code, told["refused"]) == (2, "altered")
    assert not list(mirror.store.rglob("out"))


def test_half_a_snapshot_is_none(good: Path, mirror: SimpleNamespace) -> None:
    whole_tar = packed(good).getvalue()
    code, told = mirror.run("take", io.BytesIO(whole_tar[: len(whole_tar) // 2]))
    assert (code, told["refused"]) == (2, "altered")
    assert not (mirror.store / "current").exists()


def test_a_run_that_was_killed_leaves_the_old_or_the_new(
    good: Path, mirror: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mirror.run("take", resigned(good, Date=day(days=-1)))[0] == 0
    before = served(mirror.store)
    resigned(good, Date=day(hours=-1))

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(program().Mirror, "point", die)
        with pytest.raises(Killed):
            mirror.run("take", good)
    assert served(mirror.store) == before
    (mirror.store / ".new-left").mkdir()
    (mirror.store / ".current.new").symlink_to("nowhere")
    assert mirror.run("take", good)[1]["changed"] is True
    assert served(mirror.store) != before
    assert not list(mirror.store.glob(".new-*"))


def test_the_status_tells_what_became_of_it(good: Path, mirror: SimpleNamespace) -> None:
    mirror.run("take", good)
    later = datetime.now(UTC) + timedelta(days=31)
    assert mirror.run("status", now=later)[1]["why"].startswith("expired: ")
    one_of((mirror.store / "current").resolve(), "two_*.deb").unlink()
    told = mirror.run("status")[1]
    assert (told["served"], told["good"]) == (True, False)
    assert told["why"].endswith("two_1.0_all.deb is missing")
    assert told["date"]


# On its way


def local(mirror: SimpleNamespace) -> Any:
    """Stands for SSH: runs the program here."""

    def run(node: str, words: list[str], *, within_s: object, stdin: int) -> Any:
        call = f"runpy.run_path({str(PROGRAM)!r})['main']({words[1:]!r}, {str(mirror.conf)!r})"
        script = f"import runpy, sys; sys.exit({call})"
        return subprocess.run(
            [sys.executable, "-c", script], stdin=stdin, capture_output=True, text=True, check=False
        )

    return SimpleNamespace(run=run)


def test_a_snapshot_crosses_as_a_bundle_and_is_published(
    tmp_path: Path, good: Path, mirror: SimpleNamespace
) -> None:
    (tmp_path / "sides").mkdir()
    sides = Sides(tmp_path / "sides")
    shutil.rmtree(sides.source)
    shutil.copytree(good, sides.source)
    arrived = sides.take(sides.export(content=Content.PACKAGES).path).path
    found = publish.publish(local(mirror), "packages", arrived)
    assert (found.changed, found.packages) == (True, 3)
    assert publish.publish(local(mirror), "packages", arrived).changed is False
    flip(arrived)
    resigned(arrived, Date=day(minutes=1))
    with pytest.raises(Refused, match="packages does not take it: altered"):
        publish.publish(local(mirror), "packages", arrived)
    with pytest.raises(LienThongError, match="is no snapshot"):
        publish.publish(local(mirror), "packages", tmp_path)


@pytest.mark.parametrize(("code", "said"), [(0, ""), (0, "{}"), (0, "[]"), (127, ""), (1, '{"failed": "x"}')])
def test_an_answer_that_is_none_is_no_success(code: int, said: str) -> None:
    with pytest.raises(Unreachable, match=f"ended with {code}"):
        publish.answer("packages", code, said, "")


# Who asks


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def client(tmp_path: Path, good: Path, mirror: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """A scratch system whose apt has the files of the deploy, and a web server with a certificate."""
    mirror.run("take", good)
    pki = tmp_path / "pki"
    pki.mkdir()
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "other"):
        run("openssl", "req", "-x509", *curve, "-days", "2", "-subj", f"/CN={name}", "-keyout",
            pki / f"{name}.key", "-out", pki / f"{name}.crt")  # fmt: skip
    run("openssl", "req", *curve, "-subj", "/CN=x", "-keyout", pki / "node.key", "-out", pki / "node.csr")
    (pki / "names").write_text("subjectAltName=DNS:localhost")
    run("openssl", "x509", "-req", "-in", pki / "node.csr", "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", pki / "names", "-out", pki / "node.crt")  # fmt: skip
    handler = functools.partial(Quiet, directory=str(mirror.store / "current"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "node.crt", pki / "node.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    port = server.server_address[1]

    def configure(authority: str = "ca", by: str = "own", more: str = "") -> dict[str, str]:
        (tmp_path / "pinned.asc").write_text(public(by))
        source = render(
            "mirror/mirror.list.j2", key=tmp_path / "pinned.asc", server="localhost", port=port, suite=SUITE
        )
        (tmp_path / "mirror.list").write_text(source)
        conf = render(
            "mirror/apt.conf.j2", source=tmp_path / "mirror.list", authority=pki / f"{authority}.crt"
        )
        for name in ("lists/partial", "cache/archives/partial"):
            (tmp_path / "apt" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "apt" / "status").touch()
        settings = {
            "Dir::State": tmp_path / "apt",
            "Dir::State::status": tmp_path / "apt" / "status",
            "Dir::Cache": tmp_path / "apt" / "cache",
            "Dir::Log": tmp_path / "apt",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::main": "/dev/null",
            "Debug::NoLocking": "true",
            "APT::Sandbox::User": "root",  # a folder of a test is nobody else's to read
        }
        conf += "".join(f'{name} "{value}";\n' for name, value in settings.items()) + more + "\n"
        (tmp_path / "apt.conf").write_text(conf)
        return {**os.environ, "APT_CONFIG": str(tmp_path / "apt.conf"), "LC_ALL": "C.UTF-8"}

    try:
        yield SimpleNamespace(configure=configure, port=port, base=tmp_path)
    finally:
        server.shutdown()
        server.server_close()


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def apt(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    argv = ["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=0", *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_apt_takes_packages_from_it_over_tls(client: SimpleNamespace) -> None:
    there = client.configure()
    updated = apt(there, "update")
    assert updated.returncode == 0, updated.stderr
    taken = apt(there, "-y", "--download-only", "install", "one")
    assert taken.returncode == 0, taken.stderr
    assert debs(client.base / "apt" / "cache") == {"one_1.0_all.deb", "two_1.0_all.deb"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"authority": "other"}, "Certificate verification failed|certificate"),
        ({"by": "stranger"}, "NO_PUBKEY"),
    ],
)
def test_apt_takes_nothing_from_a_stranger(
    client: SimpleNamespace, changed: dict[str, str], said: str
) -> None:
    updated = apt(client.configure(**changed), "update")
    assert updated.returncode == 100
    assert any(word in updated.stderr for word in said.split("|")), updated.stderr
    assert apt(client.configure(**changed), "-y", "--download-only", "install", "one").returncode == 100


def test_apt_takes_nothing_that_has_expired_or_is_another(
    client: SimpleNamespace, mirror: SimpleNamespace
) -> None:
    there = client.configure()
    current = (mirror.store / "current").resolve()
    kept = one_of(current, "InRelease").read_bytes()
    resigned(current, Valid_Until=day(minutes=-1))
    assert "expired" in apt(there, "update").stderr
    one_of(current, "InRelease").write_bytes(kept)
    assert apt(there, "update").returncode == 0
    flip(current)
    taken = apt(there, "-y", "--download-only", "install", "one")
    assert taken.returncode == 100
    assert "Hash Sum mismatch" in taken.stderr


APT_GET = """#!/bin/sh
echo "$*" >> "$0.said"
case "$*" in *update*) : > "$0.updated";; *) [ -e "$0.updated" ];; esac
"""


@pytest.mark.parametrize("known", [True, False])
def test_a_deploy_looks_for_news_when_a_package_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(deploying, "node_state", lambda: NodeState(packages=frozenset({"there"})))
    (command,) = deploying.packages._inner("there", "missing")
    program = tmp_path / "apt-get"
    program.write_text(APT_GET)
    program.chmod(0o755)
    if known:
        (tmp_path / "apt-get.updated").touch()
    there = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert subprocess.run(["sh", "-c", str(command)], env=there, check=False).returncode == 0
    said = (tmp_path / "apt-get.said").read_text().splitlines()
    install = "-qq install --no-install-recommends -y missing"
    assert said == ([install] if known else [install, "-qq update", install])


# The checks


def looked(client: SimpleNamespace, plan: ProvincePlan, there: dict[str, str], spoil: str = "") -> list[str]:
    """What PKG-01 saw on the scratch system."""

    def on(script: str) -> Any:
        text = script.replace(checks.PINNED, str(client.base / "pinned.asc"))
        return subprocess.run(
            ["sh", "-c", spoil + text], env=there, capture_output=True, text=True, check=False, timeout=120
        )

    node = plan.nodes[SERVER]
    access: Any = SimpleNamespace(target=Target.LIVE, root=client.base, reaches=lambda _: True)
    (client.base / "inventory").mkdir(exist_ok=True)
    (client.base / "inventory" / "mirror.asc").write_text(public())
    evidence = Evidence()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "PORT", client.port)
        patch.setattr(
            checks,
            "serving",
            lambda *_: SimpleNamespace(fqdn="localhost", services=plan.nodes[MIRROR].services),
        )
        checks.test_packages_come_from_the_mirror_only(node, plan, access, SimpleNamespace(run=on), evidence)
    return evidence.lines


def test_a_system_with_one_source_passes(client: SimpleNamespace, plan: ProvincePlan) -> None:
    lines = looked(client, plan, client.configure())
    assert lines[0] == f"apt asks https://localhost:{client.port}"
    assert lines[1].startswith("an update succeeds")
    assert not list((client.base / "apt" / "lists").glob("*InRelease")), "its own lists were not touched"


def test_a_second_source_is_found(client: SimpleNamespace, plan: ProvincePlan) -> None:
    parts = client.base / "parts"
    parts.mkdir()
    (parts / "more.list").write_text("deb http://192.0.2.1/debian bookworm main\n")
    with pytest.raises(AssertionError, match=r"apt asks http://192\.0\.2\.1/debian, https://localhost"):
        looked(client, plan, client.configure(more=f'Dir::Etc::sourceparts "{parts}";'))


@pytest.mark.parametrize("setting", sorted(checks.NEVER))
def test_a_setting_that_lets_anything_in_is_found(
    client: SimpleNamespace, plan: ProvincePlan, setting: str
) -> None:
    there = client.configure(more=f'{setting} "{checks.NEVER[setting]}";')
    with pytest.raises(AssertionError, match=setting):
        looked(client, plan, there)


def test_what_is_not_verified_fails(
    client: SimpleNamespace, plan: ProvincePlan, mirror: SimpleNamespace
) -> None:
    with pytest.raises(AssertionError, match="another key"):
        looked(client, plan, client.configure(by="stranger"))
    with pytest.raises(AssertionError, match="the update failed"):
        looked(client, plan, client.configure(authority="other"))
    current = (mirror.store / "current").resolve()
    resigned(current, Date=day(days=-21))
    with pytest.raises(AssertionError, match="21 days old, 20 are allowed"):
        looked(client, plan, client.configure())
    (mirror.store / "current").unlink()
    with pytest.raises(AssertionError, match="the update failed"):
        looked(client, plan, client.configure())


def test_a_side_without_a_mirror_has_nothing_to_check(plan: ProvincePlan) -> None:
    node = next(node for node in plan.nodes.values() if node.side is Side.NET and node.debian)
    nobody: Any = None
    with pytest.raises(NotApplicable, match="its side has no mirror"):
        checks.test_packages_come_from_the_mirror_only(node, plan, nobody, nobody, Evidence())


def test_the_check_of_what_is_served(good: Path, mirror: SimpleNamespace, plan: ProvincePlan) -> None:
    def look(units: str = "active\nenabled\n", now: datetime | None = None) -> list[str]:
        text = json.dumps(mirror.run("status", now=now)[1])
        host = SimpleNamespace(run=lambda _: SimpleNamespace(stdout=f"{text}\n{units}", stderr=""))
        evidence = Evidence()
        checks.test_served_snapshot_is_signed_whole_and_young(plan.nodes[MIRROR], host, evidence)
        return evidence.lines

    with pytest.raises(AssertionError, match="nothing was ever published"):
        look()
    mirror.run("take", resigned(good, Date=day(days=-21)))
    with pytest.raises(AssertionError, match="21 days old, 20 are allowed"):
        look()
    mirror.run("take", resigned(good, Date=day(days=-1)))
    assert look()[0].startswith("3 packages, ")
    with pytest.raises(AssertionError, match="the web server is inactive and enabled"):
        look("inactive\nenabled\n")
    with pytest.raises(AssertionError, match="no good: expired"):
        look(now=datetime.now(UTC) + timedelta(days=31))
    (mirror.conf.parent / "key.asc").write_text(public("stranger"))
    with pytest.raises(AssertionError, match="no good: unsigned"):
        look()


# The web server


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="no nginx here")
def test_the_web_server_reads_its_configuration(client: SimpleNamespace) -> None:
    pki = client.base / "pki"
    text = render(
        "mirror/nginx.conf.j2",
        certificate=pki / "node.crt",
        key=pki / "node.key",
        address="127.0.0.1",
        port=8543,
        names=("localhost",),
        root=client.base / "srv" / "current",
    )
    (client.base / "run").mkdir()
    conf = client.base / "nginx.conf"
    conf.write_text(text.replace("/run/lienthong-mirror", str(client.base / "run")))
    done = subprocess.run(
        ["/usr/sbin/nginx", "-t", "-e", "stderr", "-c", str(conf)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

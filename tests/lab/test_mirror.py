"""Packages of the closed side: fetched, carried as a bundle, served over TLS, the only source of systems.

The mirror is a host of the office that runs other services too; an inventory of the test's own declares it,
and in the end the nodes are what the first one says again. Needs this machine's apt, reprepro and age.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.bundling import WAY, made_keys, public, recipient
from tests.lab.conftest import NAME, ROOT, SITES, District
from tests.lab.second import Second, second
from tests.lab.test_retire import good

MIRROR, CLIENT, OTHER_SIDE = "tinh-uy-svc-wan", "loc-ninh-srv", "tinh-uy-portal"
PACKAGE = "hello"
FILES = (
    "ls -d /etc/apt/apt.conf.d/99lienthong /etc/lienthong/mirror /usr/local/sbin/lienthong-mirror "
    "/etc/systemd/system/lienthong-mirror.service 2>/dev/null; ss -Hlnt | grep -o ':8543 '; true"
)


@pytest.fixture
def other(district: District, tmp_path: Path) -> Iterator[Second]:
    """The same inventory with a mirror; its two keys of a bundle; in the end the nodes are without it."""
    with second(ROOT, NAME, tmp_path) as found:
        path = found.root / "inventory" / "layers" / "kinds" / "provincial-office.yaml"
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        site = said.get("site", said)
        site["hosts"]["svc-wan"]["runs"]["mirror"] = {}
        path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
        signer = f'{WAY} namespaces="lienthong-bundle" {public("net")}\n'
        (found.root / "inventory" / "bundle.signers").write_text(signer)
        (found.root / "inventory" / "bundle.recipients").write_text(f"{WAY} {recipient('wan.age')}\n")
        try:
            yield found
        finally:
            again = district.run("apply", *SITES)
            assert again.returncode == 0, again.stdout + again.stderr[-2000:]


def carried(other: Second, snapshot: Path, into: Path) -> Path:
    """What a bundle makes of a folder on the other side."""
    into.mkdir(exist_ok=True)
    words = ["--stream", str(WAY), "--content", "packages", "--key", str(made_keys() / "net"), "--json"]
    state = ["--state", str(into / "net")]
    made = json.loads(good(other.run("bundle", "export", str(snapshot), *words, *state)))
    words = ["--identity", str(made_keys() / "wan.age"), "--state", str(into / "wan"), "--into", str(into)]
    return Path(json.loads(good(other.run("bundle", "import", made["file"], *words, "--json")))["folder"])


def found(other: Second) -> dict[tuple[str, str], tuple[str, str]]:
    """(control, node) → (status, detail) of the controls of packages."""
    audited = other.run("audit", *SITES, "--json", timeout_s=900)
    assert audited.stdout.startswith("{"), audited.stderr[-2000:]
    rows = json.loads(audited.stdout)["findings"]
    return {
        (row["control"], row["node"]): (row["status"], row["detail"])
        for row in rows
        if row["control"].startswith("PKG-")
    }


def test_packages_come_from_a_snapshot_that_a_bundle_brought(
    district: District, other: Second, tmp_path: Path
) -> None:
    good(other.run("apply", *SITES))
    assert " 0 changes" in good(other.run("apply", *SITES))
    before = found(other)
    assert before["PKG-02", MIRROR][0] == "fail"
    assert "nothing was ever published" in before["PKG-02", MIRROR][1]
    assert before["PKG-01", CLIENT][0] == "fail", "a mirror without a snapshot is not enough"

    words = ["--only", PACKAGE, "--work", str(tmp_path / "work")]
    good(other.run("mirror", "fetch", str(tmp_path / "first"), *words, timeout_s=600))
    good(other.run("mirror", "fetch", str(tmp_path / "newer"), *words, timeout_s=600))
    arrived = carried(other, tmp_path / "newer", tmp_path / "in")
    assert "serves it now" in good(other.run("mirror", "publish", str(arrived)))
    assert "serves it already" in good(other.run("mirror", "publish", str(arrived)))

    # A system installs it, and has nobody else to ask.
    district.on(CLIENT, "sh", "-c", f"apt-get -qq update && apt-get -qq -y install {PACKAGE} >&2")
    assert "Hello" in district.on(CLIENT, PACKAGE)
    district.on(CLIENT, "sh", "-c", f"apt-get -qq -y purge {PACKAGE} >&2")
    asked = district.on(CLIENT, "apt-get", "-q", "--print-uris", "update")
    assert {re.sub(r"/dists/.*", "", uri) for uri in re.findall(r"'(\S+)'", asked)} == {
        "https://svc-wan.tinh-uy.wan.binhphuoc.internal:8543"
    }

    after = found(other)
    wan = {key: row for key, row in after.items() if row[0] != "not applicable"}
    assert {row[0] for row in wan.values()} == {"pass"}, wan
    assert {("PKG-01", CLIENT), ("PKG-01", MIRROR), ("PKG-02", MIRROR)} <= set(wan)
    assert ("PKG-01", OTHER_SIDE) not in wan, "the other side has no mirror"

    # The other side does not reach it; nobody reaches anything but TLS.
    tried = "curl -sk -o /dev/null --max-time 5 https://$1:8543/dists/; echo $?"
    address = district.on(MIRROR, "hostname", "-I").split()
    for one in address:
        told = district.on(OTHER_SIDE, "sh", "-c", tried, "sh", one).strip()
        assert told != "0", f"{OTHER_SIDE} reaches {one}"

    # What is older, altered or not signed by the key is refused, and the same is served.
    served = district.on(MIRROR, "readlink", "/srv/mirror/current")
    spoilt = Path(shutil.copytree(arrived, tmp_path / "spoilt"))
    with next(spoilt.rglob("hello_*.deb")).open("r+b") as file:
        file.write(b"?")
    for folder, reason in ((tmp_path / "first", "older"), (spoilt, "altered")):
        refused = other.run("mirror", "publish", str(folder))
        assert (refused.returncode, reason in refused.stderr) == (2, True), refused.stderr
    assert district.on(MIRROR, "readlink", "/srv/mirror/current") == served

    # What is taken out of the inventory goes; what was carried stays, for root alone.
    assert district.on(MIRROR, "sh", "-c", FILES).split() != []
    good(district.run("apply", *SITES))
    assert [district.on(node, "sh", "-c", FILES) for node in (MIRROR, CLIENT)] == ["", ""]
    assert district.on(MIRROR, "stat", "-c", "%a %U:%G", "/srv/mirror").split() == ["700", "root:root"]

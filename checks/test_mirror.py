"""Packages: every system has one source, which it verifies; what is served is signed, whole and young."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from lienthong.checks import Evidence, Host, Selector, control, not_applicable, runs
from lienthong.mirror.pinned import public_file
from lienthong.mirror.wanted import params, serving
from lienthong.model.intent import Node, ProvincePlan
from lienthong.services.mirror import PORT
from lienthong.target import Access

SYSTEMS = Selector("a Debian system", lambda node: node.debian)
PROGRAM = "/usr/local/sbin/lienthong-mirror"
PINNED = "/etc/lienthong/mirror/key.asc"
WITHIN_S = 60
#: Whom apt would ask; a real update into a folder that goes again; what it verified. Its own lists stay.
ASK = rf"""d=$(mktemp -d /tmp/lienthong-mirror.XXXXXX) || exit 1
trap 'rm -rf "$d"' EXIT; trap 'exit 1' HUP INT TERM PIPE
chmod 755 "$d"; mkdir "$d/partial"; chown _apt "$d/partial" 2>/dev/null
set -- -q -o Dir::State::lists="$d" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
  -o Debug::NoLocking=1 -o Acquire::Retries=0 -o Acquire::https::Timeout=10
echo '#sources'; apt-get "$@" --print-uris update 2>&1
echo '#settings'; apt-config dump
echo '#update'; timeout {WITHIN_S} apt-get "$@" -o APT::Update::Error-Mode=any update 2>&1; echo "ended $?"
echo '#release'; cat "$d"/*InRelease 2>/dev/null
echo '#key'; cat {PINNED} 2>/dev/null
echo '#end'"""
#: What lets apt take what nobody has signed, or what has expired.
NEVER = {
    "Acquire::AllowInsecureRepositories": "true",
    "Acquire::AllowDowngradeToInsecureRepositories": "true",
    "APT::Get::AllowUnauthenticated": "true",
    "Acquire::Check-Valid-Until": "false",
    "Acquire::https::Verify-Peer": "false",
    "Acquire::https::Verify-Host": "false",
}


def parts(text: str) -> dict[str, str]:
    """What each section of the answer says."""
    found = re.split(r"^#(sources|settings|update|release|key|end)\n?", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


@control("PKG-01", kind="probe", nodes=SYSTEMS)
def test_packages_come_from_the_mirror_only(
    node: Node, plan: ProvincePlan, access: Access, host: Host, evidence: Evidence
) -> None:
    """apt has one source, the mirror of its side; an update from it succeeds, verified and young."""
    server = serving(plan, node)
    if server is None:
        not_applicable("inventory: its side has no mirror")
    if not access.reaches(server):
        not_applicable(f"{server.name} is not on this target")
    said = parts(host.run(ASK).stdout)
    assert "end" in said, "the node told nothing"
    sources = sorted(set(re.findall(r"^'(\S+?)/dists/", said["sources"], re.MULTILINE)))
    evidence(f"apt asks {', '.join(sources) or 'nobody'}")
    assert sources == [f"https://{server.fqdn}:{PORT}"], f"apt asks {', '.join(sources) or 'nobody'}"
    settings = dict(re.findall(r'^(\S+) "([^"]*)";$', said["settings"], re.MULTILINE))
    odd = [name for name, value in NEVER.items() if settings.get(name, "").lower() == value]
    assert not odd, f"{odd[0]} is {settings[odd[0]]}: what nobody vouches for would be taken"
    assert said["key"].strip() == public_file(access).read_text(encoding="ascii").strip(), (
        "it believes another key than that of the inventory"
    )
    lines = said["update"].strip().splitlines()
    trouble = [line for line in lines if line.startswith(("E:", "W:", "Err:"))]
    assert lines[-1] == "ended 0", f"the update failed: {(trouble or lines)[0]}"
    made = re.search(r"^Date: (.+)$", said["release"], re.MULTILINE)
    assert made, "the update brought no signed list"
    age = datetime.now(UTC) - parsedate_to_datetime(made[1].replace("UTC", "+0000"))
    evidence(f"an update succeeds; its list is of {made[1]}")
    most = params(server).max_age_days
    assert age <= timedelta(days=most), f"the list is {age.days} days old, {most} are allowed"


@control("PKG-02", nodes=runs("mirror"))
def test_served_snapshot_is_signed_whole_and_young(node: Node, host: Host, evidence: Evidence) -> None:
    """What is served is signed by the one key, no file of it is missing, and it is not old."""
    told = host.run(
        f"{PROGRAM} status; systemctl is-active lienthong-mirror; systemctl is-enabled lienthong-mirror"
    )
    lines = told.stdout.splitlines()
    assert lines and lines[0].startswith("{"), f"no answer: {told.stderr.strip() or told.stdout.strip()}"
    found = json.loads(lines[0])
    assert found["served"], "nothing was ever published here: lienthong mirror publish"
    assert found["good"], f"what is served is no good: {found.get('why')}"
    assert lines[1:] == ["active", "enabled"], f"the web server is {' and '.join(lines[1:])}"
    age = datetime.now(UTC) - datetime.fromisoformat(found["date"])
    evidence(
        f"{found['packages']} packages, {found['bytes']} bytes, of {found['date']}, "
        f"valid until {found['valid_until']}"
    )
    most = params(node).max_age_days
    assert age <= timedelta(days=most), f"the snapshot is {age.days} days old, {most} are allowed"

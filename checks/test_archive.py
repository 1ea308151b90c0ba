"""Archives: every document as it was hashed, hashes that nobody rewrites, scanners that only drop, copies."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import Any

from lienthong.checks import control, not_applicable, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Zone
from lienthong.services.archive import Params

ARCHIVES = runs("archive")
PROGRAM = "/usr/local/sbin/lienthong-archive"
KEYS = "/etc/lienthong/archive/keys"
STATE = "/var/lib/lienthong/archive"
READER = "lienthong-archive"
WORKER = "lienthong-ocr"
#: Every file is hashed daily; a large archive takes its hours.
VERIFIED_WITHIN_H = 30
#: The first look comes some seconds after an apply.
SETTLE_S = 20
#: A scan is taken in within seconds of its last byte, and then waits for those before it.
WAITING_AT_MOST_H = 12
#: What a login of a scanner is held to, as sshd itself says it.
HELD = {
    "forcecommand": "internal-sftp",
    "chrootdirectory": "/srv/scans/",
    "disableforwarding": "yes",
    "permittty": "no",
    "passwordauthentication": "no",
    "authenticationmethods": "publickey",
}
#: sshd passes so many words of a command on to its own SFTP server, and drops the rest without a word.
SFTP_WORDS = 9
REFUSED_REQUESTS = {"read", "remove", "mkdir", "rmdir", "symlink", "hardlink", "readlink"}


def params_of(node: Node) -> Params:
    """What the inventory says of an archive."""
    params = node.services["archive"].params
    assert isinstance(params, Params)
    return params


def status_of(host: Any) -> dict[str, Any]:
    """What root's program says of the archive.

    Raises:
        AssertionError: it says nothing.
    """
    told = host.run(f"{PROGRAM} status")
    assert told.rc == 0, f"no answer: {told.stdout.strip() or told.stderr.strip()}"
    return dict(json.loads(told.stdout.splitlines()[-1]))


@control("ARC-01", nodes=ARCHIVES)
def test_every_document_is_as_it_was(node: Node, host: Any, evidence: Any) -> None:
    """Every archived file was compared with its hash lately: none is changed, missing or extra."""
    wait = f"for i in $(seq {SETTLE_S}); do [ -s {STATE}/verify.json ] && break; sleep 1; done"
    told = host.run(f"{wait}; systemctl is-enabled lienthong-archive-verify.timer")
    found = status_of(host)
    last = found["verify"]
    assert last, "nobody ever compared the files with their hashes"
    evidence(f"{found['documents']} documents, ledger {found['seq']}:{found['head']}")
    evidence(f"{last['files']} files compared at {last['started']}, {last['count']} findings")
    assert last["ok"], f"{last['count']} findings, the first: {last['findings'][0]}"
    age = datetime.now(UTC) - datetime.fromisoformat(last["ended"])
    assert age <= timedelta(hours=VERIFIED_WITHIN_H), f"the last look is {age} old"
    assert told.stdout.strip() == "enabled", f"lienthong-archive-verify.timer is {told.stdout.strip()}"


@control("ARC-01", nodes=ARCHIVES)
def test_hash_store_is_read_only_to_who_writes(node: Node, host: Any, evidence: Any) -> None:
    """Who makes or drops documents can neither write the hash store nor what is archived."""
    logins = [WORKER, READER, *(f"scan-{name}" for name in sorted(params_of(node).scanners))]
    # Opened to be appended to: where that works, nothing has changed; where not, it ends the inner shell.
    tried = (
        f"for f in {STATE}/ledger.jsonl $(find /srv/archive/store -type f 2>/dev/null | head -n 1); do "
        '( : >> "$f" ) 2>/dev/null && echo "writes $f"; done; '
        f"for d in {STATE} /srv/archive/store /srv/archive/new /srv/archive/spool; do "
        '[ ! -w "$d" ] || echo "writes $d"; done; true'
    )
    for login in logins:
        told = host.run(f"cd / && runuser -u {login} -- sh -c {quote(tried)}")
        assert told.rc == 0, f"{login}: {told.stderr.strip()}"
        evidence(f"{login}: {told.stdout.strip() or 'writes neither'}")
        assert not told.stdout.strip(), f"{login} {told.stdout.splitlines()[0]}"
    owner = host.run(f"stat -c '%U %a' {STATE} /srv/archive/store").stdout.split()
    assert owner == ["root", "2750"] * 2, f"the hash store and the documents belong to {owner}"


@control("ARC-02", nodes=ARCHIVES)
def test_scanners_only_drop(node: Node, plan: ProvincePlan, host: Any, evidence: Any) -> None:
    """A scanner's account puts files into its folder by SFTP, with a key, from the scan segment; no more."""
    scanners = sorted(params_of(node).scanners)
    if not scanners:
        not_applicable("inventory: no scanner is declared")
    segments = plan.sites[node.site].segments.values()
    inside = [s.prefix for s in segments if s.side is node.side and s.zone is Zone.SCAN]
    assert inside, "scanners are declared, and the site has no scan segment"
    for name in scanners:
        login = f"scan-{name}"
        said = host.run(f"/usr/sbin/sshd -T -C user={login},host=x,addr={inside[0][200]}").stdout
        held: dict[str, list[str]] = {}
        for line in said.splitlines():
            held.setdefault(line.split(" ")[0], []).append(line.partition(" ")[2])
        evidence(f"{login}: {held.get('forcecommand', ['no forced command'])[0]}")
        for key, wanted in HELD.items():
            found = " ".join(held.get(key, []))
            assert found.startswith(wanted), f"{login}: {key} is {found or 'not set'}"
        allowed = {word for words in held.get("allowusers", []) for word in words.split()}
        assert allowed == {f"{login}@{prefix}" for prefix in inside}, f"{login}: allowed is {allowed}"
        options = held["forcecommand"][0].split()[:SFTP_WORDS]
        requests = next((word[2:] for word in options if word.startswith("-p")), "")
        assert requests, f"{login} may ask for anything by SFTP"
        odd = REFUSED_REQUESTS & set(requests.split(","))
        assert not odd, f"{login} may {sorted(odd)}"
        key_file = host.run(f"cat {KEYS}/{login}; stat -c '%U %a' {KEYS}/{login}").stdout.splitlines()
        assert key_file[-1] == "root 644", f"{login}: its key is a file of {key_file[-1]}"
        bound = re.match(r'restrict,from="([0-9./,]+)" ', key_file[0])
        assert bound and bound[1] == ",".join(map(str, inside)), f"{login}: its key is tied to no segment"
        assert len(key_file) == 2, f"{login} has more than one key"
        entry = host.run(f"getent passwd {login}").stdout.strip().split(":")
        assert entry[-1] == "/usr/sbin/nologin", f"{login} has the shell {entry[-1]}"


@control("ARC-03", nodes=ARCHIVES)
def test_no_scan_waits(node: Node, host: Any, evidence: Any) -> None:
    """Scans are taken in, none waits for long, and of rejected ones somebody has decided."""
    active = host.run("systemctl is-active lienthong-archive; systemctl is-enabled lienthong-archive")
    found = status_of(host)
    evidence(f"{found['documents']} documents with {found['words']} words, {found['waiting']} scans wait")
    evidence(f"{found['rejected']} rejected scans of which nobody has decided")
    assert active.stdout.split() == ["active", "enabled"], f"it does not run: {active.stdout.split()}"
    if found["waiting_since"] is not None:
        age = datetime.now(UTC).timestamp() - found["waiting_since"]
        assert age <= WAITING_AT_MOST_H * 3600, f"a scan has waited for {timedelta(seconds=round(age))}"
    assert not found["rejected"], f"{found['rejected']} scans were rejected: lienthong-archive rejected"


@control("ARC-03", nodes=ARCHIVES)
def test_what_opens_scans_is_shut_in(node: Node, host: Any, evidence: Any) -> None:
    """What opens a scan has an account of its own, no network, no privileges, and limits."""
    wanted = {
        "User": WORKER,
        "PrivateNetwork": "yes",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
        "RestrictNamespaces": "yes",
    }
    limits = ("MemoryMax", "TimeoutStartUSec", "LimitAS", "LimitFSIZE", "TasksMax")
    names = " ".join(f"-p {name}" for name in (*wanted, *limits))
    told = host.run(f"systemctl show lienthong-ocr@check.service {names}").stdout
    found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    evidence(", ".join(f"{name} {found.get(name)}" for name in (*wanted, *limits)))
    odd = [f"{name} is {found.get(name)!r}" for name, value in wanted.items() if found.get(name) != value]
    odd += [f"{name} has no limit" for name in limits if found.get(name) in {None, "", "infinity"}]
    assert not odd, odd[0]


@control("ARC-04", nodes=ARCHIVES)
def test_copies_are_young_and_whole(
    node: Node, plan: ProvincePlan, access: Any, host: Any, evidence: Any
) -> None:
    """Every other archive of the side is copied here, lately, whole, and is still what the copy says."""
    params = params_of(node)
    running = [other for other in plan.running("archive", node.side) if other.name != node.name]
    sources = sorted(other.name for other in running if access.reaches(other))
    if not params.replicates or not sources:
        not_applicable("inventory: it copies no other archive that this target has")
    found = status_of(host)["replicas"]
    armed = host.run(
        "systemctl is-active lienthong-archive-pull.timer; systemctl is-enabled lienthong-archive-pull.timer"
    )
    assert armed.stdout.split() == ["active", "enabled"], f"the timer is {armed.stdout.split()}"
    for name in sources:
        one = found.get(name, {})
        evidence(f"{name}: {one.get('files', 0)} files, ledger {one.get('seq')}:{one.get('head')}")
        assert not one.get("findings"), f"{name}: {one['findings'][0]}"
        assert one.get("last_success"), f"{name} was never copied: {one.get('error', 'nobody tried yet')}"
        age = datetime.now(UTC) - datetime.fromisoformat(one["last_success"])
        assert age <= timedelta(hours=params.replica_hours), f"{name}: the copy is {age} old: {one['error']}"


@control("ARC-04", nodes=ARCHIVES)
def test_only_a_copy_may_read(node: Node, plan: ProvincePlan, access: Any, host: Any, evidence: Any) -> None:
    """The account that reads for a copy has one command, from the address of the archive that fetches."""
    running = [other for other in plan.running("archive", node.side) if other.name != node.name]
    copying = [other for other in running if params_of(other).replicates]
    fetching = {str(other.address) for other in copying}
    lines = host.run(f"cat {KEYS}/{READER} 2>/dev/null").stdout.splitlines()
    if not lines and not any(access.reaches(other) for other in copying):
        not_applicable("inventory: no other archive that this target has copies this one")
    assert lines, "nobody may fetch a copy"
    assert fetching, "nobody copies this archive, and somebody may read it"
    bound = set()
    for line in lines:
        match = re.match(rf'command="/usr/local/sbin/{READER}-serve",restrict,from="([0-9.]+)" ', line)
        assert match, "a key is tied to no address or to no command"
        bound.add(match[1])
    evidence(f"{len(lines)} keys, from {', '.join(sorted(bound))}")
    assert bound <= fetching, f"a key of {sorted(bound - fetching)[0]}, which copies nothing"

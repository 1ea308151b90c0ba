"""Backups: young, apart, encrypted, and really restorable."""

from __future__ import annotations

import hashlib
import json
import re
import secrets as random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import Any, NamedTuple

from lienthong.checks import control, not_applicable, not_assessed, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Zone
from lienthong.services.backup import Params

SOURCES = runs("portal") | runs("app")
DOCUMENTS = "/srv/documents"
STATUS = "/var/lib/lienthong/backup/status.json"
JOB = "/usr/local/sbin/lienthong-backup"
VAULT = "/usr/local/sbin/lienthong-vault"
STATE = "/var/lib/lienthong/vault"
#: What lienthong-watch says of itself, rewritten every 10 s at least.
WATCH = "/var/lib/lienthong/backup/watch.json"
WATCH_S = 40.0
IS_WAITING = (
    f'python3 -c \'import json, sys; sources = json.load(open("{WATCH}"))["sources"]; '
    'sys.exit(not sources[sys.argv[1]]["waiting"])\' 2>/dev/null'
)
#: A watch that has lost its source is back within this, if it comes back: its longest pause and a login.
AGAIN_S = 45
AUTHORIZED = "/var/lib/lienthong/fetch/.ssh/authorized_keys"
#: A login that the vault wrote down is accepted at the source within this, clocks included.
LOGIN_WITHIN_S = 30.0
CLOCKS_S = 3.0
#: So far back a source's journal is compared; the vault remembers longer.
LOOK_BACK_DAYS = 30
#: A first fetch and its drill may still be at work when an audit follows an apply.
SETTLE_S = 90


def vault_of(plan: ProvincePlan, node: Node) -> tuple[Node, Params]:
    """The vault of the node's side that is to pull it, and how."""
    for vault in plan.running("backup", node.side):
        params = vault.services["backup"].params
        assert isinstance(params, Params)
        if node.runs(params.sources):
            return vault, params
    raise AssertionError(f"no vault pulls {node.name}")


def status_of(host: Any) -> dict[str, Any]:
    """What the last job said; empty before the first."""
    told = host.run(f"cat {STATUS}")
    return dict(json.loads(told.stdout)) if told.rc == 0 else {}


@control("BAK-01", nodes=SOURCES)
def test_last_copy_is_young(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The documents' last good copy is younger than the recovery point, and the daily job is armed."""
    vault, params = vault_of(plan, node)
    host = hosts(vault.name)
    known = status_of(host).get("sources", {}).get(node.name, {})
    evidence(f"{vault.name}: last good copy of {node.name}: {known.get('last_success', 'never')}")
    armed = host.run(
        "systemctl is-active lienthong-backup.timer; systemctl is-enabled lienthong-backup.timer"
    )
    evidence(f"timer: {' '.join(armed.stdout.split())}")
    assert known.get("last_success"), f"{node.name} was never copied: {known.get('error', 'no job yet')}"
    age = datetime.now(UTC) - datetime.fromisoformat(known["last_success"])
    assert age <= timedelta(hours=params.rpo_hours), (
        f"the copy is {age} old, allowed are {params.rpo_hours} h"
    )
    assert armed.stdout.split() == ["active", "enabled"]


@control("BAK-01", nodes=SOURCES)
def test_vault_waits_for_documents(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The vault waits at the source for new documents, and a fetch begins when one appears."""
    vault, params = vault_of(plan, node)
    if not params.gap_min:
        not_applicable(f"inventory: {vault.name} fetches at its hour only (gap_min: 0)")
    host = hosts(vault.name)
    units = "lienthong-watch.service lienthong-soon.path"
    told = host.run(f"systemctl is-active {units}; systemctl is-enabled {units}").stdout.split()
    evidence(f"{vault.name}: {units}: {' '.join(told)}")
    assert told == ["active", "active", "enabled", "enabled"], "nobody waits for new documents"
    settle = f"for i in $(seq {AGAIN_S}); do {IS_WAITING} {node.name} && break; sleep 1; done"
    wrong, words = waits(host.run(f"{settle}; date +%s.%N; cat {WATCH}").stdout, node.name)
    evidence(f"{node.name}: {words}")
    assert not wrong, wrong


def waits(told: str, source: str) -> tuple[str, str]:
    """What is wrong with a watch (nothing: empty) and what is to be said of it.

    Args:
        told: the vault's clock, then what the watch wrote.
    """
    clock, _, text = told.partition("\n")
    known = json.loads(text) if text.strip() else {}
    mine = known.get("sources", {}).get(source)
    if mine is None:
        return "the watch knows nothing of it", "unknown"
    since = datetime.fromtimestamp(mine["since"], UTC).isoformat(timespec="seconds")
    age_s = float(clock) - known["at"]
    if age_s > WATCH_S:
        return f"the watch has written nothing for {age_s:.0f} s", "hangs"
    if not mine["waiting"]:
        return f"new documents are not noticed, since {since}: {mine['error']}", f"not waiting since {since}"
    return "", f"waiting since {since}, last fetched as of {mine['kept'] or 'nothing yet'}"


@control("BAK-02", kind="probe", nodes=SOURCES)
def test_store_is_apart(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The store is in a segment of its own, and the source cannot open a connection to it."""
    vault, _ = vault_of(plan, node)
    for who in (node, vault):
        evidence(f"{who.name} in {who.segment.name}, VLAN {who.segment.vlan}")
    assert vault.segment.zone is Zone.BACKUP
    assert vault.segment.prefix != node.segment.prefix
    tries = "\n".join(
        f"timeout 1.5 bash -c '</dev/tcp/{vault.address}/{port}' 2>/dev/null && echo open {port} &"
        for port in (22, 443, 9100)
    )
    told = hosts(node.name).run(f"{tries}\nwait")
    evidence(
        f"from {node.name} to {vault.address}, ports 22, 443, 9100: {told.stdout.split() or 'nothing opens'}"
    )
    assert "open" not in told.stdout


@control("BAK-04", nodes=runs("backup"))
def test_store_is_encrypted(node: Node, hosts: Any, evidence: Any) -> None:
    """The repository is encrypted and append-only, and nothing lies open beside it."""
    # The lock is the job's, which may begin at any time: beside it borg says nothing, and documents lie open.
    script = f"""runuser -u vault -- flock -w 60 /srv/vault/lock {JOB} info; echo
        grep -c '^append_only = 1' /srv/vault/borg/config
        stat -c '%a %U %n' /srv/vault /srv/vault/borg
        cd /etc/lienthong/backup && stat -c '%a %U %n' passphrase
        runuser -u vault -- flock -w 20 /srv/vault/lock find /srv/vault/staging -type f 2>/dev/null | wc -l"""
    told = hosts(node.name).run(script).stdout
    assert "}" in told, "the repository does not open as an encrypted one"
    document, rest = told[: told.rindex("}") + 1], told[told.rindex("}") + 1 :]
    mode = json.loads(document)["encryption"]["mode"]
    append_only, store, repository, passphrase, loose = filter(None, rest.split("\n"))
    for line in (f"encryption {mode}", f"append-only {append_only}", store, repository, passphrase):
        evidence(line)
    assert mode.startswith(("repokey", "keyfile")), f"encryption is {mode}"
    assert append_only == "1", "the repository is not append-only"
    assert store.split()[:2] == ["700", "vault"]
    assert repository.split()[:2] == ["700", "vault"]
    assert passphrase.split()[0] == "400"
    assert loose == "0", f"{loose} files lie unencrypted in the staging folder"


@control("BAK-05", kind="probe", nodes=SOURCES)
def test_document_comes_back(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """A document put on the server is in the vault after the job, and comes back identical."""
    vault, _ = vault_of(plan, node)
    source, keeper = hosts(node.name), hosts(vault.name)
    content = random.token_hex(512)
    name = f"lienthong-check-{random.token_hex(6)}.txt"
    wanted = hashlib.sha256(content.encode()).hexdigest()
    there = f"{DOCUMENTS}/{name}"
    put = source.run(
        f"runuser -u docs -- sh -c 'umask 027; printf %s {content} > {there}'; sha256sum {there}"
    )
    assert put.stdout.startswith(wanted), f"could not put a document: {put.stderr.strip()}"
    try:
        status = run_job(keeper)
        told = answer(keeper, f"restore newest {quote(f'{node.name}/{name}')}")
        folder = quote(str(told.get("folder", "/nowhere")))
        back = keeper.run(f"cd {folder} && sha256sum < {node.name}/{name}; {VAULT} forget {folder}")
    finally:
        source.run(f"rm -f {there}")
    mine = status.get("sources", {}).get(node.name, {})
    evidence(f"put on {node.name}: sha256 {wanted}")
    evidence(f"{vault.name}: {status.get('archive')}, {mine.get('files')} files, {status.get('seconds')} s")
    came = (back.stdout.split() or ["nothing"])[0]
    evidence(f"came back: sha256 {came}")
    assert mine.get("ok"), f"{vault.name} could not fetch: {mine.get('error')}"
    assert came == wanted, f"came back different or not at all: {told.get('error') or back.stderr.strip()}"


def run_job(keeper: Any) -> dict[str, Any]:
    """Run the job now and wait for it; its status.

    A job that runs already is joined by systemd and has seen nothing of what was put since, hence twice.
    """
    status: dict[str, Any] = {}
    for _ in range(2):
        told = keeper.run(f"date +%s.%N; systemctl start lienthong-backup.service; cat {STATUS}").stdout
        asked, _, text = told.partition("\n")
        status = json.loads(text) if text.strip() else {}
        if status and datetime.fromisoformat(status["started"]).timestamp() >= float(asked):
            break
    return status


@control("BAK-05", nodes=runs("backup"))
def test_restore_drill_is_young_and_good(
    node: Node, plan: ProvincePlan, access: Any, hosts: Any, evidence: Any
) -> None:
    """The last restore drill is young and brought every document of every source back, each hash equal."""
    params = params_of(node)
    sources = pulled(plan, node, access)
    if not sources:
        not_applicable("inventory: it pulls from nothing that this target has")
    host = hosts(node.name)
    settle = f"""for i in $(seq {SETTLE_S}); do
        systemctl is-active -q lienthong-drill || case "$(systemctl is-active lienthong-drill \\
            lienthong-backup-first)" in *activating*) ;; *) break;; esac; sleep 1; done"""
    told = host.run(f"{settle}; cat {STATE}/drill.json; systemctl is-enabled lienthong-drill.timer")
    text, _, armed = told.stdout.strip().rpartition("\n")
    assert text, f"no drill was ever done: {told.stderr.strip()}"
    drill = json.loads(text)
    evidence(
        f"drill of {drill['started']}: {drill.get('matched', 0)} of {drill.get('expected', 0)} hashes equal"
    )
    evidence(f"RTO {drill['rto_s']} s, RPO {drill.get('rpo_s', '?')} s, {drill.get('bytes', 0)} bytes")
    age = datetime.now(UTC) - datetime.fromisoformat(drill["started"])
    assert drill["ok"], f"the drill failed: {drill['error']}"
    assert age <= timedelta(days=params.drill_days), (
        f"the drill is {age} old, allowed are {params.drill_days} d"
    )
    assert set(drill["sources"]) >= set(sources), (
        f"not drilled: {sorted(set(sources) - set(drill['sources']))}"
    )
    assert armed == "enabled", f"lienthong-drill.timer is {armed}"


@control("BAK-03", nodes=runs("backup"))
def test_offline_copy_is_young_and_away(node: Node, hosts: Any, evidence: Any) -> None:
    """A copy that nobody can rewrite was made lately, read back whole, and is not attached now."""
    copies = [copy for copy in params_of(node).copies if copy.offline]
    if not copies:
        not_assessed("no copy of this vault is declared as offline: is there one, where, and how old is it?")
    host = hosts(node.name)
    told = host.run(f"cat {STATE}/copies.json").stdout
    known = json.loads(told) if told.strip() else {}
    for copy in copies:
        last = known.get(copy.name)
        assert last, f"nothing was ever copied to {copy.name}"
        evidence(
            f"{copy.name}, {copy.place}: {last['at']}, {last.get('archives', 0)} archives, {last['error']}"
        )
        assert last["ok"], f"the last copy to {copy.name} failed: {last['error']}"
        age = datetime.now(UTC) - datetime.fromisoformat(last["at"])
        assert age <= timedelta(days=copy.max_age_days), f"{copy.name} is {age.days} days old"
        attached = host.run(f"mountpoint -q /media/lienthong/{copy.name}").rc == 0
        assert not attached, f"{copy.name} is attached: whoever is root on the vault can spoil it"


@control("BAK-04", nodes=runs("backup"))
def test_no_archive_vanished(node: Node, plan: ProvincePlan, access: Any, hosts: Any, evidence: Any) -> None:
    """Every archive of root's ledger is still there, and what was written was only added to."""
    if not pulled(plan, node, access):
        not_applicable("inventory: it pulls from nothing that this target has")
    host = hosts(node.name)
    # A fetch may begin at any time, so this is asked first: the look that follows it need not be over.
    last = status_of(host).get("ended")
    running = host.run("systemctl is-active lienthong-backup lienthong-backup-first").stdout
    owner = host.run(f"stat -c '%U %a' {STATE} {STATE}/ledger.jsonl").stdout.split()
    told = answer(host, "list")
    evidence(f"ledger and its folder: {' '.join(owner)}")
    assert "error" not in told, told["error"]
    look, archives = told["look"], told["archives"]
    evidence(
        f"{len(archives)} archives; last look {look.get('at')}, ledger {look.get('seq')}:{look.get('head')}"
    )
    assert owner == ["root", "755", "root", "644"], "somebody else may write to the ledger"
    vanished = [one["name"] for one in archives if not one["there"]]
    assert not vanished, f"{len(vanished)} archives vanished, the first is {vanished[0]}"
    assert look.get("ok"), "; ".join(look.get("findings", ["nobody looked after the last job"]))
    assert "activating" in running or not last or look["at"] >= last, "nobody looked after the last job"


@control("BAK-04", nodes=SOURCES)
def test_fetch_key_is_used_by_its_vault_only(
    node: Node, plan: ProvincePlan, hosts: Any, evidence: Any
) -> None:
    """The key that fetches is tied to the vault's address, and every login with it was the vault's."""
    vault, _ = vault_of(plan, node)
    source = hosts(node.name)
    lines = source.run(f"cat {AUTHORIZED}").stdout.splitlines()
    loose = [line for line in lines if not re.match(r'command="[^"]+",restrict,from="[0-9.]+" ', line)]
    assert lines, "nobody may fetch"
    assert not loose, "a key is tied to no address or to no command"
    bound = {match[1] for line in lines if (match := re.search(r'from="([0-9.]+)"', line))}
    prints = set(re.findall(r"SHA256:\S+", source.run(f"ssh-keygen -lf {AUTHORIZED}").stdout))
    evidence(f"{len(prints)} keys, from {', '.join(sorted(bound))}")
    told = source.run(
        # By the user, whom the kernel vouches for: `_COMM` is read in /proc, and sshd may be gone by then.
        "journalctl SYSLOG_IDENTIFIER=sshd _UID=0 -o json --output-fields=MESSAGE --no-pager "
        f"--since '-{LOOK_BACK_DAYS}d' --grep 'publickey for lienthong-fetch from'"
    )
    logins = [login for line in told.stdout.splitlines() if (login := login_of(line)) and login.key in prints]
    # Fetches, then the watch: they log in beside each other, so each explains its own.
    written = hosts(vault.name).run("cd /var/lib/lienthong/backup; cat logins; echo --; cat logins-watch")
    tries, waiting = tries_of(written.stdout, node.name)
    refused = sum(not login.accepted for login in logins)
    evidence(
        f"{len(logins) - refused} logins with it, the vault tried {len(tries)} times to fetch, "
        f"{len(waiting)} to wait; {refused} refused"
    )
    # One of the vault's own that was refused is a matter of the backup, not of a thief.
    address = str(vault.address)
    odd = unexplained(logins, tries, address, waiting)
    what = "login" if odd and odd[0].accepted else "try that was refused"
    assert not odd, f"a {what} from {odd[0].address} at {odd[0].when} is not the vault's: is the key stolen?"


def tries_of(text: str, source: str) -> tuple[list[float], list[float]]:
    """When a vault logged in at a source, by its own word: to fetch, and (after `--`) to wait."""
    fetched, _, waited = text.partition("--\n")
    one, other = (
        [float(line.split()[0]) for line in part.splitlines() if line.split()[1:] == [source]]
        for part in (fetched, waited)
    )
    return one, other


class Login(NamedTuple):
    """One line of a source's sshd about the account that fetches."""

    at: float
    accepted: bool
    address: str
    key: str

    @property
    def when(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")


def login_of(line: str) -> Login | None:
    """From a line of `journalctl -o json`."""
    try:
        entry = json.loads(line)
        said, at = str(entry["MESSAGE"]), int(entry["__REALTIME_TIMESTAMP"]) / 1e6
    except (ValueError, KeyError):
        return None
    found = re.match(
        r"(Accepted|Failed) publickey for lienthong-fetch from (\S+) port \d+ ssh2: \S+ (SHA256:\S+)", said
    )
    return Login(at, found[1] == "Accepted", found[2], found[3]) if found else None


def unexplained(logins: list[Login], tries: list[float], address: str, *others: list[float]) -> list[Login]:
    """Logins that are not the vault's: each that it wrote down before it began explains one.

    A login is the last try's before it; an older one that came to nothing covers nobody. `others` are tries
    that run beside the first, so the last of each kind may be meant: whom each explains is what lets most
    logins be explained (Kuhn's matching).
    """
    kinds = [sorted(kind) for kind in (tries, *others)]
    ordered = sorted(logins, key=lambda one: one.at)
    may = [[*_meant(kinds, login.at)] if login.address == address else [] for login in ordered]
    held: dict[tuple[int, int], int] = {}
    return [login for number, login in enumerate(ordered) if not _explained(number, may, held)]


def _meant(kinds: list[list[float]], at: float) -> Iterator[tuple[int, int]]:
    """The tries that a login at that time may be: the last before it, or the next by another clock."""
    for kind, known in enumerate(kinds):
        last = bisect_right(known, at) - 1
        if last >= 0 and at - known[last] <= LOGIN_WITHIN_S:
            yield kind, last
        if last + 1 < len(known) and known[last + 1] - at <= CLOCKS_S:
            yield kind, last + 1


def _explained(number: int, may: list[list[tuple[int, int]]], held: dict[tuple[int, int], int]) -> bool:
    """Give that login a try, others being moved to another of theirs where that makes room."""
    came: dict[tuple[int, int], tuple[int, int] | None] = {}
    queue: list[tuple[int, tuple[int, int] | None]] = [(number, None)]
    for login, through in queue:
        for one in may[login]:
            if one in came:
                continue
            came[one] = through
            if one in held:
                queue.append((held[one], one))
                continue
            free: tuple[int, int] | None = one
            while free is not None:
                before = came[free]
                held[free] = number if before is None else held[before]
                free = before
            return True
    return False


def params_of(vault: Node) -> Params:
    """What the inventory says of a vault."""
    params = vault.services["backup"].params
    assert isinstance(params, Params)
    return params


def pulled(plan: ProvincePlan, vault: Node, access: Any) -> list[str]:
    """What a vault pulls from that this target has."""
    running = plan.running(params_of(vault).sources, vault.side)
    return sorted(node.name for node in running if access.reaches(node))


def answer(host: Any, words: str) -> dict[str, Any]:
    """What root's program on a vault says last; `error` when it failed."""
    told = host.run(f"{VAULT} {words}")
    lines = [line for line in told.stdout.splitlines() if line.startswith("{")]
    return dict(json.loads(lines[-1])) if lines else {"error": told.stderr.strip() or "no answer"}

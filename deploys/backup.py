"""Backups, pulled by the vault: its key, repository, job, timers, watch; on a source its account.

The vault makes its own key, so a source can be told its public half only after that. The source therefore
asks the vault when its own turn has come, not when the run is being planned, and waits if it must.
What the vault's own account is not trusted with (the ledger, restores, drills) is root's, see
templates/hosts/backup/vault/.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from pyinfra import host, inventory, state
from pyinfra.api import StringCommand, operation

from lienthong.hosts.deploying import (
    File,
    Folder,
    Told,
    claim,
    command,
    differs,
    group,
    place,
    render,
    service,
    tidy,
    user,
)
from lienthong.hosts.nodestate import node_state
from lienthong.hosts.trust import host_keys, public_key
from lienthong.hosts.webserver import DOCUMENTS, READERS
from lienthong.model.intent import Node
from lienthong.model.secret import SecretRef
from lienthong.services.backup import Params
from lienthong.workspace import workspace

space = workspace()
me = space.node(host.name)

ACCOUNT = "lienthong-fetch"
HOME = "/var/lib/lienthong/fetch"
AUTHORIZED = f"{HOME}/.ssh/authorized_keys"
SNAPSHOT = "/usr/local/sbin/lienthong-snapshot"
APPEARED = "/usr/local/sbin/lienthong-appeared"
CONF = "/etc/lienthong/backup"
KEY = f"{CONF}/fetch_ed25519"
STORE = "/srv/vault"
#: The folder of a source's databases beside its documents (lienthong.restore.base).
SIGNATURES = "/srv/signatures"
DUMPS = ".lienthong-databases"
LIBRARY = "/usr/local/lib/lienthong/vault"
PROGRAM = "/usr/local/sbin/lienthong-vault"
JOB = "/usr/local/sbin/lienthong-backup"
WATCH = "/usr/local/sbin/lienthong-watch"
UNITS = "/etc/systemd/system"
#: Where an offline medium is attached, by its name.
MEDIA = "/media/lienthong"
#: Reads the repository and nothing else: restores and drills are its work.
READER = "vault-read"
#: A drill comes when the night's job is done.
DRILL_AFTER_H = 3
MAX_BYTES = 200 * 2**30
#: A first fetch waits so long for its sources, which may be in the same run.
PATIENCE_S = 120
KEY_WAIT_S = 60


def params(vault: Node) -> Params:
    """What the inventory says of that vault."""
    found = vault.services["backup"].params
    assert isinstance(found, Params)
    return found


def sources(vault: Node) -> list[Node]:
    """What the vault pulls from: nodes of its own side that this target has."""
    running = space.plan.running(params(vault).sources, vault.side)
    return sorted((node for node in running if space.access.reaches(node)), key=lambda node: node.name)


def vault() -> None:
    """Accounts, key, repository, job, ledger, drill and timers of the vault."""
    mine = params(me)
    now = node_state()
    user("vault", home=STORE, name="backup: account of the vault")
    user(READER, home=f"/var/lib/lienthong/{READER}", name="backup: account that reads the vault")
    job = File(
        f"{CONF}/job.json",
        json.dumps(
            {
                "name": me.name,
                "account": ACCOUNT,
                "sources": [{"name": node.name, "address": str(node.address)} for node in sources(me)],
                "keep_daily": mine.keep_daily,
                "keep_monthly": mine.keep_monthly,
                "max_bytes": MAX_BYTES,
                "drill_days": mine.drill_days,
                "gap_min": mine.gap_min,
                "copies": [copy.name for copy in mine.copies if copy.offline],
                **({"scan": {"signatures": SIGNATURES}} if me.runs("scan") else {}),
            },
            indent=1,
        )
        + "\n",
    )
    lines = (f"{node.address} {key}\n" for node in sources(me) for key in host_keys(space.access, node))
    known = File(f"{CONF}/known_hosts", "".join(lines) or "# no source\n")
    passphrase = space.secrets.get(SecretRef(f"borg/{me.name}")).reveal()
    timer = File(
        f"{UNITS}/lienthong-backup.timer", render("backup/lienthong-backup.timer.j2", hour=mine.hour)
    )
    drills = File(
        f"{UNITS}/lienthong-drill.timer",
        render("backup/lienthong-drill.timer.j2", hour=(mine.hour + DRILL_AFTER_H) % 24),
    )
    unit = "backup/lienthong-backup.service.j2"
    watch = File(WATCH, render("backup/watch.py"), mode="0755")
    waits = File(f"{UNITS}/lienthong-watch.service", render("backup/lienthong-watch.service"))
    asks = File(f"{UNITS}/lienthong-soon.path", render("backup/lienthong-soon.path"))
    place(
        Folder(CONF),
        Folder(STORE, mode="0700", user="vault", group="vault", after="keep"),
        Folder("/etc/lienthong"),
        Folder("/var/lib/lienthong"),
        Folder("/var/lib/lienthong/backup", user="vault", group="vault", after="wipe"),
        File(f"{CONF}/passphrase", passphrase + "\n", mode="0400", user="vault", group="vault"),
        known,
        job,
        File(JOB, render("backup/job.py"), mode="0755"),
        File(f"{UNITS}/lienthong-backup.service", render(unit, patience_s=0)),
        File(f"{UNITS}/lienthong-backup-first.service", render(unit, patience_s=PATIENCE_S)),
        timer,
        watch,
        waits,
        asks,
        Folder("/usr/local/lib/lienthong"),
        Folder(LIBRARY),
        *(File(f"{LIBRARY}/{name}", render(f"backup/vault/{name}")) for name in modules()),
        File(PROGRAM, render("backup/vault/main.py"), mode="0755"),
        # The ledger goes with the repository: who takes one away takes the other.
        Folder("/var/lib/lienthong/vault", after="keep"),
        Folder(f"/var/lib/lienthong/{READER}", mode="0700", user=READER, group=READER, after="wipe"),
        File(f"{UNITS}/lienthong-drill.service", render("backup/lienthong-drill.service")),
        drills,
        Folder(MEDIA),
        *(Folder(f"{MEDIA}/{copy.name}") for copy in mine.copies if copy.offline),
        File(f"{UNITS}/lienthong-copy.service", render("backup/lienthong-copy.service")),
        File(f"{UNITS}/lienthong-copy.timer", render("backup/lienthong-copy.timer")),
        name="backup: the vault's files",
    )
    command(
        f"ssh-keygen -q -t ed25519 -N '' -C {me.name} -f {KEY} </dev/null && chown vault:vault {KEY} && "
        # A session that an old key began does not outlive it.
        "{ systemctl try-restart lienthong-watch.service 2>/dev/null || true; }",
        what="a key of the vault's own, to fetch with",
        when=KEY not in now.files,
        name="backup: key to fetch with",
    )
    claim(("file", KEY), ("file", f"{KEY}.pub"))
    command(
        f"runuser -u vault -- env BORG_BASE_DIR={STORE}/base BORG_PASSCOMMAND='cat {CONF}/passphrase' "
        f"borg init --encryption repokey-blake2 --append-only {STORE}/borg",
        what="an encrypted, append-only repository",
        when=f"{STORE}/borg/data" not in now.files,
        name="backup: repository",
    )
    service("lienthong-backup.timer", watch=(timer.path,), name="backup: daily")
    service("lienthong-drill.timer", watch=(drills.path,), name="backup: drills")
    offline = any(copy.offline for copy in mine.copies)
    service(
        "lienthong-copy.timer", enabled=offline, running=offline, name="backup: copies that are taken away"
    )
    soon = mine.gap_min > 0
    service(
        "lienthong-soon.path",
        watch=(asks.path,),
        enabled=soon,
        running=soon,
        name="backup: fetches that are asked for",
    )
    reads = tuple(file.path for file in (watch, waits, job, known))
    service(
        "lienthong-watch.service",
        watch=reads,
        enabled=soon,
        running=soon,
        name="backup: soon after a document appears",
    )
    command(
        # A new source need not wait for the night, nor for its own half of this run; a drill follows.
        "systemctl start --no-block lienthong-backup-first.service",
        what="fetch for the first time",
        when=bool(sources(me)) and differs(job, now.files.get(job.path)),
        name="backup: first fetch",
    )


def modules() -> list[str]:
    """The files of root's programs, beside the one that is called."""
    folder = space.root / "templates" / "hosts" / "backup" / "vault"
    return sorted(path.name for path in folder.glob("*.py") if path.name != "main.py")


def source(vaults: list[Node]) -> None:
    """The account that the vaults log in to: one command, read access, from the vault only."""
    user(ACCOUNT, home=HOME, shell="/bin/sh", name="backup: account to fetch by")  # noqa: S604
    user(READERS, home="/var/lib/docs", name="backup: account that owns the documents")
    group(READERS, name="backup: readers of the documents")
    claim(("member", READERS, ACCOUNT))
    command(
        f"usermod -aG {READERS} {ACCOUNT}",
        what=f"{ACCOUNT} in group {READERS}",
        when=ACCOUNT not in node_state().groups.get(READERS, ()),
        name="backup: the account reads the documents",
    )
    databases = DUMPS if me.runs("database") else ""
    place(
        Folder("/var/lib/lienthong"),
        Folder(HOME),
        Folder(f"{HOME}/.ssh"),
        File(SNAPSHOT, render("backup/snapshot.sh", documents=DOCUMENTS, databases=databases), mode="0755"),
        File(APPEARED, render("backup/appeared.py"), mode="0755"),
        name="backup: snapshot",
    )
    claim(("file", AUTHORIZED))
    admit(vaults, name="backup: the vault may fetch")


@operation()  # type: ignore[untyped-decorator]
def admit(vaults: list[Node]) -> Iterator[StringCommand]:
    """The public keys of the vaults, each bound to its address and to the one command."""
    keys = [(vault, _key(vault)) for vault in vaults]
    missing = ", ".join(vault.name for vault, key in keys if not key)
    lines = "".join(
        f'command="{SNAPSHOT}",restrict,from="{vault.address}" {key} {vault.name}\n'
        for vault, key in keys
        if key
    )
    if not missing and not differs(File(AUTHORIZED, lines), node_state().files.get(AUTHORIZED)):
        return
    if missing and state.is_executing:
        yield Told(
            "no key yet", f"echo '{missing} has no key to fetch with: apply its site first' >&2; exit 1"
        )
        return
    names = ", ".join(vault.name for vault in vaults)
    yield Told(
        f"let {names} fetch",
        f"umask 022; cd {HOME}/.ssh && cat > new && chmod 0644 new && mv -f new {AUTHORIZED}",
        lines,
    )


def _key(vault: Node) -> str | None:
    """The vault's public key; while this run is yet to make it, it is waited for."""
    until = time.monotonic() + KEY_WAIT_S
    while True:
        key = public_key(space.access, vault, f"{KEY}.pub")
        if key or not state.is_executing or not _in_this_run(vault) or time.monotonic() > until:
            return key
        time.sleep(1)


def _in_this_run(vault: Node) -> bool:
    found = inventory.get_host(vault.name, default=None)
    return found is not None and state.is_host_in_limit(found)


if me.runs("backup"):
    vault()
served = [
    node
    for node in space.plan.running("backup", me.side)
    if me.runs(params(node).sources) and space.access.reaches(node)
]
if served:
    source(served)
if served or not any(me.runs(params(node).sources) for node in space.plan.running("backup", me.side)):
    # With a vault that only this target does not reach, what was said of it before stays.
    tidy("backup")

"""The archive: accounts that drop, one that reads, one that makes documents; programs, limits, copies.

A scanner's account may put files into one folder and nothing else. What opens a scan is an account that sees
that one file (lienthong-ocr@.service); hashes are written by root alone, see templates/hosts/archive/lib/.
An archive that replicates makes a key of its own; the others ask it for the public half at their turn.
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
    packages,
    place,
    render,
    service,
    tidy,
    user,
)
from lienthong.hosts.nodestate import node_state
from lienthong.hosts.trust import host_keys, public_key
from lienthong.model.intent import Node
from lienthong.model.words import Zone
from lienthong.services.archive import PACKAGES, Params
from lienthong.workspace import workspace

CONF = "/etc/lienthong/archive"
KEYS = f"{CONF}/keys"
KEY = f"{CONF}/fetch_ed25519"
KNOWN = f"{CONF}/known_hosts"
SSHD = "/etc/ssh/sshd_config.d/lienthong-archive.conf"
LIBRARY = "/usr/local/lib/lienthong/archive"
PROGRAM = "/usr/local/sbin/lienthong-archive"
SERVE = "/usr/local/sbin/lienthong-archive-serve"
PULL = "/usr/local/sbin/lienthong-archive-pull"
UNITS = "/etc/systemd/system"
STORE = "/srv/archive"
DROP = "/srv/scans"
LEDGER = "/var/lib/lienthong/archive"
READER = "lienthong-archive"
WORKER = "lienthong-ocr"
#: What one process of the worker may write, beyond what the largest scan may be.
TIMES = 20
PULL_EVERY_MIN = 10
#: A copy's key may be made in the same run: it is waited for so long.
KEY_WAIT_S = 60

space = workspace()
me = space.node(host.name)


def params(node: Node) -> Params:
    """What the inventory says of that archive."""
    found = node.services["archive"].params
    assert isinstance(found, Params)
    return found


def others() -> list[Node]:
    """Every other archive of the side."""
    running = space.plan.running("archive", me.side)
    return sorted((node for node in running if node.name != me.name), key=lambda node: node.name)


def here(nodes: list[Node]) -> list[Node]:
    """Those that this target has."""
    return [node for node in nodes if space.access.reaches(node)]


def modules() -> list[str]:
    """The files of root's programs, beside those that are called."""
    folder = space.root / "templates" / "hosts" / "archive" / "lib"
    return sorted(path.name for path in folder.glob("*.py") if path.name != "main.py")


def archive(mine: Params) -> None:
    """Everything but the copies."""
    logins = {name: f"scan-{name}" for name in sorted(mine.scanners)}
    segments = space.plan.sites[me.site].segments.values()
    networks = [str(one.prefix) for one in segments if one.side is me.side and one.zone is Zone.SCAN]
    pullers = [node for node in others() if params(node).replicates]
    packages(*PACKAGES, name="archive: text recognition")
    user(READER, home=f"/var/lib/lienthong/{READER}", shell="/bin/sh", name="archive: account that reads")  # noqa: S604
    user(WORKER, home=f"/var/lib/lienthong/{WORKER}", name="archive: account that makes documents")
    for login in logins.values():
        user(login, home=f"/var/lib/lienthong/{login}", name=f"archive: account {login}")
    said = {
        "name": me.name,
        "max_mb": mine.max_mb,
        "minutes": mine.minutes,
        "sources": [{"name": node.name, "address": str(node.address)} for node in here(others())]
        if mine.replicates
        else [],
    }
    sshd = File(
        SSHD,
        render(
            "archive/sshd.conf.j2",
            scanners=list(logins.values()),
            networks=networks,
            reader=READER,
            pullers=[str(node.address) for node in pullers],
        ),
        mode="0600",
    )
    work = File(f"{UNITS}/lienthong-archive.service", render("archive/lienthong-archive.service"))
    limits = {"minutes": mine.minutes, "memory_mb": mine.memory_mb, "file_mb": TIMES * mine.max_mb}
    verify = File(
        f"{UNITS}/lienthong-archive-verify.timer",
        render("archive/lienthong-archive-verify.timer.j2", hour=mine.hour),
    )
    conf = File(f"{CONF}/archive.json", json.dumps(said, indent=1) + "\n")
    programs = [
        *(File(f"{LIBRARY}/{name}", render(f"archive/lib/{name}")) for name in modules()),
        File(f"{LIBRARY}/ocr.py", render("archive/ocr.py")),
        File(PROGRAM, render("archive/lib/main.py"), mode="0755"),
    ]
    place(
        Folder("/etc/lienthong"),
        Folder(CONF),
        Folder(KEYS),
        *(
            # From its segment only: where the list of sshd is wrong, this still holds.
            File(f"{KEYS}/{login}", f'restrict,from="{",".join(networks)}" {mine.scanners[name]} {name}\n')
            for name, login in logins.items()
        ),
        conf,
        Folder("/var/lib/lienthong"),
        # Its group reads it for a copy; who makes documents is not in that group.
        Folder(LEDGER, mode="2750", group=READER, after="keep"),
        Folder(DROP, after="keep"),
        *(Folder(f"{DROP}/{login}", after="keep") for login in logins.values()),
        *(
            Folder(f"{DROP}/{login}/new", mode="0700", user=login, group=login, after="keep")
            for login in logins.values()
        ),
        Folder(STORE, mode="2750", group=READER, after="keep"),
        *(Folder(f"{STORE}/{name}", mode="2750", group=READER) for name in ("store", "new", "spool")),
        Folder("/usr/local/lib/lienthong"),
        Folder(LIBRARY),
        *programs,
        work,
        File(f"{UNITS}/lienthong-ocr@.service", render("archive/lienthong-ocr@.service.j2", **limits)),
        File(f"{UNITS}/lienthong-archive-verify.service", render("archive/lienthong-archive-verify.service")),
        verify,
        sshd,
        name="archive: files",
    )
    service(
        "ssh", watch=(sshd.path,), reload=True, check="sshd -t", shared=True, name="archive: sshd has read it"
    )
    watched = (conf.path, work.path, *(file.path for file in programs))
    service("lienthong-archive", watch=watched, name="archive: scans are taken in")
    service(
        "lienthong-archive-verify.timer", watch=(verify.path,), name="archive: every file against its hash"
    )
    if pullers:
        place(File(SERVE, render("archive/serve.py"), mode="0755"), name="archive: what is read for a copy")
        claim(("file", f"{KEYS}/{READER}"))
    if here(pullers):
        # With one that only this target does not reach, what was said of it before stays.
        admit(here(pullers), name="archive: who fetches a copy is let in")


def copies() -> None:
    """The key, the folders and the timer of an archive that fetches others."""
    known = "".join(
        f"{node.address} {key}\n" for node in here(others()) for key in host_keys(space.access, node)
    )
    timer = File(
        f"{UNITS}/lienthong-archive-pull.timer",
        render("archive/lienthong-archive-pull.timer.j2", minutes=PULL_EVERY_MIN),
    )
    place(
        File(KNOWN, known or "# no other archive\n"),
        Folder(f"{STORE}/replica", mode="2750", group=READER),
        Folder(f"{STORE}/incoming", mode="0700", user=READER, group=READER),
        File(PULL, render("archive/pull.py"), mode="0755"),
        File(f"{UNITS}/lienthong-archive-pull.service", render("archive/lienthong-archive-pull.service")),
        timer,
        name="archive: copies of others",
    )
    command(
        f"ssh-keygen -q -t ed25519 -N '' -C {me.name} -f {KEY} </dev/null && chown {READER}:{READER} {KEY}",
        what="a key of its own, to fetch with",
        when=KEY not in node_state().files,
        name="archive: key to fetch with",
    )
    claim(("file", KEY), ("file", f"{KEY}.pub"))
    service("lienthong-archive-pull.timer", watch=(timer.path,), name="archive: copies are fetched")


@operation()  # type: ignore[untyped-decorator]
def admit(pullers: list[Node]) -> Iterator[StringCommand]:
    """The public keys of those that fetch, each bound to its address and to the one command."""
    keys = [(node, _key(node)) for node in pullers]
    missing = ", ".join(node.name for node, key in keys if not key)
    lines = "".join(
        f'command="{SERVE}",restrict,from="{node.address}" {key} {node.name}\n' for node, key in keys if key
    )
    path = f"{KEYS}/{READER}"
    if not missing and not differs(File(f"{KEYS}/{READER}", lines), node_state().files.get(path)):
        return
    if missing and state.is_executing:
        yield Told(
            "no key yet", f"echo '{missing} has no key to fetch with: apply its site first' >&2; exit 1"
        )
        return
    names = ", ".join(node.name for node in pullers)
    yield Told(
        f"let {names} fetch",
        f"umask 022; cat > {path}.new && chmod 0644 {path}.new && mv -f {path}.new {path}",
        lines,
    )


def _key(node: Node) -> str | None:
    """The public key of an archive that fetches; while this run is yet to make it, it is waited for."""
    until = time.monotonic() + KEY_WAIT_S
    while True:
        key = public_key(space.access, node, f"{KEY}.pub")
        if key or not state.is_executing or not _in_this_run(node) or time.monotonic() > until:
            return key
        time.sleep(1)


def _in_this_run(node: Node) -> bool:
    found = inventory.get_host(node.name, default=None)
    return found is not None and state.is_host_in_limit(found)


if me.runs("archive"):
    archive(params(me))
    if params(me).replicates:
        copies()
tidy("archive")

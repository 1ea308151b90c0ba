"""What every deploy file is written with. A deploy begins so and does only what concerns `me`:

    from pyinfra import host
    from lienthong.hosts.deploying import File, place, render, service
    from lienthong.workspace import workspace

    me = workspace().node(host.name)
    if me.runs("ntp"):
        conf = File("/etc/chrony/conf.d/server.conf", render("ntp/server.conf.j2", me=me))
        place(conf, name="ntp: server configuration")
        service("chrony", watch=(conf.path,), name="ntp: chrony")

Rules: content comes from `render()` (templates/hosts/, StrictUndefined) and reaches the node through
standard input, never through arguments, so secrets may be in it. `service()` restarts by itself when a
watched path changed in this run, or is newer than the unit's last start (a run that was killed between
the two is thereby mended). Everything is decided from `node_state()`, fetched once; stock pyinfra
operations work too but cost a round trip each. No deploy writes to /etc/nftables.d: what a service
opens follows from its `contribute()`, and `deploys/firewall.py` writes it. A certificate is at
`CERTIFICATE`, its key at `KEY` (group `PKI_GROUP` may read it), the side's CA at `AUTHORITY`.
A deploy ends with `tidy("<its name>")`: what it put on the node before and does not ask for any more goes
away (`lienthong/hosts/claims.py`). Not calling it leaves all as it is.
"""

# pyinfra is typed in part only.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache, partial
from shlex import quote
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from lienthong.errors import LienThongError
from lienthong.hosts.certificates import Authority, sign, utc_now, why_new
from lienthong.hosts.claims import TAKE_AWAY, Claim, in_words, not_wanted, note
from lienthong.hosts.nodestate import PKI, FileState, NodeState, node_state
from lienthong.model.intent import Node
from lienthong.root import find_root

KEY = f"{PKI}/node.key"
CERTIFICATE = f"{PKI}/node.crt"
AUTHORITY = f"{PKI}/ca.crt"
PKI_GROUP = "lienthong-pki"
#: Of system accounts (Debian policy, 9.2.2), where neither adduser nor useradd begins to look for a free one.
NUMBERS = range(600, 900)

Commands = Generator[StringCommand, None, None]

#: Reads one entry a line (kind, mode, owner, path, base64) and puts each in place by a rename.
_PLACE = r"""set -e; umask 077
while read -r kind mode owner path data; do
  if [ "$kind" = d ] || [ "$kind" = k ]; then
    [ -d "$path" ] || mkdir -p "$path"
    # Data that was kept behind root's folder while nobody asked for it: its account has come again, mostly
    # with its number. What belongs to nobody now had another one.
    [ "$kind" = d ] || [ "$(stat -c %U:%G "$path")" != root:root ] ||
      find "$path" -mindepth 1 -xdev '(' -nouser -o -nogroup ')' -exec chown -h "$owner" {} +
    # Five digits: with fewer the folder keeps the group's bit that it has from the one above (chmod(1)).
    chown "$owner" "$path"; chmod "0$mode" "$path"; continue
  fi
  dir=${path%/*}; [ -d "$dir" ] || { umask 022; mkdir -p "$dir"; umask 077; }
  printf %s "$data" | base64 -d > "$dir/.lienthong.new"
  chown "$owner" "$dir/.lienthong.new"; chmod "$mode" "$dir/.lienthong.new"
  mv -f "$dir/.lienthong.new" "$path"
done"""

#: Makes the key where there is none (or a broken one) and prints a request signed with it.
_REQUEST = rf"""set -e; umask 077; cd {PKI}
openssl pkey -in node.key -noout 2>/dev/null || {{
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out node.key.new
  mv -f node.key.new node.key
}}
chown root:{PKI_GROUP} node.key; chmod 0640 node.key
openssl req -new -key node.key -subj /CN=$(hostname)"""

#: Reads one file a line (path, base64). The whole filter is checked before any file is replaced.
_RULESET = r"""set -e; umask 022
grep -q nftables.d /etc/nftables.conf || { echo "/etc/nftables.conf: no include of nftables.d" >&2; exit 1; }
d=$(mktemp -d /run/lienthong-nft.XXXXXX); trap 'rm -rf "$d"' EXIT
mkdir -p /etc/nftables.d "$d/new"
for old in /etc/nftables.d/*.nft; do [ ! -e "$old" ] || cp "$old" "$d/new/"; done
while read -r path data; do printf %s "$data" | base64 -d > "$d/new/${path##*/}"; done
printf 'flush ruleset\ninclude "%s/new/*.nft"\n' "$d" > "$d/all"
nft -c -f "$d/all"
for new in "$d"/new/*.nft; do
  to=/etc/nftables.d/${new##*/}
  cmp -s "$new" "$to" || { cp "$new" "$to.new"; mv -f "$to.new" "$to"; }
  chown root:root "$to"; chmod 0644 "$to"
done
nft -f /etc/nftables.conf"""


@dataclass(frozen=True)
class File:
    """A file as it must be; `content` ends with a newline and may hold secrets."""

    path: str
    content: str = field(repr=False)
    mode: str = "0644"
    user: str = "root"
    group: str = "root"


@dataclass(frozen=True)
class Folder:
    """A folder as it must be; what lies in it is left alone.

    Args:
        after: what becomes of it when nobody asks for it any more. `folder`: it goes once it is empty.
            `wipe`: it goes with all that is in it. `keep`: it is data; it stays, for root alone.
    """

    path: str
    mode: str = "0755"
    user: str = "root"
    group: str = "root"
    after: Literal["folder", "wipe", "keep"] = "folder"


class Asked(FunctionCommand):
    """Work that goes to and fro between node and controller; says what it changes as `Told` does."""

    def __init__(self, what: str, work: Callable[[], None]) -> None:
        def run() -> None:
            work()

        super().__init__(run, (), {})
        self.what = what


class Told(StringCommand):
    """A command that says in a few words what it changes; the words are safe to show."""

    def __init__(self, what: str, script: str, stdin: str | None = None) -> None:
        super().__init__(script)
        if stdin is not None:
            self.connector_arguments["_stdin"] = stdin
        self.what = what


@cache
def templates() -> Environment:
    """The environment of templates/hosts/: a missing value is an error."""
    return Environment(  # noqa: S701 - configuration files, not HTML
        loader=FileSystemLoader(find_root() / "templates" / "hosts"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: Any) -> str:
    """A file of templates/hosts/ with its values; ends with exactly one newline."""
    return templates().get_template(template).render(**values).rstrip("\n") + "\n"


def place(*entries: File | Folder, name: str) -> None:
    """Files and folders, all of them in one round trip; only those that differ are sent."""
    claim(*(("file" if isinstance(entry, File) else entry.after, entry.path) for entry in entries))
    _place(*entries, name=name)


@operation()
def _place(*entries: File | Folder) -> Commands:
    state = node_state()
    differing = [entry for entry in entries if differs(entry, state.files.get(entry.path))]
    if not differing:
        return
    state.touched |= {entry.path for entry in differing}
    script = _PLACE
    if any(entry.path.startswith("/etc/systemd/system/") for entry in differing):
        script += "\nsystemctl daemon-reload"
    yield Told(
        ", ".join(_verb(entry, state) for entry in differing),
        script,
        "".join(_line(entry) for entry in differing),
    )


def ruleset(*files: File, name: str) -> None:
    """Files of /etc/nftables.d, loaded in one transaction when they or the live rules differ."""
    claim(*(("file", file.path) for file in files))
    _ruleset(*files, name=name)


@operation()
def _ruleset(*files: File) -> Commands:
    state = node_state()
    differing = [entry for entry in files if differs(entry, state.files.get(entry.path))]
    if differing or state.filter_differs:
        # What keeps addresses in a set of these rules begins anew with the rules.
        state.touched |= {entry.path for entry in files}
        words = [_verb(entry, state) for entry in differing]
        lines = [f"{entry.path} {base64.b64encode(entry.content.encode()).decode()}\n" for entry in differing]
        yield Told(", ".join(words) or "restore the live rules", _RULESET, "".join(lines))


@operation()
def certificate(me: Node, by: Authority, issuing: str = "") -> Commands:
    """A certificate for the node's own key, renewed when a third of its life is left or it does not fit."""
    state = node_state()
    why = why_new(state.certificate, state.public_key, me, by, utc_now(), issuing)
    if why:
        state.touched |= {KEY, CERTIFICATE}
        yield Asked(f"new {CERTIFICATE}: {why}", partial(_renew, me, by))


def _renew(me: Node, by: Authority) -> None:
    good, output = host.run_shell_command(StringCommand(_REQUEST), _sudo=True)
    if not good:
        raise LienThongError(f"{me.name}: no certificate request: {output.stderr}")
    put(File(CERTIFICATE, sign(output.stdout, me, by, utc_now())))


def put(*files: File) -> None:
    """Files at once, from within an `Asked`: what is to be in them was only now found out.

    Raises:
        LienThongError: the node could not.
    """
    lines = "".join(map(_line, files))
    good, output = host.run_shell_command(StringCommand(_PLACE), _sudo=True, _stdin=lines)
    if not good:
        raise LienThongError(f"{host.name}: {files[0].path} could not be put in place: {output.stderr}")


def absent(*paths: str, name: str) -> None:
    """No such file (under the managed roots); used for what the package brings and we replace."""
    # Found out now: pyinfra runs an operation a second time, and `tidy` may have forgotten the file by then.
    found = [path for path in paths if path in node_state().files]
    if found:
        _absent(*found, name=name)


@operation()
def _absent(*found: str) -> Commands:
    node_state().touched |= set(found)
    yield Told(f"remove {', '.join(found)}", f"rm -f -- {' '.join(map(quote, found))}")


def service(
    unit: str,
    *,
    name: str,
    watch: tuple[str, ...] = (),
    enabled: bool = True,
    running: bool = True,
    reload: bool = False,
    check: str = "",
    shared: bool = False,
    renewal: Literal["restart", "reload", "none"] = "restart",
) -> None:
    """A unit enabled (or not) and running (or not), restarted when a watched path is news to it.

    Args:
        watch: paths of files the unit reads when it starts.
        reload: a reload is enough for a watched path.
        check: command that must succeed before a running unit is restarted, e.g. `rsyslogd -N1`.
        shared: others need it too; when watched files go it is started anew, and never stopped.
        renewal: what a unit that watches `CERTIFICATE` is told when that renews itself; `none` for one that
            reads it for every connection.
    """
    full = unit if "." in unit.rsplit("@", 1)[-1] else f"{unit}.service"
    if shared:
        claim(*(("shared", full, path) for path in watch))
    elif running:
        claim(("unit", full))
    if renewal == "none":
        watch = tuple(path for path in watch if path != CERTIFICATE)
    elif CERTIFICATE in watch:
        claim(("uses", full, renewal))
    _service(full, watch=watch, enabled=enabled, running=running, reload=reload, check=check, name=name)


@operation()
def _service(
    full: str, *, watch: tuple[str, ...], enabled: bool, running: bool, reload: bool, check: str
) -> Commands:
    state = node_state()
    now = state.units.get(full)
    if state.is_enabled(full) is not enabled:
        verb = "enable" if enabled else "disable"
        # The link only matters at boot: no reload now, and no slow look at System V scripts.
        yield Told(
            f"{verb} {full}", f"SYSTEMCTL_SKIP_SYSV=1 systemctl --no-reload {verb} --quiet {quote(full)}"
        )
    if not running:
        if now and now.active:
            yield Told(f"stop {full}", f"systemctl stop {quote(full)}")
        return
    guard = f"{check} && " if check else ""
    if now is None or not now.active:
        yield Told(f"start {full}", f"{guard}systemctl restart {quote(full)}")
        return
    news = [path for path in watch if _is_news(path, state, now.since)]
    if news:
        verb = "reload" if reload else "restart"
        yield Told(f"{verb} {full}", f"{guard}systemctl {verb} {quote(full)}")


@operation()
def packages(*names: str) -> Commands:
    """Debian packages, installed from the node's own sources when they are missing."""
    missing = sorted(set(names) - node_state().packages)
    if missing:
        words = "apt-get -qq install --no-install-recommends -y " + " ".join(map(quote, missing))
        yield Told(
            f"install {', '.join(missing)}",
            # What apt knows of a mirror is as old as its last look, which may be none.
            "export DEBIAN_FRONTEND=noninteractive; "
            f"{words} 2>/dev/null || {{ apt-get -qq update && {words}; }}",
        )


def group(title: str, *members: str, name: str) -> None:
    """A system group with at least these members (users that the node does not have are left out)."""
    claim(("group", title), *(("member", title, login) for login in members))
    _group(title, *members, name=name)


@operation()
def _group(title: str, *members: str) -> Commands:
    state = node_state()
    present = [login for login in members if login in state.users]
    if title not in state.groups:
        yield Told(f"group {title}", f"groupadd --system --force {quote(title)}")
    for login in present:
        if login not in state.groups.get(title, ()):
            yield Told(
                f"{login} in group {title}",
                f"usermod -aG {quote(title)} {quote(login)}",
            )


def user(login: str, *, home: str, name: str, shell: str = "/usr/sbin/nologin") -> None:
    """A system user with a home folder; one under /var/lib goes with the account, unless it is kept data."""
    claim(("user", login, home), ("group", login))
    _user(login, home=home, shell=shell, name=name)


@operation()
def _user(login: str, *, home: str, shell: str) -> Commands:
    if login not in node_state().users:
        # The same number whenever it comes again: a vault's ledger sees every change of what the vault keeps,
        # that of the owner too.
        number = NUMBERS.start + zlib.crc32(login.encode()) % len(NUMBERS)
        taken = f"getent passwd {number} >/dev/null || getent group {number} >/dev/null"
        words = f"--create-home --home-dir {quote(home)} --shell {quote(shell)} {quote(login)}"
        yield Told(
            f"user {login}",
            # Two deploys may want one account, and both decide by how the node was when the run began.
            f"id -u {quote(login)} >/dev/null 2>&1 || "
            f'{{ set --; {taken} || set -- --uid {number}; useradd --system "$@" {words}; }}',
        )


@operation()
def command(
    script: str,
    *,
    what: str,
    when: bool = True,
    touches: tuple[str, ...] = (),
    stdin: str | None = None,
) -> Commands:
    """Any command, run when `when`: decide that from `node_state()`, so that a second run does nothing.

    Args:
        what: says what it changes; shown to people, so no secret.
        touches: paths it changes, for services that watch them.
        stdin: text with newline at its end; the place for secrets.
    """
    if when:
        node_state().touched |= set(touches)
        yield Told(what, script, stdin)


def claim(*claims: Claim) -> None:
    """Note that the deploy in hand wants a thing there; for what `command` makes or a service writes."""
    node_state().claims.update(claims)


def tidy(topic: str) -> None:
    """Take away what an earlier apply put here for this deploy and what the deploy has not asked for now."""
    state = node_state()
    mine, state.claims = frozenset(state.claims), set()
    if mine == state.owned.get(topic, frozenset()):
        return
    gone = not_wanted(topic, mine, state.owned)
    state.owned[topic] = mine
    state.forget(gone)
    _tidy(topic, mine, gone, name=f"{topic}: nothing is left of what is not wanted")


@operation()
def _tidy(topic: str, mine: frozenset[Claim], gone: tuple[Claim, ...]) -> Commands:
    text = base64.b64encode(note(mine).encode()).decode()
    lines = [*(" ".join(claim) for claim in gone), "end", f"note {topic} {text}"]
    yield Told(in_words(gone) or f"note what is here for {topic}", TAKE_AWAY, "\n".join(lines) + "\n")


def differs(entry: File | Folder, found: FileState | None) -> bool:
    """Whether what was found is not what must be."""
    kind = "f" if isinstance(entry, File) else "d"
    if found is None or found.kind != kind:
        return True
    if (found.mode, found.user, found.group) != (
        int(entry.mode, 8),
        entry.user,
        entry.group,
    ):
        return True
    return isinstance(entry, File) and found.sha256 != hashlib.sha256(entry.content.encode()).hexdigest()


def _is_news(path: str, state: NodeState, since: float) -> bool:
    found = state.files.get(path)
    return path in state.touched or (found is not None and found.mtime > since)


def _verb(entry: File | Folder, state: NodeState) -> str:
    return f"{'change' if entry.path in state.files else 'new'} {entry.path}"


def _line(entry: File | Folder) -> str:
    owner = f"{entry.user}:{entry.group}"
    if isinstance(entry, Folder):
        kind = "k" if entry.after == "keep" else "d"
        return f"{kind} {entry.mode} {owner} {entry.path}\n"
    data = base64.b64encode(entry.content.encode()).decode()
    return f"f {entry.mode} {owner} {entry.path} {data}\n"

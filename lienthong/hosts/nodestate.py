"""What pyinfra needs to know of a node, fetched in one round trip and kept for the whole run.

Stock facts cost a round trip each, for every file; here one shell script tells everything: managed
files with hash, mode and owner, units, packages, groups, the live packet filter, the certificate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pyinfra.api.facts import FactBase
from pyinfra.context import host

from lienthong.errors import LienThongError
from lienthong.hosts.claims import OWNED, Claim, noted

#: Folders under which pyinfra owns files (docs/architecture.md, one owner for each path).
ROOTS: tuple[str, ...] = (
    "/etc/apt/apt.conf.d",
    "/etc/baresip",
    "/etc/borgmatic",
    "/etc/chrony/conf.d",
    "/etc/default",
    "/etc/fail2ban",
    "/etc/kamailio",
    "/etc/kea",
    "/etc/lienthong",
    "/etc/mysql/mariadb.conf.d",
    "/etc/nftables.d",
    "/etc/nginx",
    "/etc/postgresql",
    "/etc/prometheus",
    "/etc/rsyslog.d",
    "/etc/ssh/sshd_config.d",
    "/etc/snmp",
    "/etc/systemd/journald.conf.d",
    "/etc/systemd/system",
    "/etc/tmpfiles.d",
    "/etc/unbound/rpz",
    "/etc/unbound/unbound.conf.d",
    "/etc/wireguard",
    "/usr/local/lib/lienthong",
    "/usr/local/sbin",
    "/var/lib/lienthong",
    "/var/spool/rsyslog",
)
#: Folders whose own mode and owner matter, but not what lies in them (documents, repositories, logs).
SHALLOW: tuple[str, ...] = ("/media/lienthong", "/srv", "/var/log/lienthong")

PKI = "/etc/lienthong/pki"
_SCRIPT = r"""
exec 2>/dev/null
echo '#files'
find {roots} -xdev ! -type s -printf '%y %m %u %g %T@ %p\n'
find {shallow} -xdev -maxdepth 3 -type d -printf '%y %m %u %g %T@ %p\n'
echo '#sums'
find {roots} -xdev -type f -size -1024k -print0 | xargs -0r sha256sum
echo '#units'
TZ=UTC systemctl show --no-pager --timestamp=us+utc -p Id,ActiveState,StateChangeTimestamp \
  '*.service' '*.timer' '*.socket' '*.path' | awk 'BEGIN{{RS="";FS="\n";OFS="|"}}{{$1=$1;print}}'
echo '#packages'
dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\n' | sed -n 's/^installed //p'
echo '#groups'
getent group | cut -d: -f1,4
echo '#users'
getent passwd | cut -d: -f1,6
echo '#filter'
if [ -x /usr/sbin/nft ]; then
  want=$(unshare -n sh -c 'nft -f /etc/nftables.conf && nft -st list ruleset')
  if [ -n "$want" ] && [ "$want" = "$(nft -st list ruleset)" ]; then echo same; else echo differs; fi
fi
echo '#time'
chronyc -n tracking | sed -n 's/^Leap status *: //p'
echo '#key'
openssl pkey -in {pki}/node.key -pubout
echo '#certificate'
cat {pki}/node.crt
echo '#authority'
cat {pki}/ca.crt
echo '#issuing'
cat /etc/lienthong/ca/issuing.crt
echo '#owned'
cd {owned} && grep -H '' [a-z]*
true
"""


@dataclass(frozen=True)
class FileState:
    """A file (`f`), folder (`d`) or link (`l`); `sha256` is empty for what is no small file."""

    kind: str
    mode: int
    user: str
    group: str
    mtime: float
    sha256: str


@dataclass(frozen=True)
class UnitState:
    """A loaded systemd unit; `since` is when its state changed last, seconds since the epoch."""

    active: bool
    since: float


@dataclass
class NodeState:
    """One node at the start of the run. `touched` grows with what this run is about to change."""

    files: dict[str, FileState] = field(default_factory=dict)
    units: dict[str, UnitState] = field(default_factory=dict)
    enabled: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """members by group"""
    users: dict[str, str] = field(default_factory=dict)
    """home folder by user"""
    filter_differs: bool = True
    """the live packet filter is not what its files say"""
    time_kept: bool = False
    """the time daemon follows a source"""
    public_key: str = ""
    """PEM of the public half of the node's key; empty when there is no key"""
    certificate: str = ""
    authority: str = ""
    issuing: str = ""
    """PEM of the issuing authority whose key lies here"""
    owned: dict[str, frozenset[Claim]] = field(default_factory=dict)
    """what each deploy has noted as its own; this run's notes take the place of older ones"""
    claims: set[Claim] = field(default_factory=set)
    """what the deploy in hand wants to be there"""
    touched: set[str] = field(default_factory=set)

    def is_enabled(self, unit: str) -> bool:
        """Whether something in /etc/systemd/system pulls the unit in at boot."""
        return unit in self.enabled

    def forget(self, gone: Iterable[Claim]) -> None:
        """What is about to be taken away is not there for a deploy that comes later in this run."""
        for kind, one, *more in gone:
            match kind:
                case "unit":
                    self.units.pop(one, None)
                    self.enabled -= {one}
                case "file" | "folder" | "wipe":
                    self._without(one)
                case "keep" if one in self.files:
                    self.files[one] = replace(self.files[one], mode=0o700, user="root", group="root")
                case "member":
                    self.groups[one] = tuple(login for login in self.groups.get(one, ()) if login != more[0])
                case "user":
                    self.users.pop(one, None)
                    self._without(more[0])
                case "group":
                    self.groups.pop(one, None)

    def _without(self, path: str) -> None:
        for found in [p for p in self.files if p == path or p.startswith(f"{path}/")]:
            del self.files[found]


class Node(FactBase[NodeState]):  # type: ignore[misc]  # pyinfra is not followed
    """The state of the node by one command."""

    def command(self) -> str:
        return _SCRIPT.format(roots=" ".join(ROOTS), shallow=" ".join(SHALLOW), pki=PKI, owned=OWNED)

    @staticmethod
    def default() -> NodeState:
        return NodeState()

    def process(self, output: list[str]) -> NodeState:
        return parse(output)


_states: dict[str, NodeState] = {}


def node_state() -> NodeState:
    """The state of the host in hand, fetched when first asked for."""
    name = str(host.name)
    if name not in _states:
        state = host.get_fact(Node)
        if not state.packages:
            # An empty answer would look like a bare node, and everything would be sent again.
            raise LienThongError(f"{name}: its state could not be read", hint="is sudo allowed there?")
        _states[name] = state
    return _states[name]


def parse(output: list[str]) -> NodeState:
    """Read what the script printed."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in output:
        if re.fullmatch(r"#[a-z]+", line):
            current = parts.setdefault(line[1:], [])
        else:
            current.append(line)
    sums = dict(_sums(parts.get("sums", [])))
    files = {
        path: FileState(kind, int(mode, 8), user, group, float(mtime), sums.get(path, ""))
        for kind, mode, user, group, mtime, path in (
            line.split(" ", 5) for line in parts.get("files", []) if line.count(" ") >= 5
        )
    }
    wants = re.compile(r"/etc/systemd/system/[^/]+\.(?:wants|requires)/([^/]+)")
    return NodeState(
        files=files,
        units=dict(_units(parts.get("units", []))),
        enabled=frozenset(
            found[1] for path, f in files.items() if f.kind == "l" and (found := wants.fullmatch(path))
        ),
        packages=frozenset(parts.get("packages", [])),
        groups={
            name: tuple(filter(None, members.split(",")))
            for name, _, members in (line.partition(":") for line in parts.get("groups", []))
        },
        users=dict(line.partition(":")[::2] for line in parts.get("users", [])),
        filter_differs=parts.get("filter", []) != ["same"],
        time_kept=parts.get("time", []) not in ([], ["Not synchronised"]),
        public_key="\n".join(parts.get("key", [])),
        certificate="\n".join(parts.get("certificate", [])),
        authority="\n".join(parts.get("authority", [])),
        issuing="\n".join(parts.get("issuing", [])),
        owned=noted(parts.get("owned", [])),
    )


def _sums(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        digest, _, path = line.partition("  ")
        yield path, digest


def _units(lines: list[str]) -> Iterator[tuple[str, UnitState]]:
    for line in lines:
        values = dict(part.partition("=")[::2] for part in line.split("|"))
        yield (
            values.get("Id", ""),
            UnitState(
                values.get("ActiveState") == "active", _seconds(values.get("StateChangeTimestamp", ""))
            ),
        )


def _seconds(text: str) -> float:
    """`Sun 2026-11-22 22:03:55.123456 UTC` → seconds; 0 when systemd says nothing."""
    try:
        moment = datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S.%f UTC")
    except ValueError:
        return 0.0
    return moment.replace(tzinfo=UTC).timestamp()

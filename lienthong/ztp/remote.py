"""Opens, looks at and closes a window on a node, over SSH: passwords and keys pass by standard input only."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.openssh import ways
from lienthong.target import Access
from lienthong.ztp.window import Window, told

FOLDER = "/run/lienthong-ztp"
UNIT = "lienthong-ztp.service"
DONE_S = 60

#: A key of its own that is never anywhere else, and a request signed with it.
_KEY = rf"""set -eu; umask 077
! systemctl -q is-active {UNIT} || {{ echo "a window is open already" >&2; exit 17; }}
[ ! -e {FOLDER}/shut.sh ] || sh {FOLDER}/shut.sh
mkdir -p {FOLDER}; cd {FOLDER}
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key
openssl req -new -key key -subj "/CN=$(hostname)" """

#: Reads one file a line (path, base64). What fails closes everything; what runs needs the files no more.
_OPEN = rf"""set -eu; umask 077; cd {FOLDER}
undone() {{
  set +e; exec 2>/dev/null
  systemctl stop {UNIT}; sh {FOLDER}/shut.sh; systemctl reset-failed {UNIT}
}}
trap undone EXIT
while read -r path data; do printf %s "$data" | base64 -d > "$path"; done
chmod 0644 /etc/nftables.d/70-ztp.nft /run/systemd/system/{UNIT}
systemctl daemon-reload
systemctl start {UNIT}
this=$(systemctl show -p InvocationID --value {UNIT}); up=
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  journalctl -q -o cat _SYSTEMD_INVOCATION_ID=$this | grep -q '"opened"' && up=yes && break
  systemctl -q is-active {UNIT} || break
  sleep 0.3
done
[ -n "$up" ] || {{ journalctl -q -o cat -n 5 _SYSTEMD_INVOCATION_ID=$this >&2; exit 18; }}
nft -c -f /etc/nftables.conf; nft -f /etc/nftables.conf
rm -f window key certificate server.py
trap - EXIT"""

_CLOSE = rf"""exec 2>/dev/null; systemctl stop {UNIT}
[ ! -e {FOLDER}/shut.sh ] || sh {FOLDER}/shut.sh
systemctl reset-failed {UNIT}; true"""

_STATUS = rf"""systemctl -q is-active {UNIT} && echo open || echo closed
journalctl -q -u {UNIT} -o cat -n 400 --since=-1d 2>/dev/null; true"""


@dataclass(frozen=True)
class Event:
    """One line of what the server said. Everything in it but its kind comes from outside."""

    what: str
    at: int
    source: str = ""
    node: str = ""
    mac: str = ""
    file: str = ""
    why: str = ""


@dataclass(frozen=True)
class Status:
    """A window as it is now, and what came of the last one."""

    open: bool
    events: tuple[Event, ...]


def request(access: Access, node: Node) -> str:
    """A certificate request (PEM) for a key that the node has made for this window.

    Raises:
        LienThongError: a window is open there already.
    """
    return _run(access, node, _KEY)


def open_(access: Access, window: Window, certificate: str, templates: Path) -> None:
    """Place everything and start; on any failure nothing of it stays."""
    environment = Environment(  # noqa: S701 - no HTML
        loader=FileSystemLoader(templates / "ztp"), undefined=StrictUndefined, keep_trailing_newline=True
    )

    def text(name: str, **values: object) -> str:
        return environment.get_template(name).render(**values)

    seconds = window_seconds(window)
    placed = {
        f"{FOLDER}/shut.sh": text("shut.sh"),
        f"{FOLDER}/window": told(window),
        f"{FOLDER}/certificate": certificate,
        f"{FOLDER}/server.py": (templates / "ztp" / "server.py").read_text(encoding="utf-8"),
        f"{FOLDER}/open.nft": text("open.nft.j2", window=window),
        "/etc/nftables.d/70-ztp.nft": text("70-ztp.nft"),
        f"/run/systemd/system/{UNIT}": text("lienthong-ztp.service", seconds=seconds),
    }
    lines = [f"{path} {base64.b64encode(content.encode()).decode()}\n" for path, content in placed.items()]
    _run(access, window.place.node, _OPEN, "".join(lines))


def close(access: Access, node: Node) -> None:
    """End a window now; also right where none is open."""
    _run(access, node, _CLOSE)


def status(access: Access, node: Node) -> Status:
    """Whether a window is open, and what the server has said since the last one began."""
    first, _, rest = _run(access, node, _STATUS).partition("\n")
    events = [event for event in map(_event, rest.splitlines()) if event]
    begun = max((i for i, event in enumerate(events) if event.what == "opened"), default=0)
    return Status(first.strip() == "open", tuple(events[begun:]))


def window_seconds(window: Window) -> int:
    """For how long it is open, from now."""
    import time

    return max(1, window.until - int(time.time()))


def _event(line: str) -> Event | None:
    try:
        said = json.loads(line)
        words = {key: str(said.get(key, ""))[:100] for key in ("source", "node", "mac", "file", "why")}
        return Event(str(said["event"])[:20], int(said["at"]), **words)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # systemd's own words about the unit


def _run(access: Access, node: Node, script: str, stdin: str = "") -> str:
    with ways(access, {node.name: access.address(node)}, shared=False) as there:
        done = there.run(node.name, ("sh", "-c", script), within_s=DONE_S, stdin=stdin)
    if done.returncode == 17:
        raise LienThongError(
            f"{node.name}: a window is open already", hint="lienthong ztp status, then close"
        )
    if done.returncode != 0:
        raise LienThongError(
            f"{node.name}: {_reason(done.stderr)}", hint="nothing of the window stayed there"
        )
    return done.stdout


def _reason(text: str) -> str:
    """The line that says why: nft and Python say it before or after many others."""
    said = [line for line in text.splitlines() if line.strip()]
    wrong = [line for line in said if "rror" in line] or said[-1:]
    return "".join(c if c.isprintable() else "·" for c in wrong[-1])[:300] if wrong else "no reason given"

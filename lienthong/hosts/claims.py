"""What deploys put on a node and note there, so that an apply can take away what is not wanted. Pure.

A claim is a kind and its words, one line of /var/lib/lienthong/owned/<deploy>:

    file PATH | folder PATH | wipe PATH | keep PATH | unit NAME | shared NAME PATH
    user LOGIN HOME | group NAME | member GROUP LOGIN
    uses UNIT VERB      the unit keeps the node's certificate in memory: what a renewal tells it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Claim = tuple[str, ...]

OWNED = "/var/lib/lienthong/owned"
#: Words of a claim by kind. The note lies on the node, so it is read as strictly as anything from there.
_PATH = r"/(?:etc|media|srv|usr/local|var/lib|var/log)(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._@:+-]+)+"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._@:-]*"
_KINDS = {
    "file": _PATH,
    "folder": _PATH,
    "wipe": _PATH,
    "keep": _PATH,
    "unit": _NAME,
    "shared": f"{_NAME} {_PATH}",
    "user": f"{_NAME} {_PATH}",
    "group": _NAME,
    "member": f"{_NAME} {_NAME}",
    "uses": f"{_NAME} (?:reload|restart)",
}
#: Units stop before their files go; accounts go when nothing runs as them; what stays is put behind a folder
#: of root's first, so that no later account comes by its number to what it held. Nothing in it is touched:
#: a vault's ledger would see that.
_ORDER = ("unit", "file", "wipe", "keep", "member", "user", "group", "folder", "shared", "uses")

#: Reads one claim a line, takes each away, then notes what is left: `note TOPIC BASE64`.
TAKE_AWAY = rf"""set -e; umask 077; reload=; filter=
tidy() {{ case $1 in
  /etc/systemd/system/*|/etc/lienthong/*|/usr/local/lib/lienthong/*|/var/lib/lienthong/*)
    rmdir -- "$1" 2>/dev/null && tidy "${{1%/*}}" || true;;
esac; }}
while read -r kind one two; do case $kind in
  unit) SYSTEMCTL_SKIP_SYSV=1 systemctl --no-reload disable --quiet "$one" 2>/dev/null || true
    systemctl stop "$one" 2>/dev/null || true
    systemctl reset-failed "$one" 2>/dev/null || true;;
  file) case $one in
      /etc/systemd/system/*.d/*) reload=1;;
      /etc/systemd/system/*) reload=1; systemctl stop "${{one##*/}}" 2>/dev/null || true
        systemctl reset-failed "${{one##*/}}" 2>/dev/null || true;;
      /etc/nftables.d/*) filter=1;;
    esac
    rm -f -- "$one"; tidy "${{one%/*}}";;
  wipe) rm -rf --one-file-system -- "$one"; tidy "${{one%/*}}";;
  keep) [ ! -d "$one" ] || {{ chown -h root:root -- "$one"; chmod 00700 -- "$one"; }};;
  member) gpasswd --quiet --delete "$two" "$one" >/dev/null 2>&1 || true;;
  user) pkill -KILL -U "$one" || true
    ! id -u "$one" >/dev/null 2>&1 || userdel "$one" 2>/dev/null || {{ sleep 1; userdel "$one"; }}
    case $two in /var/lib/?*) rm -rf --one-file-system -- "$two"; tidy "${{two%/*}}";; esac;;
  group) ! getent group "$one" >/dev/null || groupdel "$one";;
  folder) rmdir -- "$one" 2>/dev/null && tidy "${{one%/*}}" || true;;
  shared) systemctl try-restart "$one";;
  note) mkdir -p {OWNED}; printf %s "$two" | base64 -d > {OWNED}/.new; mv -f {OWNED}/.new {OWNED}/"$one"
    [ -s {OWNED}/"$one" ] || rm -f {OWNED}/"$one";;
  end) [ -z "$reload" ] || systemctl daemon-reload
    [ -z "$filter" ] || nft -f /etc/nftables.conf;;
esac; done"""


def noted(lines: Iterable[str]) -> dict[str, frozenset[Claim]]:
    """What `grep -H ''` prints of the notes, by deploy; a line that is no claim is left out."""
    found: dict[str, set[Claim]] = {}
    for line in lines:
        topic, _, words = line.partition(":")
        kind, _, rest = words.partition(" ")
        if kind in _KINDS and re.fullmatch(r"[a-z_]+", topic) and re.fullmatch(_KINDS[kind], rest):
            found.setdefault(topic, set()).add(tuple(words.split(" ")))
    return {topic: frozenset(claims) for topic, claims in found.items()}


def note(claims: Iterable[Claim]) -> str:
    """The text of a note.

    Raises:
        ValueError: a claim that `noted` would not read again.
    """
    lines = sorted({" ".join(claim) for claim in claims})
    for line in lines:
        kind, _, rest = line.partition(" ")
        if not re.fullmatch(_KINDS.get(kind, "(?!)"), rest):
            raise ValueError(f"no claim: {line!r}")
    return "".join(f"{line}\n" for line in lines)


def not_wanted(
    topic: str, mine: frozenset[Claim], owned: Mapping[str, frozenset[Claim]]
) -> tuple[Claim, ...]:
    """What a deploy has noted and neither it nor any other claims now, in the order of its going."""
    others = {claim for name, claims in owned.items() if name != topic for claim in claims}
    held = {_thing(claim) for claim in mine | others}
    gone = [
        claim
        for claim in owned.get(topic, frozenset()) - mine
        # A unit of others is told of the change, whoever else holds it.
        if claim[0] == "shared" or _thing(claim) not in held
    ]
    kept = {claim[1] for claim in (*mine, *others, *owned.get(topic, ())) if claim[0] == "keep"}
    # The home of an account may be the folder of its data.
    ends = [(*claim[:2], "-") if claim[0] == "user" and claim[2] in kept else claim for claim in gone]
    # A unit that read several of the files is started anew once.
    once = {(claim[:2] if claim[0] == "shared" else claim): claim for claim in sorted(ends)}
    # Deepest folders first.
    return tuple(sorted(once.values(), key=lambda c: (_ORDER.index(c[0]), -c[1].count("/"), c)))


def _thing(claim: Claim) -> Claim:
    """What a claim is about: a path is the same thing however it is to end."""
    match claim[0]:
        case "file" | "folder" | "wipe" | "keep":
            return ("path", claim[1])
        case "unit" | "shared":
            return ("unit", claim[1])
        case "member" | "uses":
            return claim
        case kind:
            return (kind, claim[1])


def in_words(gone: Iterable[Claim]) -> str:
    """What goes, for people; safe to show, since a claim is made of plain characters only."""
    said = {
        "unit": "stop {0}",
        "file": "remove {0}",
        "wipe": "remove {0}",
        "keep": "{0} is kept for root alone",
        "user": "remove account {0}",
        "group": "remove group {0}",
        "shared": "restart {0}",
    }
    return ", ".join(said[claim[0]].format(claim[1]) for claim in gone if claim[0] in said)

"""What a device offers against what is on record, and what an officer's answer makes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from lienthong.trust.hostkey import HostKey


class State(StrEnum):
    """How what a device offers stands to what is on record."""

    SAME = "same"
    NEW = "new"
    CHANGED = "CHANGED"
    REVOKED = "REVOKED"
    AWAY = "not reached"


@dataclass(frozen=True)
class Seen:
    """One device: what it offers now, and what is on record for it."""

    node: str
    platform: str
    """Empty for a Debian host."""
    host: str
    """As the file of known hosts calls it."""
    offered: tuple[HostKey, ...]
    recorded: tuple[HostKey, ...]
    state: State
    why: str = ""
    """Why it was not reached."""


def state_of(offered: tuple[HostKey, ...], recorded: tuple[HostKey, ...], is_revoked: bool) -> State:
    """Same only where every key on record that the device could prove is the one that it proves."""
    if is_revoked:
        return State.REVOKED
    if not recorded:
        return State.NEW
    now = {key.algorithm: key.blob for key in offered}
    kept = [key for key in recorded if key.algorithm in now]
    if kept and all(now[key.algorithm] == key.blob for key in kept):
        return State.SAME
    return State.CHANGED


@dataclass(frozen=True)
class Answers:
    """How this run may be answered."""

    ask: Callable[[str], str] | None
    """Asks the officer at the terminal; None without one."""
    accepted: frozenset[str] = frozenset()
    """Fingerprints that were compared before, for scripts; with any, nothing is asked."""
    replace: bool = False
    """A key that has changed may be replaced without its old fingerprint being typed."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of one device."""

    key: HostKey | None
    """The key to put on record; None: nothing is."""
    said: str


def decide(seen: Seen, answers: Answers) -> Verdict:
    """Which key of a device is believed from now on, if any. Nobody can say yes without having seen it."""
    if seen.state is State.SAME:
        return Verdict(None, "on record")
    if seen.state is State.AWAY:
        return Verdict(None, seen.why)
    if seen.state is State.REVOKED:
        return Verdict(None, "this key was revoked: not recorded")
    chosen: HostKey | None
    if answers.accepted:
        chosen = next((key for key in seen.offered if key.sha256 in answers.accepted), None)
        if chosen is None:
            return Verdict(None, "offers no key with an accepted fingerprint: not recorded")
        if seen.state is State.CHANGED and not answers.replace:
            return Verdict(None, "another key is on record: not recorded without --replace")
        return Verdict(chosen, "recorded")
    if answers.ask is None:
        return Verdict(None, "not recorded: nobody is at the terminal")
    if seen.state is State.CHANGED and not answers.replace:
        old = answers.ask(f"{seen.node}: to replace the key, type the fingerprint that is ON RECORD: ")
        if not any(key.is_meant_by(old) for key in seen.recorded):
            return Verdict(None, "that is not what is on record: not recorded")
    said = answers.ask(
        f"{seen.node}: does its own console show {seen.offered[0].sha256}? "
        "[y/N, or paste what the console shows] "
    )
    if said.strip().lower() in {"y", "yes"}:
        return Verdict(seen.offered[0], "recorded")
    chosen = next((key for key in seen.offered if key.is_meant_by(said)), None)
    return Verdict(chosen, "recorded" if chosen else "not recorded")

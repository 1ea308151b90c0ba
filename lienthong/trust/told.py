"""What was found of host keys, as an officer reads it and as a program does."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.errors import visible
from lienthong.trust.console import way
from lienthong.trust.hostkey import HostKey
from lienthong.trust.judge import Seen, State, Verdict

_KIND = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}


def shown(seen: Seen) -> str:
    """One device in some lines: in one where there is nothing to decide."""
    head = f"{seen.node}  {seen.host}  {seen.state.value}"
    if seen.state is State.AWAY:
        return f"{head}: {visible(seen.why)}"
    if seen.state is State.SAME:
        return f"{head}  {seen.recorded[0].sha256}"
    lines = [head]
    for key in seen.recorded:
        lines.append(f"    on record    {_kind(key)}  {key.sha256}")
    for key in seen.offered:
        lines.append(f"    offers now   {_kind(key)}  {key.sha256}")
        lines.append(f"                 {key.words}")
        lines.append(f"                 {key.md5}")
    lines.append(f"    its console  {way(seen.platform)}")
    if seen.state is State.CHANGED:
        lines.append(
            "    The device was replaced or set anew, or another one answers in its place. Find out which."
        )
    return "\n".join(lines)


def as_data(seen: Seen, verdict: Verdict) -> dict[str, object]:
    """The same for programs."""
    return {
        "node": seen.node,
        "host": seen.host,
        "state": seen.state.value,
        "offered": [_data(key) for key in seen.offered],
        "on_record": [_data(key) for key in seen.recorded],
        "recorded": verdict.key.sha256 if verdict.key else None,
        "said": visible(verdict.said),
    }


def closing(seen: Sequence[Seen], verdicts: Sequence[Verdict]) -> str:
    """The one line that says how it went."""
    same = sum(one.state is State.SAME for one in seen)
    kept = sum(verdict.key is not None for verdict in verdicts)
    away = sum(one.state is State.AWAY for one in seen)
    return (
        f"trust: {len(seen)} systems, {same} on record, {kept} recorded now, "
        f"{len(seen) - same - kept - away} not recorded, {away} not reached"
    )


def _kind(key: HostKey) -> str:
    name = _KIND.get(key.algorithm, "ECDSA")
    return f"{name} {key.bits}" if key.bits else name


def _data(key: HostKey) -> dict[str, object]:
    return {"kind": key.algorithm, "bits": key.bits, "sha256": key.sha256, "words": key.words, "md5": key.md5}

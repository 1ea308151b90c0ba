"""A plan that is kept: made by one officer, looked at and signed by a second, applied as it stands.

The file says what would change, from which inputs, and what every device held then. It is applied only while
the inputs are the same and no device has moved. Signatures are `ssh-keygen -Y sign -n lienthong-plan`; who
may sign stands in `inventory/officers`, in the form of ssh-keygen's allowed signers.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lienthong import __version__
from lienthong.change import Change, as_data, from_data
from lienthong.errors import LienThongError, Refused
from lienthong.model.words import Target
from lienthong.provision import Report, fingerprint
from lienthong.workspace import Workspace

NAMESPACE = "lienthong-plan"
OFFICERS = "inventory/officers"
#: From this security level (cấp độ) on, live changes are made only from a plan that a second officer has
# signed.
SIGNED_FROM = 3
VERSION = 1


@dataclass(frozen=True)
class PlanFile:
    """What a file holds."""

    target: str
    side: str | None
    sites: tuple[str, ...]
    author: str
    made: str
    inputs: str
    gear: Mapping[str, Change]
    """By device; a device that is not here had nothing to change, and must not have moved either."""
    hosts: Mapping[str, tuple[str, ...]]
    """`<node> <tool>` → the changes that were found."""
    whole: bool = True
    """Debian systems were looked at too, not only the command lines of gear."""

    @property
    def expected(self) -> dict[str, str]:
        """What devices held, by name."""
        return {name: change.before for name, change in self.gear.items()}


def write(
    path: Path, ws: Workspace, sites: Sequence[str], side: str | None, report: Report, whole: bool = True
) -> None:
    """Keep a plan.

    Raises:
        LienThongError: something could not be looked at; a plan with holes is none.
    """
    if report.bad:
        names = ", ".join(sorted({result.node for result in report.bad}))
        raise LienThongError(f"no plan is kept: {names} could not be looked at")
    changes = [result.change for result in report.results if result.change is not None]
    data = {
        "lienthong-plan": VERSION,
        "tool": __version__,
        "target": ws.access.target.value,
        "side": side,
        "sites": list(sites),
        "author": author(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": fingerprint(ws),
        "whole": whole,
        "gear": changes,
        "hosts": {key: list(value) for key, value in hosts(report).items()},
    }
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> PlanFile:
    """What a file holds.

    Raises:
        LienThongError: it cannot be read, or is no plan.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        if data["lienthong-plan"] != VERSION:
            raise ValueError(f"version {data['lienthong-plan']}")
        gear = [from_data(one) for one in data["gear"]]
        return PlanFile(
            str(data["target"]),
            data["side"],
            tuple(map(str, data["sites"])),
            str(data["author"]),
            str(data["made"]),
            str(data["inputs"]),
            {change.node: change for change in gear},
            {str(key): tuple(map(str, value)) for key, value in data["hosts"].items()},
            bool(data["whole"]),
        )
    except OSError as error:
        raise LienThongError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "lienthong plan --out FILE"
        raise LienThongError(f"{path}: no plan of this tool ({error})", hint=hint) from None


def hosts(report: Report) -> dict[str, tuple[str, ...]]:
    """What Ansible and pyinfra found to change, by `<node> <tool>`."""
    found: dict[str, list[str]] = {}
    for result in report.results:
        if result.tool != "netmiko" and result.outcome == "changed":
            found.setdefault(f"{result.node} {result.tool}", []).extend(result.changes)
    return {key: tuple(sorted(value)) for key, value in sorted(found.items())}


def still_true(plan: PlanFile, ws: Workspace, now: Report) -> None:
    """Refuse a plan that the world has left behind.

    Args:
        now: a plan made at this moment.

    Raises:
        Refused: inputs or devices have changed since.
    """
    if plan.target != ws.access.target.value:
        raise Refused(f"the plan was made for {plan.target}, this is {ws.access.target.value}")
    if plan.inputs != fingerprint(ws):
        raise Refused("the inventory, a template or the tool has changed since then", hint="plan again")
    gear = {r.node: from_data(r.change) for r in now.results if r.change is not None}
    moved = sorted(
        {name for name in gear.keys() | plan.gear.keys() if _lines(gear, name) != _lines(plan.gear, name)}
        | {name for name in gear.keys() & plan.gear.keys() if gear[name].before != plan.gear[name].before}
    )
    other = hosts(now)
    both = sorted(other.keys() | plan.hosts.keys())
    moved += [key for key in both if other.get(key) != plan.hosts.get(key)]
    if moved:
        raise Refused(f"moved since the plan was made: {', '.join(moved)}", hint="plan again")


def _lines(gear: Mapping[str, Change], name: str) -> object:
    return [(part.dialect, part.commands) for part in gear[name].parts] if name in gear else None


def needs_signature(ws: Workspace, sites: Sequence[str]) -> list[str]:
    """Sites whose level asks for a second officer; a lab has none."""
    if ws.access.target is not Target.LIVE:
        return []
    return [slug for slug in sites if ws.site(slug).site.level >= SIGNED_FROM]


def signed_by(path: Path, root: Path) -> str:
    """Who has signed the file, as `inventory/officers` names them.

    Raises:
        Refused: there is no signature, or none of an officer, or it does not fit the file.
    """
    officers, signature = root / OFFICERS, Path(f"{path}.sig")
    how = f"ssh-keygen -Y sign -n {NAMESPACE} -f KEY {path}"
    if not signature.is_file():
        raise Refused(f"{path} is not signed", hint=f"a second officer signs it: {how}")
    if not officers.is_file():
        hint = "one line an officer: NAME ssh-ed25519 AAAA…"
        raise Refused(f"{OFFICERS} is not there: nobody may sign", hint=hint)
    found = _keygen("find-principals", path, "-f", str(officers), "-s", str(signature))
    name = found.splitlines()[0].split(",")[0].strip() if found else ""
    if not name:
        raise Refused(f"{signature}: signed by nobody in {OFFICERS}", hint=how)
    if not _keygen("verify", path, "-f", str(officers), "-I", name, "-n", NAMESPACE, "-s", str(signature)):
        raise Refused(f"{signature}: it does not fit {path}", hint="the file was changed after it was signed")
    return name


def check_signature(plan: PlanFile, path: Path, ws: Workspace) -> str | None:
    """The second officer, where the level of a site asks for one.

    Raises:
        Refused: there is none, or it is the one who made the plan.
    """
    asking = needs_signature(ws, plan.sites)
    if not asking and not Path(f"{path}.sig").exists():
        return None
    name = signed_by(path, ws.root)
    if name == plan.author:
        raise Refused(f"{name} made this plan and cannot be its second officer", hint="let another sign")
    return name


def author() -> str:
    """Who makes a plan: `LIENTHONG_OFFICER`, else the login."""
    names = ("LIENTHONG_OFFICER", "SUDO_USER", "USER")
    return next((os.environ[name] for name in names if os.environ.get(name)), "root")


def _keygen(verb: str, path: Path, *words: str) -> str:
    with path.open("rb") as file:
        done = subprocess.run(
            ["ssh-keygen", "-Y", verb, *words], stdin=file, capture_output=True, text=True, check=False
        )
    return done.stdout if done.returncode == 0 else ""


__all__ = ["PlanFile", "as_data", "check_signature", "hosts", "read", "signed_by", "still_true", "write"]

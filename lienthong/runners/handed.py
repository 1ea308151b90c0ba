"""Runs roles of Central on the hosts that the inventory names: all are judged first, then copies of them run.

The copy is what was judged, byte by byte; nobody can put something else in its place between the two.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from lienthong.errors import InventoryError, Problem
from lienthong.handed import lock, scan, signed, specs
from lienthong.handed.signed import Role
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.runners import ansible
from lienthong.runners.result import StepResult
from lienthong.target import Access, lab_dir

STEP = "handed-over"


def judged(access: Access, nodes: Sequence[Node]) -> dict[str, Role]:
    """Every role that runs on one of `nodes`, by name.

    Raises:
        LienThongError: one of them is not signed, was not accepted as it is, or not for this target.
        InventoryError: one does what a role may not, or is given what it does not take.
    """
    roles: dict[str, Role] = {}
    problems: list[Problem] = []
    for node in nodes:
        for name, given in node.handed_over.items():
            if name not in roles:
                roles[name] = signed.read(access.root, name)
                lock.must_be_pinned(access.root, roles[name], access.target)
                problems += scan.refusals(name, roles[name].files)
            if not problems:
                problems += specs.mistakes(f"{node.name}: handed_over", name, roles[name].files, given)
    if problems:
        raise InventoryError(problems)
    return roles


def run(
    access: Access,
    nodes: Sequence[Node],
    roles: Mapping[str, Role],
    *,
    check: bool,
    progress: Callable[[str], None],
) -> list[StepResult]:
    """Run the judged roles on those of `nodes` that have one; one result for each of these.

    Raises:
        LienThongError: Ansible could not be started at all.
    """
    going = [node for node in nodes if node.handed_over]
    if not going:
        return []
    lab = access.target is Target.LAB
    base = (lab_dir(access.root) if lab else access.root / "run" / access.target.value) / "ansible"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="handed-", dir=base))
    try:
        _copy(folder / "roles", roles)
        playbook = folder / "handed.yaml"
        playbook.write_text(playbook_of(going), encoding="utf-8")
        results = ansible.run(access, going, check=check, progress=progress, playbook=playbook, step=STEP)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if lab and not check:
        failed = {name for result in results if not result.good for name in _of(going, result.node)}
        for name, role in roles.items():
            if name not in failed:
                lock.prove(access.root, role.digest)
    return results


def _of(nodes: Sequence[Node], name: str) -> frozenset[str]:
    return next(frozenset(node.handed_over) for node in nodes if node.name == name)


def _copy(folder: Path, roles: Mapping[str, Role]) -> None:
    for name, role in roles.items():
        for path, data in role.files.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def playbook_of(nodes: Sequence[Node]) -> str:
    """A play for each host and role, whose values are marked as no templates."""
    plays: list[dict[str, object]] = []
    for node in nodes:
        for name, given in sorted(node.handed_over.items()):
            plays.append(
                {
                    "name": f"{name} on {node.name}",
                    "hosts": node.name,
                    "become": True,
                    "gather_facts": True,
                    "vars": {key: _plain(value) for key, value in given.items()},
                    "roles": [{"role": name}],
                }
            )
    return yaml.dump(plays, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Unsafe(str):
    """A text that Ansible must not render."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Unsafe, lambda dumper, value: dumper.represent_scalar("!unsafe", str(value), style='"')
)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return _Unsafe(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

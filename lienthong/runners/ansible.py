"""Applies the Ansible baseline: one run of `deploys/baseline.yaml` over the asked nodes.

The playbook runs in a process of its own through ansible-runner, whose events say for each node and
task what happened. Plain `ansible-playbook -i inventory/hosts.py deploys/baseline.yaml` does the same.
"""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.runners.result import Outcome, StepResult
from lienthong.target import Access, lab_dir

STEP = "baseline"
PLAYBOOK = "deploys/baseline.yaml"
FORKS = 10
JOB_TIMEOUT_S = 900


@dataclass
class _Seen:
    """What the events told of one node so far."""

    changes: list[str] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unreachable: str | None = None
    tasks: int = 0
    seconds: float = 0.0


def run(
    access: Access,
    nodes: Sequence[Node],
    *,
    check: bool,
    progress: Callable[[str], None],
    playbook: Path | None = None,
    step: str = STEP,
) -> list[StepResult]:
    """Apply the baseline to `nodes`, or with `check` only look what it would change.

    Args:
        playbook: another than the baseline's; `step` is what its results are called.

    Returns:
        One result a node, in the order of `nodes`. A node that no task reached is `failed`.

    Raises:
        LienThongError: the playbook could not be started at all.
    """
    if not nodes:
        return []
    seen = {node.name: _Seen() for node in nodes}
    lab = access.target is Target.LAB
    base = (lab_dir(access.root) if lab else access.root / "run" / access.target.value) / "ansible"
    base.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix="run-", dir=base))
    try:
        played = playbook or access.root / PLAYBOOK
        status, told = _play(access, list(seen), private, check, _listener(seen, progress, step), played)
    finally:
        # ansible-runner notes the caller's environment there, which may hold secrets.
        shutil.rmtree(private, ignore_errors=True)
    results = [_result(name, node, check, status, step) for name, node in seen.items()]
    if not all(result.good for result in results):
        (base / "failed.txt").write_text(told, encoding="utf-8")
    if not any(node.tasks or node.unreachable is not None for node in seen.values()):
        raise LienThongError(
            f"Ansible did not run ({status}): {told[-1000:]}", hint=f"its output is in {base}/failed.txt"
        )
    return results


def environment(access: Access, private: Path) -> dict[str, str]:
    """What the playbook's process sees besides the caller's environment; nothing outside the checkout."""
    return {
        "ANSIBLE_CONFIG": str(access.root / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
        "ANSIBLE_FORKS": str(FORKS),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        # One session a node is all there is; a control master would outlive the run.
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        "LIENTHONG_ROOT": str(access.root),
        "LIENTHONG_TARGET": access.target.value,
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
    }


def _play(
    access: Access,
    names: list[str],
    private: Path,
    check: bool,
    listen: Callable[[dict[str, Any]], bool],
    playbook: Path,
) -> tuple[str, str]:
    import ansible_runner  # slow import, wanted only when something is applied

    runner = ansible_runner.run(
        private_data_dir=str(private),
        project_dir=str(access.root),
        playbook=str(playbook),
        inventory=str(access.root / "inventory" / "hosts.py"),
        limit=",".join(names),
        cmdline="--check --diff" if check else "--diff",
        envvars=environment(access, private),
        settings={"job_timeout": JOB_TIMEOUT_S, "pexpect_use_poll": True},
        suppress_env_files=True,
        quiet=True,
        event_handler=listen,
        # Without one it puts its own handlers in the place of ours; what is under way is ended.
        cancel_callback=lambda: False,
    )
    output = Path(runner.config.artifact_dir) / "stdout"
    told = output.read_text(encoding="utf-8", errors="replace").strip() if output.exists() else ""
    return str(runner.status), told


def _listener(
    seen: Mapping[str, _Seen], progress: Callable[[str], None], step: str
) -> Callable[[dict[str, Any]], bool]:
    def listen(event: dict[str, Any]) -> bool:
        data: dict[str, Any] = event.get("event_data") or {}
        kind = event.get("event")
        if kind == "playbook_on_play_start":
            progress(f"{step}: {data.get('name', '')}")
        node = seen.get(str(data.get("host", "")))
        if node is None or kind is None or not kind.startswith("runner_on_"):
            return False
        result: dict[str, Any] = data.get("res") or {}
        label = f"{data['role']}: {data.get('task', '')}" if data.get("role") else str(data.get("task", ""))
        if kind == "runner_on_ok":
            node.tasks += 1
            node.seconds += float(data.get("duration") or 0)
            if result.get("changed"):
                node.changes += _lines(label, result)
                node.diffs += _diffs(result)
        elif kind == "runner_on_failed" and not data.get("ignore_errors"):
            node.tasks += 1
            message = _message(result)
            node.failures.append(f"{label}: {message}")
            progress(f"{data['host']}: {label}: {message}")
        elif kind == "runner_on_unreachable":
            node.unreachable = _message(result)
            progress(f"{data['host']}: unreachable: {node.unreachable}")
        return False  # the event is not kept on disk

    return listen


def _lines(label: str, result: Mapping[str, Any]) -> list[str]:
    told = result.get("paths") or result.get("changes") or []
    role = label.split(":", 1)[0]
    return [f"{role}: {line}" for line in told] if told else [label]


def _diffs(result: Mapping[str, Any]) -> list[str]:
    diffs = result.get("diff") or []
    texts: list[str] = []
    for diff in [diffs] if isinstance(diffs, dict) else diffs:
        before, after = diff.get("before", ""), diff.get("after", "")
        if not isinstance(before, str) or not isinstance(after, str):
            continue
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(),
            str(diff.get("before_header", "before")), str(diff.get("after_header", "after")), lineterm="",
        )  # fmt: skip
        texts.append("\n".join(lines))
    return texts


def _message(result: Mapping[str, Any]) -> str:
    text = str(result.get("msg") or result.get("stderr") or result.get("exception") or "no reason given")
    return " ".join(text.split())[:500]


def _result(name: str, node: _Seen, check: bool, status: str, step: str) -> StepResult:
    outcome: Outcome
    if node.unreachable is not None:
        outcome, detail = "unreachable", node.unreachable
    elif node.failures:
        outcome, detail = "failed", "\n".join(node.failures)
    elif not node.tasks:
        outcome, detail = "failed", f"no task reached this node (Ansible: {status})"
    elif status not in {"successful", "failed"}:
        outcome, detail = "failed", f"Ansible was ended: {status}"
    else:
        outcome = "changed" if node.changes else "unchanged"
        detail = "\n".join(node.diffs) if check else ""
    changes = tuple(dict.fromkeys(node.changes))
    return StepResult(name, step, "ansible", outcome, changes, round(node.seconds, 2), detail)

"""Applies pyinfra deploys: one process of its own for all nodes and all deploy files.

pyinfra needs gevent's patched sockets and must not share a process with Netmiko's threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.runners.result import StepResult
from lienthong.target import Access

MODULE = "lienthong.runners.pyinfra_main"


def run(
    access: Access,
    nodes: Sequence[Node],
    deploys: Sequence[str | Path],
    *,
    check: bool,
    progress: Callable[[str], None],
) -> list[StepResult]:
    """Apply deploy files to nodes in the given order, or with `check` only say what would change.

    Args:
        deploys: names as in `deploys/<name>.py`, or paths.

    Returns:
        One result for each node and deploy, ordered by node, then by deploy.

    Raises:
        LienThongError: a deploy file does not exist.
    """
    paths = [_path(access.root, deploy) for deploy in deploys]
    if not nodes or not paths:
        return []
    job = {
        "root": str(access.root),
        "nodes": [node.name for node in nodes],
        "deploys": [str(path) for path in paths],
        "check": check,
    }
    found, complaint = _process(access, job, progress)
    return [
        found.get((node.name, path.stem))
        or StepResult(node.name, path.stem, "pyinfra", "failed", detail=f"pyinfra ended early: {complaint}")
        for node in nodes
        for path in paths
    ]


def _path(root: Path, deploy: str | Path) -> Path:
    path = root / "deploys" / f"{deploy}.py" if "/" not in str(deploy) else root / deploy
    if not path.is_file():
        raise LienThongError(f"{path}: there is no such deploy")
    return path


def _process(
    access: Access, job: dict[str, object], progress: Callable[[str], None]
) -> tuple[dict[tuple[str, str], StepResult], str]:
    environment = {
        **os.environ,
        "LIENTHONG_ROOT": str(access.root),
        "LIENTHONG_TARGET": access.target.value,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYINFRA_PROGRESS": "off",
    }
    environment.pop("LIENTHONG_SITES", None)  # the nodes are named; nothing else narrows them
    found: dict[tuple[str, str], StepResult] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=access.root,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us to deal with, in order
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            json.dump(job, process.stdin)
            process.stdin.close()
            for line in process.stdout:
                _read(line, found, progress)
        finally:
            process.stdout.close()
            if process.poll() is None:
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        errors.seek(0)
        complaint = errors.read().strip().splitlines()[-1:] or [f"exit {process.returncode}"]
    return found, complaint[0]


def _read(line: str, found: dict[tuple[str, str], StepResult], progress: Callable[[str], None]) -> None:
    told = json.loads(line)
    if "progress" in told:
        progress(told["progress"])
    if "result" in told:
        values = told["result"]
        result = StepResult(
            node=values["node"],
            step=values["step"],
            tool="pyinfra",
            outcome=values["outcome"],
            changes=tuple(values["changes"]),
            seconds=values["seconds"],
            detail=values["detail"],
        )
        found[result.node, result.step] = result

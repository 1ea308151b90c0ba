"""One audit: pytest over `checks/` in a process of its own, findings as JSON lines over a pipe.

A process of its own because it enters the lab's namespace and starts threads, and because a check that
crashes the interpreter must not take the report with it. Whatever was collected and gave no finding
becomes an error finding: nothing is lost in silence.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lienthong import __version__
from lienthong.errors import LienThongError
from lienthong.model.finding import AuditRun, Finding, Kind, Status
from lienthong.workspace import Workspace

Progress = Callable[[Finding], None]
#: The control that stands for the audit itself: a check that could not be run at all.
ITSELF = "AUD-01"
#: So long a run of checks may take to end in order.
ENDS_S = 60.0
PLUGINS = ("testinfra.plugin", "lienthong.pytest_plugin")


def quiet(finding: Finding) -> None:
    """A progress that shows nothing."""


def run(ws: Workspace, sites: Sequence[str], *, drill: bool = False, progress: Progress = quiet) -> AuditRun:
    """Check some sites.

    Args:
        ws: the checkout and its target.
        sites: slugs.
        drill: also what disturbs (cuts a line); in the lab only, or in a window somebody named.
        progress: called with every finding as it comes.

    Raises:
        LienThongError: a site is unknown, the target is not there, or pytest did not even start.
    """
    for slug in sites:
        ws.site(slug)
    started = datetime.now(UTC)
    records, code, said = records_of(ws, sites, ["--drill"] if drill else [], progress)
    findings = [Finding.model_validate(r["finding"]) for r in records if "finding" in r]
    collected = [r["collected"] for r in records if "collected" in r]
    if not collected and not findings:
        raise LienThongError(f"no check was run (pytest ended with {code})", hint=said[-1500:])
    findings += [_lost(item, code) for item in _missing(collected, findings)]
    return AuditRun(
        target=ws.access.target,
        sites=tuple(sites),
        drill=drill,
        started=started,
        ended=datetime.now(UTC),
        commit=commit(ws.root),
        version=__version__,
        findings=tuple(sorted(findings, key=lambda f: (f.site, f.control, f.node or "", f.check))),
    )


def commit(root: Path) -> str:
    """The commit of the checkout, with `-dirty` if the inventory differs from it; `unknown` outside git."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    if head.returncode:
        return "unknown"
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "inventory", "checks"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return head.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")


def records_of(
    ws: Workspace, sites: Sequence[str], words: Sequence[str], progress: Progress = quiet
) -> tuple[list[dict[str, Any]], int, str]:
    """Start pytest and read its records as they come: (records, exit code, what it printed).

    Args:
        words: options of `lienthong.pytest_plugin` beside the sites, the target and the findings.
    """
    reader, writer = os.pipe()
    argv = [
        sys.executable,
        "-m",
        "pytest",
        str(ws.root / "checks"),
        "-c",
        os.devnull,
        "--rootdir",
        str(ws.root),
    ]
    argv += [word for plugin in PLUGINS for word in ("-p", plugin)]
    argv += [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
        "--import-mode=importlib",
        "-q",
        "--tb=short",
        "--continue-on-collection-errors",
    ]
    argv += [
        f"--site={','.join(sites)}",
        f"--target={ws.access.target.value}",
        f"--findings=/dev/fd/{writer}",
    ]
    argv += words
    env = dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", LIENTHONG_ROOT=str(ws.root), PYTHONUTF8="1")
    env.pop("PYTEST_ADDOPTS", None)
    records: list[dict[str, Any]] = []
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            argv, cwd=ws.root, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            pass_fds=(writer,),
            start_new_session=True,  # Ctrl-C is for us to deal with, in order
        )  # fmt: skip
        os.close(writer)
        try:
            with os.fdopen(reader, encoding="utf-8") as lines:
                for line in lines:
                    record = json.loads(line)
                    records.append(record)
                    if "finding" in record:
                        progress(Finding.model_validate(record["finding"]))
            code = process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)  # a drill mends what it has cut before it ends
            try:
                process.wait(ENDS_S)
            except subprocess.TimeoutExpired:  # where SIGINT is ignored, as in a shell's background
                process.kill()
                process.wait()
            raise
        said.seek(0)
        return records, code, said.read()


def _missing(collected: list[dict[str, Any]], findings: list[Finding]) -> list[dict[str, Any]]:
    """What was collected and never heard of again."""
    heard = {(f.check, f.site, f.node) for f in findings}
    return [item for item in collected if (item["check"], item["site"], item["node"]) not in heard]


def _lost(item: dict[str, Any], code: int) -> Finding:
    return Finding(
        control=item["control"],
        check=item["check"],
        description=item["description"],
        site=item["site"],
        node=item["node"],
        status=Status.ERROR,
        kind=Kind(item["kind"]),
        detail=f"collected but never executed; pytest ended with {code}",
    )

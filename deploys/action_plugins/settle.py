"""Ansible's side of `settle`: one round trip a host, whatever number of files and units a baseline has.

A task a file costs a worker process and a new interpreter on the host each; on seventeen systems that was
32 s for a run that changes nothing. So roles say what they want in `vars/main.yml`, and this action sends all
of it with the program (`settled.py`) through one ssh session into one Python.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

PROGRAM = Path(__file__).with_name("settled.py")
# The first line of the input is the job, the rest the program; nothing is left on the host or in argv.
START = "import sys; job = sys.stdin.readline(); exec(compile(sys.stdin.read(), 'settled', 'exec'))"


class ActionModule(ActionBase):  # type: ignore[misc]
    """`settle: {wants: [...]}`; check mode and diffs as with any module."""

    _requires_connection = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the job, read the answer."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        wants = self._task.args.get("wants")
        if not isinstance(wants, list) or not all(isinstance(want, Mapping) for want in wants):
            return {**result, "failed": True, "msg": "settle takes `wants`, a list of what roles want"}
        job = json.dumps({"wants": wants, "check": bool(self._task.check_mode)})
        python = (task_vars or {}).get("ansible_python_interpreter", "/usr/bin/python3")
        done = self._low_level_execute_command(
            f'{python} -I -S -c "{START}"',
            in_data=f"{job}\n{PROGRAM.read_text(encoding='utf-8')}".encode(),
        )
        answer = done["stdout"].strip().splitlines()
        try:
            told = json.loads(answer[-1])
        except (IndexError, ValueError):
            reason = " ".join(f"{done['stdout']} {done['stderr']}".split())[-1000:]
            return {**result, "failed": True, "msg": f"no answer from the system (rc {done['rc']}): {reason}"}
        return {**result, **told}

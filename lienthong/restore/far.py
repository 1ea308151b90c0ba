"""Calls root's program on a vault over SSH, tells its progress, carries what was restored.

What a vault answers is hostile text until it has been read as one JSON object a line.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from tempfile import TemporaryFile
from typing import Any

from lienthong.errors import LienThongError, Unreachable
from lienthong.model.intent import Node
from lienthong.openssh import NO_LOGIN, Ways, reason

PROGRAM = "/usr/local/sbin/lienthong-vault"
Say = Callable[[str], None]
Answer = Mapping[str, Any]


class VaultFailed(LienThongError):
    """The vault says that it did not work."""


class Far:
    """Commands on vaults and sources, as root."""

    def __init__(self, ways: Ways, say: Say) -> None:
        self._ways = ways
        self._say = say

    def ask(self, node: Node, *words: str) -> Answer:
        """What the vault's program answers; its progress is told meanwhile.

        Raises:
            VaultFailed: it says why.
            Unreachable: no login, or no such program there.
        """
        result: Answer | None = None
        failed: Answer | None = None
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            with self._ways.start(node.name, [PROGRAM, *words], stderr=said) as process:
                for line in process.stdout or ():
                    event = _event(line)
                    match event.get("event"):
                        case "progress":
                            done = f"{event.get('files')} of {event.get('of')} documents"
                            self._say(f"{node.name}: {event.get('step')}: {done}, {event.get('bytes')} bytes")
                        case "note":
                            self._say(f"{node.name}: {event.get('text')}")
                        case "failed":
                            failed = event
                        case "result":
                            result = event
            said.seek(0)
            complaint = said.read(20_000)
        if failed is not None:
            raise VaultFailed(f"{node.name}: {failed.get('error')}")
        if result is None and process.returncode == NO_LOGIN:
            raise self._ways.no_login(node.name, complaint)
        if result is None:
            raise Unreachable(
                f"{node.name}: no answer from its vault program: {reason(complaint)}",
                hint=f"lienthong apply {node.site}",
            )
        return result

    def carry(self, source: Node, words: list[str], into: list[str], target: Node | None) -> None:
        """Standard output of a command there into a command on another node, or here when there is none.

        Raises:
            LienThongError: either end failed.
        """
        with self._ways.start(source.name, words) as sending:
            assert sending.stdout is not None
            if target is None:
                receiving = subprocess.Popen(into, stdin=sending.stdout, stderr=subprocess.PIPE, text=True)
            else:
                receiving = self._ways.start(target.name, into, stdin=sending.stdout, stderr=subprocess.PIPE)
            sending.stdout.close()
            _, said = receiving.communicate()
            code = sending.wait()
        if code or receiving.returncode:
            last = (said or "").strip().splitlines()
            raise LienThongError(
                f"{source.name}: what was restored did not arrive: {last[-1] if last else f'exit {code}'}"
            )

    def run(self, node: Node, words: list[str]) -> str:
        """A command as root there; its output.

        Raises:
            LienThongError: it failed, and why.
        """
        return self._ways.output(node.name, words, within_s=None)


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

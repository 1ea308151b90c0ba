"""Calls root's program on a vault over SSH, tells its progress, carries what was restored.

What a vault answers is hostile text until it has been read as one JSON object a line.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from shlex import join
from types import TracebackType
from typing import Any

from lienthong.errors import LienThongError, Unreachable
from lienthong.facts.gather import ssh_config
from lienthong.model.intent import Node
from lienthong.target import Access

PROGRAM = "/usr/local/sbin/lienthong-vault"
Say = Callable[[str], None]
Answer = Mapping[str, Any]


class VaultFailed(LienThongError):
    """The vault says that it did not work."""


class Far:
    """Connections to vaults and sources, kept within the block."""

    def __init__(self, access: Access, nodes: Iterable[Node], say: Say) -> None:
        # A short path: a socket's has 108 characters at most.
        self._folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
        self._config = ssh_config(access, {one.name: access.address(one) for one in nodes}, self._folder)
        self._say = say

    def __enter__(self) -> Far:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._folder.glob("*"):
            if socket.is_socket():
                argv = ["ssh", "-F", str(self._config), "-o", f"ControlPath={socket}", "-O", "exit", "any"]
                subprocess.run(argv, capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, node: Node, *words: str) -> Answer:
        """What the vault's program answers; its progress is told meanwhile.

        Raises:
            VaultFailed: it says why.
            Unreachable: no login, or no such program there.
        """
        with self._ssh(node, [PROGRAM, *words], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            said: list[str] = []
            reader = threading.Thread(target=_drain, args=(process, said), daemon=True)
            reader.start()
            result: Answer | None = None
            for line in process.stdout:
                event = _event(line)
                match event.get("event"):
                    case "progress":
                        self._say(
                            f"{node.name}: {event.get('step')}: {event.get('files')} of {event.get('of')} "
                            f"documents, {event.get('bytes')} bytes"
                        )
                    case "note":
                        self._say(f"{node.name}: {event.get('text')}")
                    case "failed":
                        raise VaultFailed(f"{node.name}: {event.get('error')}")
                    case "result":
                        result = event
            code = process.wait()
            reader.join()
        if result is None:
            words_said = "".join(said).strip().splitlines()
            if code == 255:
                raise Unreachable(f"{node.name}: no login: {words_said[-1] if words_said else 'no answer'}")
            raise Unreachable(
                f"{node.name}: no answer from its vault program: {words_said[-1] if words_said else code}",
                hint=f"lienthong apply {node.site}",
            )
        return result

    def carry(self, source: Node, words: list[str], into: list[str], target: Node | None) -> None:
        """Standard output of a command there into a command on another node, or here when there is none.

        Raises:
            LienThongError: either end failed.
        """
        with self._ssh(source, words, stdout=subprocess.PIPE) as sending:
            if target is None:
                receiving = subprocess.Popen(into, stdin=sending.stdout, stderr=subprocess.PIPE, text=True)
            else:
                receiving = self._ssh(target, into, stdin=sending.stdout)
            assert sending.stdout is not None
            sending.stdout.close()
            _, said = receiving.communicate()
            code = sending.wait()
        if code or receiving.returncode:
            last = (said or "").strip().splitlines()
            raise LienThongError(
                f"{source.name}: what was restored did not arrive: {last[-1] if last else f'exit {code}'}"
            )

    def run(self, node: Node, words: list[str], stdin: str | None = None) -> str:
        """A command as root there; its output.

        Raises:
            LienThongError: it failed, with its last line.
        """
        with self._ssh(node, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            out, said = process.communicate(stdin)
        if process.returncode:
            last = said.strip().splitlines() or ["no message"]
            raise LienThongError(f"{node.name}: {words[0]} ended with {process.returncode}: {last[-1]}")
        return out

    def _ssh(
        self, node: Node, words: list[str], *, stdin: Any = subprocess.DEVNULL, stdout: Any = None
    ) -> subprocess.Popen[str]:
        # ssh hands one line to a shell there: every word is quoted for it.
        argv = ["ssh", "-F", str(self._config), node.name, f"sudo -n -- {join(words)}"]
        return subprocess.Popen(
            argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True, errors="surrogateescape"
        )


def _drain(process: subprocess.Popen[str], into: list[str]) -> None:
    assert process.stderr is not None
    into.append(process.stderr.read(20_000))


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

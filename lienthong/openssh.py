"""Commands as root on Debian systems over OpenSSH: the one way there that is not a tool's own.

Host keys are verified always, against the target's file. A command line is public on both ends and holds no
secret: that passes by standard input.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import IO

from lienthong import jump
from lienthong.errors import LienThongError, Unreachable
from lienthong.model.words import Target
from lienthong.target import Access

LOGIN_TIMEOUT_S = 8
#: For what only looks.
WITHIN_S = 25.0
_CLOSE_S = 5
_LONGEST = 300
#: ssh's own exit code when there is no connection (ssh(1)).
NO_LOGIN = 255


@dataclass(frozen=True)
class Ways:
    """Ways to some systems, kept within the block; any number of threads may use them at once."""

    folder: Path
    """private and short-lived: what OpenSSH is told, and the sockets of shared connections"""
    hint: str
    """for who does not get in"""
    deaf: bool = False
    """no ssh hears of Ctrl-C: the caller deals with it, in order"""

    @property
    def config(self) -> Path:
        """An OpenSSH configuration by which plain `ssh -F … <name>` reaches every system."""
        return self.folder / "ssh_config"

    def run(
        self,
        name: str,
        words: Sequence[str],
        *,
        within_s: float | None,
        stdin: str | int = subprocess.DEVNULL,
    ) -> subprocess.CompletedProcess[str]:
        """A command as root there, ended: its exit code and what it said.

        Args:
            within_s: None where nobody can tell; a line that is dead is noticed all the same.
            stdin: a text, or a descriptor. A shared connection outlives what is killed here: who wants to
                break off a command there ends its standard input.

        Raises:
            Unreachable: no login, no end in time.
        """
        text, read = (stdin, None) if isinstance(stdin, str) else (None, stdin)
        try:
            done = subprocess.run(
                self._argv(name, words), input=text, stdin=read, capture_output=True, encoding="utf-8",
                errors="replace", timeout=within_s, check=False, start_new_session=self.deaf,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unreachable(f"{name}: no answer within {within_s:g} s", hint=self.hint) from None
        if done.returncode == NO_LOGIN:
            raise self.no_login(name, done.stderr)
        return done

    def output(self, name: str, words: Sequence[str], *, within_s: float | None = WITHIN_S) -> str:
        """What a command as root there prints.

        Raises:
            Unreachable: no login, no end in time.
            LienThongError: it failed there.
        """
        done = self.run(name, words, within_s=within_s)
        if done.returncode:
            raise LienThongError(f"{name}: {words[0]} ended with {done.returncode}: {reason(done.stderr)}")
        return done.stdout

    def start(
        self,
        name: str,
        words: Sequence[str],
        *,
        stdin: int | IO[str] = subprocess.DEVNULL,
        stderr: int | IO[str] = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """The same, begun: whoever asks reads its standard output, and ends it."""
        return subprocess.Popen(
            self._argv(name, words), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            encoding="utf-8", errors="replace", start_new_session=self.deaf,
        )  # fmt: skip

    def no_login(self, name: str, said: str) -> Unreachable:
        """The error for exit code 255, and why as ssh says it."""
        return Unreachable(f"{name}: no login: {reason(said)}", hint=self.hint)

    def close(self) -> None:
        """End what is shared; never raises."""
        for socket in self.folder.glob("*"):
            if socket.is_socket():
                argv = ["ssh", "-F", str(self.config), "-o", f"ControlPath={socket}", "-O", "exit", "any"]
                with suppress(OSError, subprocess.TimeoutExpired):
                    subprocess.run(argv, capture_output=True, check=False, timeout=_CLOSE_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _argv(self, name: str, words: Sequence[str]) -> list[str]:
        # ssh hands one line to a shell there: every word is quoted for it.
        return ["ssh", "-F", str(self.config), name, f"sudo -n -- {shlex.join(words)}"]

    def __enter__(self) -> Ways:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def ways(
    access: Access,
    addresses: Mapping[str, IPv4Address],
    *,
    shared: bool = True,
    deaf: bool = False,
    hint: str = "",
) -> Ways:
    """Ways to systems by name. Nobody is asked before the first command.

    Args:
        shared: one login a system, kept for all commands; without, a login each that ends with its command.
        deaf: whether Ctrl-C is the caller's alone to hear.
        hint: for who does not get in, unless the usual one will do.
    """
    lines = []
    for name, address in addresses.items():
        lines += [f"Host {name}", f"  HostName {address}"]
        if name in access.ports:
            lines.append(f"  Port {access.ports[name]}")
    lines += [
        "Host *",
        f"  User {access.user}",
        f"  IdentityFile {_quoted(access.key_file)}",
        "  IdentitiesOnly yes",
        "  PreferredAuthentications publickey",
        "  BatchMode yes",
        "  RequestTTY no",
        f"  UserKnownHostsFile {_quoted(access.known_hosts)}",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        f"  ConnectTimeout {LOGIN_TIMEOUT_S}",
        "  ServerAliveInterval 5",
        "  LogLevel ERROR",
    ]
    # A socket's path has 108 characters at most, of which ssh wants 17 while it makes one.
    folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
    if shared:
        lines += ["  ControlMaster auto", f"  ControlPath {folder}/%C", "  ControlPersist 90"]
    else:
        lines += ["  ControlMaster no", "  ControlPath none"]
    if access.jump is not None:
        lines.append(f"  ProxyCommand {shlex.join(jump.command(access))}")
    usual = "lienthong lab status, lienthong trust" if access.target is Target.LAB else "lienthong trust"
    found = Ways(folder, hint or usual, deaf)
    found.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return found


def reason(said: str) -> str:
    """The end of what was said, in one line and harmless to show."""
    text = "; ".join(line.strip() for line in said.splitlines() if line.strip())[-_LONGEST:]
    return "".join(char if char.isprintable() else "·" for char in text) or "nothing said"


def _quoted(path: Path) -> str:
    """A path as one word of OpenSSH's configuration, where % begins a token."""
    return '"' + str(path).replace("%", "%%") + '"'

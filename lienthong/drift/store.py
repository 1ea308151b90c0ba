"""The configurations that were fetched, in a Git repository of their own: one file a device and dialect.

A commit is one device's change; its author is whom the device names. What comes from a device reaches Git as
files and through standard input, never as an argument, and no setting or hook of the officer's applies.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lienthong.drift.author import UNKNOWN, Author, moment
from lienthong.errors import LienThongError
from lienthong.report.hostile import one_line, visible

TOOL = "lienthong"
GIT_S = 60
_CONFIG = (
    "-c",
    "core.autocrlf=false",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "gc.auto=0",
)
_NAME = 64


@dataclass(frozen=True)
class Store:
    """The repository of one target."""

    folder: Path

    def read(self, node: str, dialect: str) -> str | None:
        """What was fetched last; None where nothing was."""
        try:
            return self._file(node, dialect).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold the repository; what a killed run wrote and did not commit is taken back."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise LienThongError(f"{self.folder}: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not (self.folder / ".git").is_dir():
                self._git("init", "--quiet", "--initial-branch=main", "--template=")
            (self.folder / ".git" / "index.lock").unlink(
                missing_ok=True
            )  # we hold the lock: it is a dead one's
            if self._git("rev-parse", "--quiet", "--verify", "HEAD", may_fail=True):
                self._git("reset", "--quiet", "--hard")
            yield
        finally:
            os.close(handle)

    def keep(self, node: str, texts: Mapping[str, str], by: Author, what: str) -> str | None:
        """Commit what a device holds now, by dialect; returns the commit, None where nothing has changed."""
        changed = {name: text for name, text in texts.items() if self.read(node, name) != text}
        if not changed:
            return None
        names = []
        for dialect, text in changed.items():
            path = self._file(node, dialect)
            path.write_text(text, encoding="utf-8")
            names.append(path.name)
        self._git("add", "--", *names)
        at = moment(by.when) or datetime.now(UTC)
        who = plain_name(by.who)
        told = f"{node}: {one_line(what, 120)}\n"
        if by.who != UNKNOWN or by.when:
            told += f"\nThe device says: by {who}, {one_line(by.when, 80) or 'no time'}\n"
        self._git(
            "commit", "--quiet", "--cleanup=verbatim", "-F", "-", "--", *names,
            stdin=told, author=(who, node, at),
        )  # fmt: skip
        return self._git("rev-parse", "--short=10", "HEAD").strip()

    def _file(self, node: str, dialect: str) -> Path:
        name = f"{node}.{dialect}.txt"
        if "/" in name or name.startswith((".", "-")):
            raise LienThongError(f"{name!r} is no name for a file")
        return self.folder / name

    def _git(
        self,
        *words: str,
        stdin: str = "",
        author: tuple[str, str, datetime] | None = None,
        may_fail: bool = False,
    ) -> str:
        who, node, at = author or (TOOL, TOOL, datetime.now(UTC))
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self.folder.parent),
            "GIT_AUTHOR_NAME": who,
            "GIT_AUTHOR_EMAIL": f"{re.sub('[^A-Za-z0-9]+', '.', who).strip('.') or UNKNOWN}@{node}",
            "GIT_AUTHOR_DATE": f"{int(at.timestamp())} +0000",
            "GIT_COMMITTER_NAME": TOOL,
            "GIT_COMMITTER_EMAIL": f"{TOOL}@{TOOL}",
        }
        try:
            done = subprocess.run(
                ["git", *_CONFIG, *words], cwd=self.folder, env=environment, input=stdin.encode(),
                capture_output=True, timeout=GIT_S, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise LienThongError("git is not installed", hint="apt-get install git") from None
        except subprocess.TimeoutExpired:
            raise LienThongError(f"git {words[0]} has not ended within {GIT_S} s") from None
        if done.returncode:
            if may_fail:
                return ""
            said = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise LienThongError(f"{self.folder}: git {words[0]}: {visible(said)}")
        return done.stdout.decode("utf-8", "replace")


def plain_name(who: str) -> str:
    """A name that Git takes for one: nothing steers, nothing ends the field."""
    name = "".join(c for c in one_line(who, _NAME) if c not in '<>"\n').strip(" .,:;'")
    return name or UNKNOWN

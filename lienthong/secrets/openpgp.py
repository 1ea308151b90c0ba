"""The OpenPGP key that signs snapshots of packages: made, looked at and used by GnuPG in a home of its own.

The private half passes by standard input only. It lies in clear text while it is used: in memory (/dev/shm)
where there is such a folder, and for its owner alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lienthong.errors import LienThongError, Unreachable
from lienthong.model.secret import Secret

#: Whose name stands in the key; nobody is to believe it for that name.
NAME = "Lien Thong snapshots"
MARK = "-----BEGIN PGP PRIVATE KEY BLOCK-----"


@dataclass(frozen=True)
class Home:
    """A folder of GnuPG that holds one private key."""

    path: Path
    fingerprint: str

    @property
    def environment(self) -> dict[str, str]:
        """For programs that call GnuPG themselves."""
        return {**os.environ, "GNUPGHOME": str(self.path)}

    def public(self) -> str:
        """The public half, armoured."""
        return _run(self.path, "--armor", "--export-options", "export-minimal", "--export", self.fingerprint)


def new_key() -> str:
    """A new private key (Ed25519, for signatures only, without an end), armoured.

    Raises:
        Unreachable: this machine has no GnuPG.
    """
    with _folder() as path:
        words = ("--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key")
        _run(path, *words, NAME, "ed25519", "sign", "never")
        return _run(path, "--armor", "--export-secret-keys")


def is_key(text: str) -> bool:
    """Whether a text is one armoured private key that is not locked."""
    if not text.startswith(MARK):
        return False
    try:
        with home(Secret(text)) as found:
            _run(found.path, "--local-user", found.fingerprint, "--sign", said="x", binary=True)
    except LienThongError:
        return False
    return True


@contextmanager
def home(key: Secret) -> Iterator[Home]:
    """A home with that key in it, gone with all it held when the block ends.

    Raises:
        LienThongError: it is not exactly one private key.
        Unreachable: this machine has no GnuPG.
    """
    with _folder() as path:
        _run(path, "--import", said=key.reveal())
        listed = _run(path, "--with-colons", "--list-secret-keys").splitlines()
        marks = [line.split(":") for line in listed]
        prints = [after[9] for mark, after in pairwise(marks) if mark[0] == "sec" and after[0] == "fpr"]
        if len(prints) != 1:
            raise LienThongError(f"one private OpenPGP key is expected, not {len(prints)}")
        yield Home(path, prints[0])


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - made by mkdtemp below, for its owner alone
    place = memory if os.access(memory, os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="lt-gpg-", dir=place))
    try:
        yield path
    finally:
        agent = ["gpgconf", "--homedir", str(path), "--kill", "all"]
        if shutil.which(agent[0]):
            subprocess.run(agent, capture_output=True, check=False)
        shutil.rmtree(path, ignore_errors=True)


def _run(path: Path, *words: str, said: str = "", binary: bool = False) -> str:
    argv = ["gpg", "--homedir", str(path), "--batch", "--no-tty", "--quiet", *words]
    try:
        done = subprocess.run(argv, input=said.encode(), capture_output=True, check=False)
    except FileNotFoundError:
        raise Unreachable("this machine has no GnuPG", hint="apt-get install gnupg") from None
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["nothing said"]
        raise LienThongError(f"gpg failed: {last[0]}")
    return "" if binary else done.stdout.decode("ascii", "replace")

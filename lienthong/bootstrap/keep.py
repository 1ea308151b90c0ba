"""What comes from and goes to the officer's own files: the public key, and what may hold secrets."""

from __future__ import annotations

import os
from pathlib import Path

from lienthong.errors import LienThongError


def public_key(key_file: Path) -> str:
    """The public half beside a private key; empty where there is none."""
    try:
        return key_file.with_name(key_file.name + ".pub").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write(path: Path, content: bytes) -> None:
    """A new file, mode 0600 from its first byte on; one that is there is not touched.

    Raises:
        LienThongError: it is there already, or cannot be made.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise LienThongError(f"{path} is there already", hint="name another file, or take it away") from None
    except OSError as error:
        raise LienThongError(f"{path}: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)

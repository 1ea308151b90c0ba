"""Reads a role as it was handed over: whole, unaltered, signed by somebody who may."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lienthong.errors import LienThongError

NAMESPACE = "lienthong-role"
SIGNERS = "inventory/central.signers"
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
MOST_FILES, MOST_BYTES = 1000, 16 << 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_][A-Za-z0-9._/-]{0,199})")
_HINT = "ask Central for it again; how it is signed stands in docs/handed-over.md"


@dataclass(frozen=True)
class Role:
    """A role whose files are what its signer signed."""

    name: str
    digest: str
    """SHA-256 of its list of hashes, which stands for all of it"""
    signer: str
    files: Mapping[str, bytes] = field(repr=False)
    """by path within the role, without the list and its signature"""


def read(root: Path, name: str) -> Role:
    """The role in `roles/<name>/`.

    Raises:
        LienThongError: it is not there, not whole, holds something that is no plain file, or is not signed by
            one who may.
    """
    folder = root / "roles" / name
    if not folder.is_dir() or folder.is_symlink():
        raise LienThongError(f"roles/{name} is not there", hint="put the role that Central handed over there")
    files = _files(folder, f"roles/{name}")
    sums, signature = files.pop(SUMS, None), files.pop(SIGNATURE, None)
    if sums is None or signature is None:
        raise LienThongError(f"roles/{name}: it has no {SUMS if sums is None else SIGNATURE}", hint=_HINT)
    signer = _signer(root, name, sums, signature)
    _compare(name, _listed(name, sums), files)
    return Role(name, hashlib.sha256(sums).hexdigest(), signer, files)


def _files(folder: Path, told: str) -> dict[str, bytes]:
    """Every file, read once; a link or a device may lead anywhere."""
    found: dict[str, bytes] = {}
    size = 0
    for where, folders, names in os.walk(folder):
        for name in sorted([*folders, *names]):
            path = Path(where) / name
            short = path.relative_to(folder).as_posix()
            if not _NAME.fullmatch(name):
                raise LienThongError(f"{told}/{ascii(short)[1:-1]}: a name that no role needs", hint=_HINT)
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                continue
            if not stat.S_ISREG(mode):
                raise LienThongError(f"{told}/{short}: neither a file nor a folder", hint=_HINT)
            size += path.lstat().st_size
            if size > MOST_BYTES or len(found) >= MOST_FILES:
                raise LienThongError(
                    f"{told}: more than {MOST_FILES} files or {MOST_BYTES >> 20} MB", hint=_HINT
                )
            found[short] = path.read_bytes()
    return found


def _listed(name: str, sums: bytes) -> dict[str, str]:
    """Hash by path. The first line says whose hashes they are, so that no role passes for another."""
    lines = sums.decode("utf-8", "replace").splitlines()
    place = f"roles/{name}/{SUMS}"
    if not lines or lines[0] != f"# {NAMESPACE} {name}":
        raise LienThongError(
            f"{place}:1: not the list of role {name}", hint=f"first line: # {NAMESPACE} {name}"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise LienThongError(f"{place}:{number}:1: no hash and path, or one twice", hint=_HINT)
        found[match[2]] = match[1]
    return found


def _compare(name: str, listed: Mapping[str, str], files: Mapping[str, bytes]) -> None:
    wrong = [f"roles/{name}/{path}: is not in {SUMS}" for path in sorted(files.keys() - listed.keys())]
    wrong += [f"roles/{name}/{path}: is missing" for path in sorted(listed.keys() - files.keys())]
    wrong += [
        f"roles/{name}/{path}: was altered"
        for path, data in sorted(files.items())
        if path in listed and hashlib.sha256(data).hexdigest() != listed[path]
    ]
    if wrong:
        raise LienThongError("\n".join(wrong), hint=_HINT)


def _signer(root: Path, name: str, sums: bytes, signature: bytes) -> str:
    signers = root / SIGNERS
    if not signers.is_file():
        raise LienThongError(
            f"{SIGNERS} is not there: nobody may hand over roles",
            hint=f'a line a key: central namespaces="{NAMESPACE}" ssh-ed25519 AAAA…',
        )
    with tempfile.NamedTemporaryFile(prefix="lienthong-", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        form = ("-s", file.name, "-f", str(signers))
        who = _keygen("find-principals", *form, message=b"")
        for principal in who.splitlines():
            if _keygen("verify", "-n", NAMESPACE, "-I", principal, *form, message=sums) and _NAME.fullmatch(
                principal
            ):
                return principal
    raise LienThongError(
        f"roles/{name}/{SIGNATURE}: nobody who may sign roles has signed this",
        hint=f"altered, signed for another purpose, or by a key that is not in {SIGNERS}",
    )


def _keygen(verb: str, *words: str, message: bytes) -> str:
    """What it says; empty when it says no."""
    done = subprocess.run(["ssh-keygen", "-Y", verb, *words], input=message, capture_output=True, check=False)
    return "" if done.returncode else done.stdout.decode("utf-8", "replace") or "good"

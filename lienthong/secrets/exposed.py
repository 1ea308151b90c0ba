"""Finds files under `inventory/` that look like a secret in the clear. Says where, not what."""

from __future__ import annotations

import re
from pathlib import Path

from lienthong.errors import LienThongError, Problem
from lienthong.secrets.names import SUFFIX
from lienthong.secrets.public import SUFFIX as PUBLIC
from lienthong.secrets.vaultfile import check_header

_HINT = "take it out of the repository's history too, and rotate it"
_MAX_BYTES = 4 * 2**20
_NAMES = re.compile(
    r"(?i)(.*vault[-_.]?pass.*|.*\.(key|pem|pass|pw|p12|pfx|kdbx)|id_(rsa|ed25519|ecdsa)|.*passwords?(\.txt)?"
    r"|secrets?\.(json|ya?ml|txt|ini)|.*-client(\.\w+)?|\.env|\.netrc)"
)
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_SAID = re.compile(
    rb"(?im)^[ \t-]*[\"']?(?:[a-z0-9_-]*(?:password|passphrase|passwd|secret|private_?key|psk|api_?key|token)"
    rb"|(?:ospf|wireguard|sip|borg|pki)/[a-z0-9._-]+)[\"']?[ \t]*[:=][ \t]*[\"']?"
    rb"(?![ \t\"'{}\[\]|>#!&*]|null\b|true\b|false\b)(?P<value>[^\s\"'#,{}\[\]]{4,})"
)


def exposed(folder: Path) -> list[Problem]:
    """Every such file under `folder` (inventory/), in the order of their names."""
    found: list[Problem] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.stat().st_size <= _MAX_BYTES:
            where = str(path.relative_to(folder.parent))
            content = path.read_bytes()
            what = _wrong(path, content, path.parent == folder / "secrets")
            if what:
                found.append(Problem(where, what, _HINT))
    return found


def _wrong(path: Path, content: bytes, in_vault: bool) -> str:
    """Why a file may not stay; empty when it may."""
    name = path.name
    if in_vault or ".vault." in name:
        if name.endswith(SUFFIX):
            try:
                check_header(content, path, name.removesuffix(SUFFIX))
            except LienThongError as error:
                return error.what.partition(": ")[2]
            return ""
        if not name.endswith(PUBLIC):
            return "nothing but LABEL.vault.yaml and LABEL.public.yaml belongs here"
        text = content.decode("ascii", "replace")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        wrong = [
            line for line in lines if not re.fullmatch(r"wireguard/[a-z0-9-]+: [A-Za-z0-9+/]{43}=", line)
        ]
        return "holds something else than public halves" if wrong else ""
    if _NAMES.fullmatch(name):
        return "has the name of a password or a key"
    if _KEY.search(content):
        return "holds a private key"
    if path.suffix in {".yaml", ".yml", ".ini", ".cfg", ".conf", ".txt", ".env", ".json", ""}:
        found = _SAID.search(content)
        if found and not found["value"].startswith(b"$ANSIBLE_VAULT"):
            line = content.count(b"\n", 0, found.start("value")) + 1
            return f"line {line} looks like a secret in the clear"
    return ""

"""One file of the vault, `<label>.vault.yaml`: encrypted by Ansible Vault 1.2, its label in the header.

Within, it is a YAML mapping of names to values, or to `{value, since}`, and `identity: <label>`, which
the vault's signature covers and the header's label is not. `ansible-vault view|edit` work on it. What is
decrypted stays in memory.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lienthong.errors import LienThongError, Unreachable
from lienthong.model.secret import Secret
from lienthong.secrets import passwords
from lienthong.secrets.names import SUFFIX

VERSION, CIPHER = "1.2", "AES256"
PATIENCE_S = 10.0
MAX_BYTES = 4 * 2**20


class DoesNotOpen(LienThongError):
    """A password was given and the file did not open, or is not what it says it is."""


@dataclass(frozen=True)
class Entry:
    """A value, and the day (ISO) on which it was set; None where a person wrote it by hand."""

    value: Secret
    since: str | None


@dataclass(frozen=True)
class VaultFile:
    """The file of one identity in the folder of the vault; `root` is the checkout."""

    folder: Path
    label: str
    root: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.label}{SUFFIX}"

    def read(self) -> dict[str, Entry]:
        """What it holds; nothing when there is no such file yet.

        Raises:
            NoPassword: nobody gave its password.
            DoesNotOpen: wrong password, changed since it was written, or not a file of this identity.
        """
        return self.opened(self.passwords())[0] if self.path.exists() else {}

    def passwords(self) -> list[tuple[str, Any]]:
        """Every password that may open it, as `passwords.known`; asks and runs scripts, so once is enough."""
        return passwords.known(self.label, self.root)

    def opened(self, secrets: list[tuple[str, Any]]) -> tuple[dict[str, Entry], Any]:
        """What it holds, and the password that opens it; for a new file nothing, and the first password.

        Raises:
            DoesNotOpen: as `read`.
        """
        if not self.path.exists():
            return {}, secrets[0][1]
        if self.path.stat().st_size > MAX_BYTES:
            raise DoesNotOpen(f"{self.path}: too large to be a file of the vault")
        text = self.path.read_bytes()
        for pair in secrets[:-1]:
            with suppress(DoesNotOpen):
                return _parse(self._decrypt(text, [pair]), self), pair[1]
        return _parse(self._decrypt(text, secrets[-1:]), self), secrets[-1][1]

    def write(self, entries: dict[str, Entry], secret: Any) -> None:
        """Replace the file at once by one that holds exactly these; call it within `locked`.

        Args:
            entries: all of them.
            secret: the password to encrypt with (Ansible's `VaultSecret`).
        """
        from ansible.parsing.vault import VaultLib

        # A salt of our own: ANSIBLE_VAULT_ENCRYPT_SALT would encrypt two versions with one key stream.
        text = VaultLib().encrypt(
            _dump(entries, self.label), secret, vault_id=self.label, salt=os.urandom(32)
        )
        # Read back before the old one goes: what cannot be opened again is lost.
        back = _parse(self._decrypt(text, [(self.label, secret)]), self)
        same = back.keys() == entries.keys() and all(
            back[name].since == entry.since and back[name].value.matches(entry.value.reveal())
            for name, entry in entries.items()
        )
        if not same:
            raise LienThongError(f"{self.path}: does not read back as it was written; nothing was changed")
        replace(self.path, text)

    def _decrypt(self, text: bytes, secrets: list[tuple[str, Any]]) -> bytes:
        from ansible.errors import AnsibleError
        from ansible.parsing.vault import AnsibleVaultFormatError, VaultLib

        check_header(text, self.path, self.label)
        try:
            plain: bytes = VaultLib(secrets).decrypt(text)
        except AnsibleVaultFormatError:
            raise DoesNotOpen(
                f"{self.path}: damaged: this is no whole file of Ansible Vault",
                hint=f"take it from the repository again: git checkout {self.path.name}",
            ) from None
        except AnsibleError:
            raise DoesNotOpen(
                f"{self.path}: does not open with the password given for identity {self.label}: another "
                "password, or the file was changed since it was written (its HMAC does not match)",
                hint=passwords.how(self.label)
                + "; with the right one, git diff and git log say who changed it",
            ) from None
        return plain


def check_header(text: bytes, path: Path, label: str) -> None:
    """Refuse what is not encrypted, is of an old format, or belongs to another identity.

    Raises:
        DoesNotOpen: saying which.
    """
    wanted = f"$ANSIBLE_VAULT;{VERSION};{CIPHER};{label}"
    first = text.partition(b"\n")[0].decode("ascii", "replace").rstrip()
    if first == wanted:
        return
    parts = first.split(";")
    if parts[0] != "$ANSIBLE_VAULT":
        raise DoesNotOpen(
            f"{path}: is not encrypted",
            hint=f"ansible-vault encrypt --encrypt-vault-id {label} FILE; rotate what was committed so",
        )
    said = parts[3] if len(parts) > 3 else "no identity"
    raise DoesNotOpen(
        f"{path}: its header names {said} (format {';'.join(parts[1:3])}), not {label} ({VERSION};{CIPHER})",
        hint=f"ansible-vault rekey --new-vault-id {label}@FILE {path.name}, if it was made by hand",
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone with the vault's folder (made if it is missing); the lock leaves no file behind.

    Raises:
        Unreachable: somebody else has been writing for ten seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Unreachable(
                        f"{folder}: another lienthong secret is writing", hint="wait for it, then try again"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file in place in one step; whoever reads sees the old one or the new one, whole."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _dump(entries: dict[str, Entry], label: str) -> str:
    import yaml

    held: dict[str, object] = {"identity": label}
    for name, entry in sorted(entries.items()):
        value = entry.value.reveal()
        held[str(name)] = {"value": value, "since": entry.since} if entry.since else value
    return yaml.safe_dump(held, sort_keys=False, allow_unicode=True, width=4096)


def _parse(plain: bytes, file: VaultFile) -> dict[str, Entry]:
    """The entries of a decrypted file. Every scalar is a text as it stands: no `no`, no `012`."""
    import yaml

    def wrong(what: str, line: int) -> DoesNotOpen:
        return DoesNotOpen(f"{file.path}: line {line} within: {what}", hint="ansible-vault edit mends it")

    try:
        top = yaml.compose(plain.decode("utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise wrong("this is not YAML", mark.line + 1 if mark else 1) from None
    if top is None:
        return {}
    found: dict[str, Entry] = {}
    for name, node in _pairs(top, wrong):
        line = node.start_mark.line + 1
        if name in found:
            raise wrong(f"{name} stands there twice", line)
        if name == "identity":
            if not isinstance(node, yaml.ScalarNode) or node.value != file.label:
                raise wrong(f"this is the content of another identity than {file.label}", line)
            continue
        parts = {"value": node} if isinstance(node, yaml.ScalarNode) else dict(_pairs(node, wrong))
        texts = {key: part.value for key, part in parts.items() if isinstance(part, yaml.ScalarNode)}
        if not texts.get("value") or parts.keys() - {"value", "since"} or parts.keys() - texts.keys():
            raise wrong(f"{name} is a text, or a mapping of value and since", line)
        found[name] = Entry(Secret(texts["value"]), texts.get("since"))
    return found


def _pairs(node: Any, wrong: Any) -> list[tuple[str, Any]]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        raise wrong("names and their values are expected", node.start_mark.line + 1)
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise wrong("a name is a text", key.start_mark.line + 1)
    return [(key.value, value) for key, value in node.value]

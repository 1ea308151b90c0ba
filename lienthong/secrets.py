"""Turns the name of a secret into its value, at the moment it leaves for its device.

In the lab every secret that is asked for comes into being at first use, is random, and is kept in
`run/lab/<name>/secrets.json` (mode 0600, under a lock). Live, secrets come from the Ansible Vault
file of the inventory and a missing one is an error.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets as random
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Target
from lienthong.target import Access


class LabSecrets:
    """Makes what is missing. Names that begin with `wireguard/` get a Curve25519 key (base64)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, ref: SecretRef) -> Secret:
        """The secret of that name, made now if it is new."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known: dict[str, str] = {}
            if self._path.exists():
                known = json.loads(self._path.read_text(encoding="utf-8"))
            if ref not in known:
                known[str(ref)] = _fresh(ref)
                fresh = self._path.with_suffix(".new")
                fd = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                with os.fdopen(fd, "w", encoding="utf-8") as handle:
                    json.dump(known, handle, indent=1, sort_keys=True)
                fresh.replace(self._path)
            return Secret(known[str(ref)])
        finally:
            os.close(lock)


class VaultSecrets:
    """Reads the Ansible Vault file of the inventory; the password as Ansible finds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] | None = None

    def get(self, ref: SecretRef) -> Secret:
        """The secret of that name.

        Raises:
            LienThongError: no vault, no password, or no such secret.
        """
        if self._known is None:
            self._known = _read_vault(self._path)
        try:
            return Secret(self._known[str(ref)])
        except KeyError:
            raise LienThongError(
                f"{self._path}: no secret named {ref}",
                hint="add it with ansible-vault edit inventory/secrets.vault.yaml",
            ) from None


def store(access: Access) -> LabSecrets | VaultSecrets:
    """The store of this target."""
    if access.target is Target.LAB:
        return LabSecrets(access.secrets_file)
    return VaultSecrets(access.secrets_file)


def _fresh(ref: SecretRef) -> str:
    if ref.startswith("wireguard/"):
        return base64.b64encode(random.token_bytes(32)).decode()
    if ref.startswith("ospf/"):
        return random.token_hex(8)  # OSPFv2 message-digest keys end at 16 characters (RFC 2328 D.3)
    return random.token_urlsafe(24)


def _read_vault(path: Path) -> dict[str, str]:
    if not path.exists():
        raise LienThongError(
            f"{path}: there is no vault", hint="ansible-vault create inventory/secrets.vault.yaml"
        )
    password_file = os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE")
    if not password_file:
        raise LienThongError(
            "the vault's password is not known",
            hint="set ANSIBLE_VAULT_PASSWORD_FILE to a file that holds it, outside this repository",
        )
    import yaml
    from ansible.parsing.vault import VaultLib, VaultSecret  # slow import, live only

    secret = VaultSecret(Path(password_file).expanduser().read_bytes().strip())
    plain = VaultLib([("default", secret)]).decrypt(path.read_bytes())
    values = yaml.safe_load(plain)
    if not isinstance(values, dict):
        raise LienThongError(f"{path}: the vault holds no mapping of names to values")
    return {str(name): str(value) for name, value in values.items()}

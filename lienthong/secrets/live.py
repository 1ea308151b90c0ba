"""The secrets of the real network, from the vault; of one side only where the controller is of one side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.intent import ProvincePlan
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Side
from lienthong.secrets.kinds import refuse_wrong
from lienthong.secrets.names import Identity, identity_of
from lienthong.secrets.public import PublicFile
from lienthong.secrets.vaultfile import Entry, VaultFile


class NoSecret(LienThongError):
    """The vault opens, and holds no secret of that name."""


class VaultSecrets:
    """Opens the file of a secret when it is first asked for one; asks for no other password."""

    def __init__(
        self, folder: Path, plan: Callable[[], ProvincePlan], root: Path, side: Side | None = None
    ) -> None:
        self._folder, self._plan, self._root, self._side = folder, plan, root, side
        self._opened: dict[str, dict[str, Entry]] = {}

    def get(self, ref: SecretRef) -> Secret:
        """The secret of that name.

        Raises:
            NoSecret: nobody has set it.
            LienThongError: of the other side; its file does not open; its value is not of its kind.
        """
        identity = self._identity(ref)
        if identity.label not in self._opened:
            self._opened[identity.label] = VaultFile(self._folder, identity.label, self._root).read()
        entry = self._opened[identity.label].get(ref)
        if entry is None:
            raise NoSecret(
                f"{ref} is not set in {identity.label}.vault.yaml",
                hint=f"lienthong secret set {ref} --generate, or without it to type the value",
            )
        refuse_wrong(ref, entry.value.reveal())
        return entry.value

    def public(self, ref: SecretRef) -> str:
        """The public half of a WireGuard key: what lies beside the vault in the clear.

        Raises:
            NoSecret: nobody has made that key.
            LienThongError: the key exists and its public half is not there.
        """
        label = self._identity(ref).label
        half = PublicFile(self._folder, label).read().get(ref)
        if half is not None:
            return half
        if not VaultFile(self._folder, label, self._root).path.exists():
            raise NoSecret(f"{ref} is not set", hint=f"lienthong secret set {ref} --generate")
        from lienthong.secrets.wireguard import public_key

        return public_key(self.get(ref))  # set by hand, and this controller may open it

    def _identity(self, ref: SecretRef) -> Identity:
        identity = identity_of(ref, self._plan())
        if self._side is not None and identity.side is not self._side:
            raise LienThongError(
                f"{ref} belongs to side {identity.side}; this controller is of side {self._side}",
                hint="each side has a controller of its own, with the passwords of its side only",
            )
        return identity

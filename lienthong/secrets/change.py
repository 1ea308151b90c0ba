"""Changes the vault: a value is set or made anew, a file gets a new password. Alone, and in one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.intent import ProvincePlan
from lienthong.model.secret import Secret, SecretRef
from lienthong.secrets import passwords
from lienthong.secrets.kinds import fresh, kind, refuse_wrong
from lienthong.secrets.live import NoSecret
from lienthong.secrets.names import Identity, Need, identities, identity_of, needs
from lienthong.secrets.public import PublicFile
from lienthong.secrets.vaultfile import Entry, VaultFile, locked
from lienthong.secrets.wireguard import public_key


@dataclass(frozen=True)
class Changed:
    """What a change touched: where the value lies now, and the nodes that the next plan will change."""

    identity: Identity
    path: Path
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Vault:
    """The vault of a checkout: `folder` is inventory/secrets, `root` the checkout."""

    folder: Path
    root: Path
    plan: ProvincePlan

    def set(self, ref: SecretRef, value: Secret | None, today: str, *, replace: bool) -> Changed:
        """Set a value, or make one where `value` is None.

        Raises:
            LienThongError: nothing of the inventory has such a secret; it is not of its kind; it is set
                already and `replace` is False; its file cannot be opened.
        """
        return self._put(ref, value, today, must_exist=False, may_replace=replace)

    def rotate(self, ref: SecretRef, today: str) -> Changed:
        """Make a value anew.

        Raises:
            NoSecret: it is not set.
            LienThongError: as `set`; or a new value would lock somebody out.
        """
        known = kind(ref)
        if known.kept:
            raise LienThongError(
                f"{ref} cannot simply be made anew: {known.kept.replace('NAME', ref)}",
                hint="nothing was changed",
            )
        return self._put(ref, None, today, must_exist=True, may_replace=True)

    def rekey(self, label: str, source: str) -> Changed:
        """Encrypt the file of an identity with a new password; its values stay.

        Args:
            label: e.g. `loc-ninh-net`.
            source: where the new password comes from: `[LABEL@]FILE`, an executable, or `prompt`.

        Raises:
            LienThongError: no such identity or file; a password missing, wrong, not new, or in the checkout.
        """
        identity = self.identity(label)
        file = VaultFile(self.folder, label, self.root)
        if not file.path.exists():
            raise LienThongError(
                f"{file.path}: there is no such file yet",
                hint=f"the first secret that is set makes it; its password: {passwords.how(label)}",
            )
        old = file.passwords()
        new = passwords.load(label, passwords.split(source, label), self.root, new=True)
        with locked(self.folder):
            entries, opener = file.opened(old)
            if opener.bytes == new.bytes:
                raise LienThongError(f"the new password of identity {label} is the old one")
            file.write(entries, new)
        return Changed(identity, file.path, ())

    def identity(self, label: str) -> Identity:
        """The identity of that label.

        Raises:
            LienThongError: the inventory has none.
        """
        known = identities(self.plan)
        if label not in known:
            raise LienThongError(
                f"no identity {label!r} in the inventory",
                hint="SITE-wan, SITE-net, province-wan, province-net",
            )
        return known[label]

    def need(self, ref: SecretRef) -> Need:
        """What the plan says of a name; no node when it does not ask for it.

        Raises:
            LienThongError: nothing of the inventory has such a secret.
        """
        found = next((need for need in needs(self.plan) if need.ref == ref), None)
        return found or Need(ref, identity_of(ref, self.plan), ())

    def _put(
        self, ref: SecretRef, value: Secret | None, today: str, *, must_exist: bool, may_replace: bool
    ) -> Changed:
        need = self.need(ref)
        made = value if value is not None else Secret(fresh(ref))
        refuse_wrong(ref, made.reveal())
        file = VaultFile(self.folder, need.identity.label, self.root)
        given = file.passwords()
        with locked(self.folder):
            entries, opener = file.opened(given)
            if must_exist and ref not in entries:
                raise NoSecret(f"{ref} is not set", hint=f"lienthong secret set {ref} --generate")
            if ref in entries and not may_replace:
                raise LienThongError(
                    f"{ref} is set already; its value stays", hint="--replace, or lienthong secret rotate"
                )
            entries[ref] = Entry(made, today)
            file.write(entries, opener)
            self._tell_halves(file, entries)
        return Changed(need.identity, file.path, need.nodes)

    def _tell_halves(self, file: VaultFile, entries: dict[str, Entry]) -> None:
        """Write the public halves that go with these entries, so that the two never say different things."""
        halves = {
            name: public_key(entry.value) for name, entry in entries.items() if name.startswith("wireguard/")
        }
        beside = PublicFile(self.folder, file.label)
        if halves != beside.read():
            beside.write(halves)

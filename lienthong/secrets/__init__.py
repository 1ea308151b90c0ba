"""Turns the name of a secret into its value, at the moment it leaves for its device.

In the lab every secret that is asked for comes into being at first use (`lab`). Live, secrets lie in
`inventory/secrets/<identity>.vault.yaml`, an Ansible Vault file for each side of each site (`names` says
which, `vaultfile` reads and writes one, `passwords` finds its password), and a missing one is an error.
"""

from __future__ import annotations

from collections.abc import Callable

from lienthong.model.intent import ProvincePlan
from lienthong.model.words import Side, Target
from lienthong.secrets.lab import LabSecrets
from lienthong.secrets.live import NoSecret, VaultSecrets
from lienthong.target import Access

__all__ = ["LabSecrets", "NoSecret", "VaultSecrets", "store"]


def store(access: Access, plan: Callable[[], ProvincePlan]) -> LabSecrets | VaultSecrets:
    """The store of this target. `plan` is asked only when a live secret is."""
    if access.target is Target.LAB:
        return LabSecrets(access.secrets_file)
    side = Side(access.side) if access.side else None
    return VaultSecrets(access.secrets_file, plan, access.root, side)

"""The one key that systems believe snapshots of: the private half is a secret, the public half a file.

Snapshots are made on the Internet side, so the private half is a secret of that side (`mirror/net`). The
closed side has the public half only: `inventory/mirror.asc`, committed on both sides as a bundle's keys are.
"""

from __future__ import annotations

import os
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.secret import SecretRef, SecretStore
from lienthong.model.words import Target
from lienthong.secrets.openpgp import home
from lienthong.target import Access, lab_dir

KEY = SecretRef("mirror/net")
FILE = "inventory/mirror.asc"


def public_file(access: Access) -> Path:
    """Where the public half lies: of a lab in its own folder, never in the inventory."""
    return lab_dir(access.root) / "mirror.asc" if access.target is Target.LAB else access.root / FILE


def pinned(access: Access, secrets: SecretStore) -> str:
    """The public half, armoured. A lab makes the key when it is first asked for.

    Raises:
        LienThongError: nobody has put it there.
    """
    path = public_file(access)
    if access.target is Target.LAB and not path.exists():
        write(path, secrets)
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise LienThongError(
            f"{path}: the public half of the key of snapshots cannot be read: {type(error).__name__}",
            hint="lienthong mirror key on the Internet side writes it; commit it on both sides",
        ) from None


def write(path: Path, secrets: SecretStore, *, replace: bool = False) -> bool:
    """Write the public half of the secret; whether that changed anything.

    Raises:
        LienThongError: there is another one, and it is not to be replaced.
    """
    with home(secrets.get(KEY)) as found:
        text = found.public()
    held = path.read_text(encoding="ascii", errors="replace") if path.exists() else None
    if held == text:
        return False
    if held is not None and not replace:
        raise LienThongError(
            f"{path} is of another key than the secret {KEY}",
            hint="lienthong mirror key --replace, then commit and apply: systems believe one key only",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="ascii")
    new.replace(path)
    return True

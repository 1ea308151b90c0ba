"""Where the checkout is. Imports nothing but the standard library: `inventory/hosts.py` asks first of all."""

from __future__ import annotations

import os
from pathlib import Path


def find_root(start: Path | None = None) -> Path:
    """The folder that holds `inventory/sites`: `LIENTHONG_ROOT`, else upward from `start`.

    Raises:
        LienThongError: there is none.
    """
    named = os.environ.get("LIENTHONG_ROOT")
    here = Path(named) if named else (start or Path.cwd())
    for folder in [here, *here.resolve().parents]:
        if (folder / "inventory" / "sites").is_dir():
            return folder.resolve()
    from lienthong.errors import LienThongError

    raise LienThongError(
        f"no inventory/sites in {here} or above it", hint="go into the checkout, or use --root"
    )

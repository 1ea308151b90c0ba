"""Who may open the tool's state: `inventory/officers.recipients`, a line an officer: NAME age1…."""

from __future__ import annotations

from pathlib import Path

from lienthong.bundle.header import RECIPIENT
from lienthong.errors import LienThongError

OFFICERS = "inventory/officers.recipients"
#: With one officer alone nobody else could recover it.
AT_LEAST = 2


def officers(root: Path) -> dict[str, str]:
    """The age recipient of every officer.

    Raises:
        LienThongError: the file is missing, a line is wrong, or there are not two of them.
    """
    try:
        lines = (root / OFFICERS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise LienThongError(
            f"{OFFICERS} cannot be read: nobody could open it",
            hint="a line an officer: NAME age1…, as age-keygen -y FILE prints it; two officers or more",
        ) from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = f"{OFFICERS}:{number}:1"
        if len(words) != 2 or not RECIPIENT.fullmatch(words[1]):
            raise LienThongError(f"{where}: an officer's name and age recipient are expected")
        if words[0] in found or words[1] in found.values():
            raise LienThongError(f"{where}: that officer or that recipient stands there twice")
        found[words[0]] = words[1]
    if len(found) < AT_LEAST:
        raise LienThongError(
            f"{OFFICERS}: {len(found)} officer: a second one could not recover it",
            hint="each makes a key on a machine of their own: age-keygen -o FILE",
        )
    return found

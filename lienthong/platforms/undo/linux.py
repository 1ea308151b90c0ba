"""The undo of a Linux device: it returns to its configuration by itself unless the change is confirmed.

The tool keeps two files on the device, a program and a unit that also runs at boot; both come from
`templates/linux-gw/` and are put in place with the same command that arms.
"""

from __future__ import annotations

import base64

from lienthong.errors import LienThongError
from lienthong.platforms.undo import Arming, NotArmed, Session, Undo

PROGRAM = "/usr/local/sbin/lienthong-undo"
UNIT = "/etc/systemd/system/lienthong-undo.service"
RETURN_S = 180.0
#: Reads `mode path base64` a line; puts in place what differs and says so to systemd.
_KEEP = r"""set -e; new=
keep() { printf %s "$3" | base64 -d > "$2.new"; chmod "$1" "$2.new"
  if cmp -s "$2.new" "$2"; then rm "$2.new"; else mv "$2.new" "$2"; new=1; fi; }
"""


def pending(session: Session) -> str | None:
    """An undo that is armed; a device that has never had the program has nothing armed."""
    status, said = session.run(f"if [ -e {PROGRAM} ]; then sudo -n {PROGRAM} status; fi")
    if status:
        raise LienThongError(f"whether a change is armed cannot be seen: {said.strip()[-400:]}")
    return said.strip() if said.startswith("armed") else None


def arm(session: Session, arming: Arming) -> None:
    """Remember the configuration and return to it after some seconds, also across a reboot.

    Raises:
        NotArmed: another unconfirmed change is armed, or the device has not what it takes.
    """
    # vtysh writes all that is typed into a file of the account, keys of OSPF too; root mends by hand.
    homes = f"~{arming.account} ~root"
    script = f"{_KEEP}for home in {homes}; do ln -sfn /dev/null $home/.history_frr; done\n"
    for mode, path, source in (("0755", PROGRAM, "undo.py"), ("0644", UNIT, "undo.service")):
        content = (arming.templates / "linux-gw" / source).read_bytes()
        script += f"keep {mode} {path} {base64.b64encode(content).decode()}\n"
    unit = UNIT.rsplit("/", 1)[1]
    script += f'[ -z "$new" ] || {{ systemctl daemon-reload; systemctl enable --quiet {unit}; }}\n'
    script += f"exec {PROGRAM} arm {arming.seconds}\n"
    status, said = session.run("sudo -n /bin/sh", script)
    if status == 4:
        raise NotArmed(
            f"an unconfirmed change is in force: {said.strip()}", hint="wait for that, then run again"
        )
    if status:
        raise NotArmed(f"the undo cannot be armed: {said.strip()[-400:]}")


def confirm(session: Session) -> None:
    """The change is good: forget what was remembered.

    Raises:
        LienThongError: the undo has fired already.
    """
    status, said = session.run(f"sudo -n {PROGRAM} confirm")
    if status:
        raise LienThongError(f"not confirmed: {said.strip()[-400:]}")


def fire(session: Session) -> str:
    """Return now; says what came of it.

    Raises:
        LienThongError: the return is not complete; the device tries again at its next boot.
    """
    # frr-reload takes lines away one by one: minutes on a busy hub.
    status, said = session.run(f"sudo -n {PROGRAM} fire", timeout_s=RETURN_S)
    if status not in {0, 3}:
        raise LienThongError(f"the return is not complete: {said.strip()[-400:]}")
    return said.strip() or "it had returned already"


UNDO = Undo(
    method="snapshot on disk, a timer and a unit at boot",
    dialect="ovs",
    reboots=False,
    outage_s=5,
    step_s=1,
    survives_reboot=True,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
    own=True,
)

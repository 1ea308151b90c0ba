"""Makes a root file system that has every package into the neutral base that nodes start from.

Everything that plays a role is switched off, what a namespace cannot run is masked, nothing secret and
nothing of a site is left in it. Every step may be repeated.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

FILES = Path(__file__).with_name("base")

#: The account of the automation on day 0, as a preseeded installation would make it.
ACCOUNT, ACCOUNT_UID = "lienthong", 900

_OFF = (
    "aidecheck.timer",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "auditd.service",
    "chrony.service",
    "dailyaidecheck.timer",
    "dnsmasq.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fail2ban.service",
    "frr.service",
    "fstrim.timer",
    "isc-kea-dhcp4-server.service",
    "kamailio.service",
    "kea-dhcp4-server.service",
    "keepalived.service",
    "nginx.service",
    "openvswitch-switch.service",
    "prometheus.service",
    "prometheus-alertmanager.service",
    "prometheus-blackbox-exporter.service",
    "prometheus-node-exporter.service",
    "prometheus-snmp-exporter.service",
    "rsync.service",
    "snmpd.service",
    "unattended-upgrades.service",
    "unbound.service",
    "usbguard-dbus.service",
    "usbguard.service",
)
# Without a device manager, virtual terminals and seats of their own these only wait or fail in a namespace.
_MASKED = (
    "console-getty.service",
    "getty.target",
    "systemd-logind.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
)
# rsyslog stays enabled: a deploy starts a service before it enables it, and rsyslog's alias is then missing.
_ON = ("lab-offload.service", "rsyslog.service", "ssh.service")
#: What a node makes for itself when it first starts.
PER_NODE = (
    "etc/machine-id",
    "etc/openvswitch/conf.db",
    "etc/openvswitch/system-id.conf",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
)


def prepare(root: Path) -> None:
    """Turn the root file system in `root` into the base; `root` is not mounted anywhere yet."""
    shutil.copytree(FILES, root, dirs_exist_ok=True)
    (root / "etc/sudoers.d/lienthong").chmod(0o440)
    for name in PER_NODE:
        (root / name).unlink(missing_ok=True)
    (root / "etc/machine-id").touch()
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # How this machine's own apt is told to ask, perhaps less strictly, is nothing a site's systems do.
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    for name in ("etc/resolv.conf", "etc/hostname", "etc/apt/sources.list"):
        (root / name).unlink(missing_ok=True)
        (root / name).touch()
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    _account(root)
    _units(root)


def _account(root: Path) -> None:
    # `*` and not `!`: no password fits, yet sshd does not take the account for a locked one.
    text = (root / "etc/passwd").read_text(encoding="utf-8")
    if f"\n{ACCOUNT}:" not in text:
        add = ["useradd", "--uid", str(ACCOUNT_UID), "--user-group", "--create-home"]
        _in(root, *add, "--shell", "/bin/bash", "--password", "*", ACCOUNT)
    _in(root, "passwd", "--quiet", "--lock", "root")


def _units(root: Path) -> None:
    known = {
        path.name
        for folder in ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")
        for path in (root / folder).glob("*.*")
    }
    off = [unit for unit in _OFF if unit in known]
    for verb, units in (("disable", off), ("mask", list(_MASKED)), ("enable", list(_ON))):
        command = ["systemctl", f"--root={root}", "--quiet", verb, *units]
        # systemctl hands units with an init script on to a helper that tells the same thing again
        subprocess.run(command, check=True, capture_output=True)


def _in(root: Path, *command: str) -> None:
    subprocess.run(["chroot", str(root), *command], check=True, capture_output=True)

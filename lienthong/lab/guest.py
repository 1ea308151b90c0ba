"""A node with a kernel of its own: an emulated computer in the namespace where a container would be.

It is made from the very same disk as any other node, with Debian's kernel as one more layer, and has the same
interfaces: in its namespace each end of a cable meets a tap of the emulator on a bridge that has no address.
It proves what systems that share a kernel cannot: records of the kernel, AppArmor, USB, a clock to be set.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Interface
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import cgroup, disk
from lienthong.lab.install import run
from lienthong.lab.namespace import setns
from lienthong.lab.place import NETNS_DIR, Place
from lienthong.lab.prepare import ACCOUNT

#: Memory and processors of the emulated computer.
MEMORY_MB, PROCESSORS = 1536, 2
#: Emulated, a system takes half a minute of one processor to its sshd, and more where others want it too.
BOOT_S, ANSWER_S, POWER_OFF_S = 1200.0, 60.0, 60.0
ROOM = "8G"
"""What its disk may grow to; the file holds what is used."""
_COMMANDS = {"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs"}
# What a container has no use for, or would harm: here devices, the power key and the clock are real.
_NOT_IN_CONTAINERS = ("systemd-udevd.service", "systemd-logind.service", "chrony.service.d/lab.conf")
_MANAGEMENT = """# Who starts a container gives it this address; a computer must do it itself.
[Unit]
Description=lab: the address by which the controller comes in
BindsTo=sys-subsystem-net-devices-{port}.device
After=sys-subsystem-net-devices-{port}.device

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip address replace {address} dev {port}
ExecStart=/usr/sbin/ip link set {port} up

[Install]
WantedBy=multi-user.target
"""


def require() -> None:
    """Refuse before anything is begun.

    Raises:
        Unreachable: this machine cannot emulate a computer.
    """
    if platform.machine() != "x86_64":
        raise Unreachable(
            f"a node with a kernel of its own needs an x86-64, and this is {platform.machine()}"
        )
    missing = sorted(package for command, package in _COMMANDS.items() if not shutil.which(command))
    if missing:
        raise Unreachable(
            "a node with a kernel of its own is emulated, and this machine has no emulator",
            hint=f"apt-get install --no-install-recommends {' '.join(missing)}, or make kernel",
        )


def hardware(node: str, port: str) -> str:
    """The Ethernet address of an interface: of local administration, the same in every lab of that name."""
    rest = hashlib.sha256(f"{node} {port}".encode()).digest()[:4]
    return ":".join(f"{byte:02x}" for byte in (2, 1, *rest))


def cabled(ports: Sequence[str], ipv6: bool) -> list[str]:
    """For `ip`: each cable's end and a tap on a bridge of their own, none of which says anything itself."""
    lines = []
    for number, port in enumerate(ports):
        tap, bridge = f"tap{number}", f"br{number}"
        lines += [f"tuntap add dev {tap} mode tap", f"link add {bridge} type bridge mcast_snooping 0"]
        # It would otherwise announce an address of its own by IPv6, on the guest's cable.
        lines += [f"link set {name} addrgenmode none" for name in (port, tap, bridge) if ipv6]
        lines += [f"link set {name} master {bridge}" for name in (port, tap)]
        lines += [f"link set {name} up" for name in (port, tap, bridge)]
    return lines


def furnish(root: Path, node: str, ports: Sequence[str], address: IPv4Interface, management: str) -> None:
    """What the disk of a computer has and a container's has not: names of interfaces, AppArmor, a clock."""
    units = root / "etc/systemd/system"
    for name in _NOT_IN_CONTAINERS:
        (units / name).unlink(missing_ok=True)
    for port in ports:
        text = f"[Match]\nMACAddress={hardware(node, port)}\n\n[Link]\nName={port}\n"
        disk.write(root, f"etc/systemd/network/10-lab-{port}.link", text)
    text = _MANAGEMENT.format(port=management, address=address)
    disk.write(root, "etc/systemd/system/lab-management.service", text)
    disk.enable(root, "lab-management.service", "apparmor.service")


def store(place: Place, node: str) -> None:
    """Turn the node's root folder into the disk of a computer; the folder goes.

    Raises:
        Unreachable: there is no room for it.
    """
    home = place.node(node)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(home / "root" / name, home / name)
    options = "lazy_itable_init=1,lazy_journal_init=1"
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-E", options, "-d", str(home / "root")]
    run([*command, str(home / "disk.img"), ROOM])
    (home / "disk.img").chmod(0o600)
    disk.unmount(home / "root")


def arguments(home: Path, node: str, ports: Sequence[str], accelerator: str = "tcg") -> list[str]:
    """The command that switches the computer on.

    Args:
        home: the node's own folder.
        ports: its interfaces, in the order in which `cabled` got them.
        accelerator: `tcg` emulates everywhere; `kvm` only where the machine lets it.
    """
    command = ["qemu-system-x86_64", "-name", node, "-nodefaults", "-no-user-config", "-display", "none"]
    command += ["-machine", "q35", "-accel", accelerator, "-cpu", "max", "-smp", str(PROCESSORS)]
    command += ["-m", str(MEMORY_MB), "-no-reboot", "-serial", "stdio", "-rtc", "base=utc,driftfix=slew"]
    # Relative: the path of a socket ends at 108 characters.
    command += ["-monitor", "unix:monitor,server=on,wait=off"]
    command += ["-kernel", str(home / "vmlinuz"), "-initrd", str(home / "initrd.img")]
    command += ["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet panic=-1"]
    # A lab that loses power is made anew; a killed emulator has written all that its guest has flushed.
    command += ["-drive", f"file={_escaped(home / 'disk.img')},if=virtio,format=raw,cache=unsafe"]
    command += ["-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb"]
    for number, port in enumerate(ports):
        # Without a header of its own the tap takes whole frames only: checksums filled in, none too large.
        tap = f"tap,id=net{number},ifname=tap{number},script=no,downscript=no,vnet_hdr=off"
        command += ["-netdev", tap]
        command += ["-device", f"virtio-net-pci,netdev=net{number},mac={hardware(node, port)},romfile="]
    return command


def start(place: Place, node: str, ports: Sequence[str]) -> subprocess.Popen[bytes]:
    """Switch it on; its namespace and its disk are there. Returns at once."""
    home, netns = place.node(node), NETNS_DIR / place.netns(node)
    (home / "monitor").unlink(missing_ok=True)

    def go() -> None:
        cgroup.join(f"{place.cgroup}/{node}")
        setns(netns)

    with (home / "console.log").open("ab") as console:
        return subprocess.Popen(
            arguments(home, node, ports, os.environ.get("LIENTHONG_ACCEL", "tcg")),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            cwd=home,
            start_new_session=True,
            preexec_fn=go,
        )


def tell(home: Path, command: str) -> bool:
    """Say something to the emulator of the node whose folder that is: `system_powerdown`, `device_add …`.

    Returns:
        Whether there was one that heard it.
    """
    folder = -1
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as monitor:
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        monitor.settimeout(5)
        monitor.connect(f"/proc/self/fd/{folder}/monitor")
        _until_prompt(monitor)
        monitor.sendall(f"{command}\n".encode())
        _until_prompt(monitor)
        os.close(folder)
        return True
    if folder >= 0:
        os.close(folder)
    return False


def entry(place: Place, address: str) -> tuple[str, ...]:
    """The command by which something is run as root on it: there are no namespaces to enter."""
    ssh = ["ssh", "-F", "none", "-i", str(place.key_file), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    ssh += ["-o", f"UserKnownHostsFile={place.known_hosts}", "-o", "GlobalKnownHostsFile=none"]
    ssh += ["-o", "StrictHostKeyChecking=yes", f"{ACCOUNT}@{address}"]
    program = str(Path(__file__).with_name("through.py"))
    return ("nsenter", f"--net={place.oob}", sys.executable, "-I", "-S", program, *ssh)


def _until_prompt(monitor: socket.socket) -> None:
    said = b""
    while not said.endswith(b"(qemu) "):
        more = monitor.recv(4096)
        if not more:
            return
        said += more


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")

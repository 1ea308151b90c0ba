"""What every simulated device is: a box with power, time, configurations, logins. Pure: no socket, no clock.

A vendor's file in `vendors/` has `VENDOR`, and says of every quirk which page of the vendor tells it. A box
is driven from outside: the server gives it lines and lets its time pass, so a test can do the same by hand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

#: The Internet side's addresses, and the VLAN of management on each side, as in the addressing plan.
INTERNET_SIDE, VLAN, INTERNET_VLAN = IPv4Network("10.128.0.0/9"), 40, 140


def day0_vlan(managed: IPv4Interface) -> int:
    """The VLAN in which somebody at the console put the management address."""
    return INTERNET_VLAN if managed.ip in INTERNET_SIDE else VLAN


@dataclass(order=True)
class Timer:
    """Something that the box will do by itself."""

    due_s: float
    what: Callable[[], None] = field(compare=False, repr=False)
    name: str = field(default="", compare=False)
    live: bool = field(default=True, compare=False)


class Shell(ABC):
    """One login: a prompt, lines in, text out. Made by :meth:`Box.log_in`."""

    closed: bool = False
    """The device has ended this login (`exit`, a reboot, an idle time-out, the loss of its address)."""
    page: int = 24
    """Lines of the terminal; 0: no paging. The server does the paging with :attr:`more`."""
    more: str = "--More--"
    """What the device prints in the place of a page's end."""

    @abstractmethod
    def prompt(self) -> str:
        """What stands before the cursor now; also a question that the device asks, such as `[confirm]`."""

    @abstractmethod
    def line(self, text: str) -> str:
        """Do one line that was typed; returns what is printed before the next prompt, in whole lines."""

    def interrupted(self) -> None:  # noqa: B027 - most devices have nothing to drop
        """The connection broke without a farewell: what the device does with a candidate, a lock."""


class Box(ABC):
    """One device. Its configurations are the vendor's own value; what it did not save a reboot forgets."""

    boot_s: float = 30.0
    """Seconds from power to the first login."""
    most_logins: int = 5
    """Logins at a time (VTY lines)."""

    def __init__(self, name: str, managed_by: IPv4Interface) -> None:
        """`managed_by` is the address at which the controller knows the device."""
        self.name = name
        self.managed_by = managed_by
        self.now_s = 0.0
        self.boots = 0
        self.up = False
        self.shells: list[Shell] = []
        self.log: list[str] = []
        """Messages for a console, e.g. `%SYS-5-CONFIG_I: Configured from console by netadm`."""
        self.full = False
        """The flash has no room: saving and archiving fail as they do on the device."""
        self._timers: list[Timer] = []

    @abstractmethod
    def start(self) -> None:
        """Power came: what was saved becomes the running configuration; an undo that survives runs on."""

    @abstractmethod
    def shell(self, user: str) -> Shell:
        """A login that has been let in."""

    @abstractmethod
    def keys_of(self, user: str) -> Sequence[str]:
        """Public keys (`ssh-ed25519 AAAA…`) that the running configuration lets in for a user, if any."""

    @abstractmethod
    def answers(self, source: IPv4Address) -> bool:
        """Whether the running configuration lets SSH from that address reach the device at `managed_by`.

        False when the address is gone or shut, its VLAN is on no open port, SSH is off or limited to others.
        """

    @abstractmethod
    def configuration(self) -> str:
        """The running configuration as the vendor's `show` prints it (for tests and comparison)."""

    @abstractmethod
    def saved(self) -> str:
        """What the box would come up with now."""

    def power_on(self) -> None:
        """Switch it on (also after :meth:`power_off`)."""
        self.boots += 1
        self.start()
        self.up = True

    def power_off(self) -> None:
        """The power goes: logins end, timers of the running system are gone with it."""
        for shell in self.shells:
            shell.closed = True
        self.shells.clear()
        for timer in self._timers:
            timer.live = False
        self._timers.clear()
        self.up = False

    def reboot(self) -> None:
        """Restart by itself; it is away for `boot_s`."""
        self.power_off()
        self.after(self.boot_s, self.power_on, "boot")

    def log_in(self, user: str) -> Shell | None:
        """A new login; None when every line is taken. The server has checked key and source."""
        self.shells = [shell for shell in self.shells if not shell.closed]
        if len(self.shells) >= self.most_logins:
            return None
        found = self.shell(user)
        self.shells.append(found)
        return found

    def after(self, delay_s: float, what: Callable[[], None], name: str = "") -> Timer:
        """Do something by itself later, in the device's own time."""
        timer = Timer(self.now_s + delay_s, what, name)
        self._timers.append(timer)
        return timer

    def pass_time(self, seconds: float) -> None:
        """Let the device's time pass; what falls due is done in order, each at its own moment."""
        end = self.now_s + seconds
        while True:
            due = min((t for t in self._timers if t.live and t.due_s <= end), default=None)
            if due is None:
                break
            self._timers.remove(due)
            self.now_s = max(self.now_s, due.due_s)
            due.live = False
            due.what()
        self._timers = [timer for timer in self._timers if timer.live]
        self.now_s = end


@dataclass(frozen=True)
class Vendor:
    """One kind of simulated device."""

    name: str
    """As `lienthong sim` knows it; the name of its file in `vendors/`."""
    platform: str
    """The platform of `lienthong/platforms/` that its devices are of."""
    make: Callable[[str, IPv4Interface, Sequence[str]], Box] = field(repr=False)
    """(host name, management address, public keys of the account `netadm`) → a box as it is after day 0: it
    can be reached and managed at that address by that account, and has nothing else of the plan. Off yet."""

"""One simulated Junos device: a candidate that all share, commits that are kept, one that may wait.

A commit is saved as it acts; 49 earlier ones are kept ("Commit the Configuration", CLI User Guide). The
candidate is not: what was not committed is gone with a restart. Whether a commit that waits for its
confirmation still returns after a restart is in no document that was found: it does not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface

from lienthong.sim.box import Box, Shell, Timer
from lienthong.sim.vendors.juniper_junos.checks import refusal
from lienthong.sim.vendors.juniper_junos.reachable import answers
from lienthong.sim.vendors.juniper_junos.tree import Node, load

BEGAN = datetime(2026, 11, 23, 7, 0, 0, tzinfo=UTC)
KEPT = 50
#: From memory: the system's own message, and that of the process that keeps configurations.
FULL = (
    "/config: write failed, filesystem is full\n"
    "error: could not write configuration file: No space left on device\nerror: commit failed\n"
)
#: From memory.
MODE = (
    "warning: You have changed mpls flow mode.\nYou must reboot the system for your change to take effect.\n"
)


@dataclass
class Commit:
    """One entry of the history."""

    tree: Node
    when: datetime
    user: str
    how: str
    """`via cli`, `via other`, with what was said of it."""


@dataclass
class Waiting:
    """A commit that returns unless it is confirmed."""

    minutes: int
    timer: Timer


class JunosBox(Box):
    """See :class:`lienthong.sim.box.Box`."""

    boot_s = 150.0
    most_logins = 10
    rollback_outlives_restart = False
    """Whether a commit that waits still returns when the device starts anew; Juniper does not say."""

    def __init__(
        self, name: str, managed_by: IPv4Interface, model: str, ports: Sequence[str], text: str
    ) -> None:
        super().__init__(name, managed_by)
        self.model, self.ports = model, tuple(ports)
        self.logins = 0
        self.load(text)

    @property
    def routes(self) -> bool:
        """It is an SRX; else a switch, which has no hierarchies of security."""
        return self.model.startswith("SRX")

    def load(self, text: str) -> None:
        """Take a configuration of `set` lines as if it were the only one that was ever committed."""
        self.history = [Commit(load(text), self.clock(), "root", "via other")]
        self.start()

    def start(self) -> None:
        waited = self.waiting if self.boots > 1 else None
        self.candidate = self.active.copy()
        self.holder: Shell | None = None
        self.waiting: Waiting | None = None
        self._known: dict[IPv4Address, bool] = {}
        self.booted = self.clock()
        self.packets = self._packets()
        if waited is not None and self.rollback_outlives_restart:
            self._return()

    def clock(self) -> datetime:
        """Its own time."""
        return BEGAN + timedelta(seconds=self.now_s)

    @property
    def active(self) -> Node:
        return self.history[0].tree

    @property
    def modified(self) -> bool:
        """The candidate differs from what is active."""
        return list(self.candidate.sets()) != list(self.active.sets())

    def held_by_another(self, shell: Shell) -> Shell | None:
        """Who holds the candidate for itself alone."""
        if self.holder is not None and self.holder.closed:
            self.holder = None
        return self.holder if self.holder is not shell else None

    def shell(self, user: str) -> Shell:
        from lienthong.sim.vendors.juniper_junos.shell import Cli

        self.logins += 1
        return Cli(self, user, self.logins)

    def keys_of(self, user: str) -> Sequence[str]:
        found = self.active.at("system", "login", "user", user, "authentication")
        kinds = ("ssh-ed25519", "ssh-ecdsa", "ssh-rsa")
        keys = [key for kind in kinds for key in (found.several(kind) if found is not None else [])]
        return [" ".join(key.split()[:2]) for key in keys]

    def answers(self, source: IPv4Address) -> bool:
        if source not in self._known:
            guarded = self.routes and not self.packets
            self._known[source] = answers(self.active, self.managed_by, source, guarded)
        return self._known[source]

    def _packets(self) -> bool:
        """Packet mode is said; it is in force with the next start ("forwarding-options (Security)")."""
        mode = self.active.one("security", "forwarding-options", "family", "mpls", "mode")
        return mode == "packet-based"

    def configuration(self) -> str:
        return "\n".join(self.active.sets()) + "\n"

    def saved(self) -> str:
        return self.configuration()  # juniper.conf.gz is written by the commit itself

    # commits

    def commit(self, user: str, minutes: int | None = None, comment: str = "") -> str:
        """Make the candidate active and keep it; `minutes`: unless it is confirmed within them it returns."""
        refused = refusal(self.candidate)
        if refused is not None:
            return refused
        if self.full:
            return FULL
        how = "via cli"
        if minutes is not None:
            how += f" commit confirmed, rollback in {minutes}mins"
        if comment:
            how += f"\n    {comment}"
        self.forget()
        self._keep(self.candidate.copy(), user, how)
        warned = MODE if self.routes and self._packets() != self.packets else ""
        if minutes is None:
            return f"{warned}commit complete\n"
        self.waiting = Waiting(minutes, self.after(60 * minutes, self._return, "commit confirmed"))
        told = f"commit confirmed will be automatically rolled back in {minutes} minutes unless confirmed\n"
        return warned + told + "commit complete\n"

    def check(self) -> str:
        """`commit check`. It confirms a commit that waits, as a commit does ("Commit the Configuration")."""
        refused = refusal(self.candidate)
        if refused is None:
            self.forget()
        return "configuration check succeeds\n" if refused is None else refused

    def forget(self) -> None:
        """No commit waits any more."""
        if self.waiting is not None:
            self.waiting.timer.live = False
            self.waiting = None

    def _keep(self, tree: Node, user: str, how: str) -> None:
        self.history.insert(0, Commit(tree, self.clock(), user, how))
        del self.history[KEPT:]
        self._known.clear()

    def _return(self) -> None:
        """Nobody has confirmed: `rollback 1`, committed."""
        self.forget()
        before = self.history[min(1, len(self.history) - 1)].tree
        self._keep(before.copy(), "root", "via other")
        self.candidate = before.copy()
        self.log.append("Commit was not confirmed; automatic rollback complete.")

"""The device: what it holds, what it kept in files, its schedules, its Safe Mode."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface

from lienthong.sim.box import Box
from lienthong.sim.box import Shell as AnyShell
from lienthong.sim.vendors.mikrotik_routeros import grammar, history, packets, prints
from lienthong.sim.vendors.mikrotik_routeros.store import Row, Store
from lienthong.sim.vendors.mikrotik_routeros.values import seconds

#: …/ROS/Configuration+Management, "Safe Mode": more than so many and the login is out of it, nothing undone.
MOST_HELD = 100


class RouterOs(Box):
    """A RouterBOARD. Every change is kept at once: there is no startup configuration."""

    boot_s = 40.0
    most_logins = 20  # /ip service: max-sessions

    def __init__(self, name: str, managed_by: IPv4Interface, model: str = "RB4011iGS+") -> None:
        super().__init__(name, managed_by)
        self.model = model
        self.store = Store()
        self.site = packets.Site(managed_by, 40)
        self.files: dict[str, Store] = {}
        """Backups by the name of their file."""
        self.flash = False
        """It keeps files in the folder `flash` only (…/ROS/File, devices of 16 MB); all else is memory."""
        self.schedules = True
        """Device mode allows schedules (…/ROS/Device-mode)."""
        self.safe: AnyShell | None = None
        self.before_safe: Store | None = None
        self.held = 0
        self.booted_s = 0.0

    def start(self) -> None:
        self.booted_s = self.now_s
        for row in self.store.rows("/system scheduler"):
            self.schedule(row, booting=True)

    def power_off(self) -> None:
        self.unroll()
        super().power_off()
        if self.flash:
            self.files = {name: kept for name, kept in self.files.items() if name.startswith("flash/")}

    def shell(self, user: str) -> AnyShell:
        from lienthong.sim.vendors.mikrotik_routeros.shell import Console

        return Console(self, account(user))

    def keys_of(self, user: str) -> Sequence[str]:
        name = account(user)
        row = next((row for row in self.store.rows("/user") if row.get("name") == name), None)
        if row is None or row.off or "ssh" not in self.policies(row.get("group")):
            return ()
        return [key.get("key") for key in self.store.rows("/user ssh-keys") if key.get("user") == name]

    def policies(self, group: str) -> frozenset[str]:
        """What a group may do."""
        if group == "full":
            return frozenset(grammar.fields("/user group")["policy"].kind[1:-1].split(","))  # type: ignore[index]
        rows = self.store.rows("/user group")
        return frozenset(
            word for row in rows if row.get("name") == group for word in row.get("policy").split(",")
        )

    def answers(self, source: IPv4Address) -> bool:
        return self.up and packets.reached(self.store, self.site, source)

    def configuration(self) -> str:
        accounts = "".join(prints.shown(path, self.store.rows(path), "detail") for path in grammar.UNEXPORTED)
        return "\n".join(self.store.export()) + "\n" + accounts

    def saved(self) -> str:
        return self.configuration()

    def load(self, text: str) -> None:
        """Give it a history: what an export of another device says, over what is there."""
        history.load(self.store, text)

    @property
    def identity(self) -> str:
        """Its name as the prompt says it."""
        return self.store.rows("/system identity")[0].get("name") or "MikroTik"

    def changed(self, shell: AnyShell | None) -> None:  # noqa: ARG002
        """Something was changed: Safe Mode of whoever holds it keeps account."""
        if self.safe is not None:
            self.held += 1
            if self.held > MOST_HELD:
                self.release()

    def release(self) -> None:
        """Safe Mode ends and its changes stay."""
        self.safe, self.before_safe, self.held = None, None, 0

    def unroll(self) -> None:
        """Safe Mode ends and its changes go."""
        if self.before_safe is not None:
            self.store = self.before_safe
        self.release()

    def schedule(self, row: Row, *, booting: bool = False) -> None:
        """Arm a schedule.

        With `start-time=startup` and no interval it runs three seconds after every start; with an interval it
        counts from the start but does not run at it (…/ROS/Scheduler, the note). Another runs first when its
        interval has passed.
        """
        interval = seconds(row.get("interval") or "0s")
        if row.get("start-time") == "startup":
            if not (booting or interval):
                return  # this start has passed
            due = interval - (self.now_s - self.booted_s) % interval if interval else 3.0
        elif interval:
            due = interval
        else:
            return
        self.after(due, lambda: self._due(row.number), f"schedule {row.get('name')}")

    def _due(self, number: int) -> None:
        row = next((row for row in self.store.rows("/system scheduler") if row.number == number), None)
        if row is None or row.off:
            return
        from lienthong.sim.vendors.mikrotik_routeros.shell import Console

        boots = self.boots
        said = Console(self, row.get("owner"), asks=False).line(row.get("on-event"))
        if said:
            self.log.append(f"executing script from scheduler ({row.get('name')}) failed, {said.strip()}")
        if self.up and self.boots == boots and seconds(row.get("interval") or "0s"):
            self.after(seconds(row.get("interval")), lambda: self._due(number), f"schedule {row.get('name')}")

    def restore(self, file: str) -> None:
        """Load a backup: the device starts anew with it."""
        kept = self.files[file]
        self.release()
        self.reboot()
        self.store = kept.copy()


def account(user: str) -> str:
    """The name without what a client asks of the console behind `+` (…/ROS/Console, "Login Options")."""
    return user.partition("+")[0]

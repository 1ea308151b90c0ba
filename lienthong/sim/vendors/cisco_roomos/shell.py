"""The terminal API of RoomOS over SSH: no prompt, no modes; an answer ends with OK, ERROR or a refusal.

Sources: API reference guide of RoomOS 11.5, "About the API"; what ends an answer is also what Netmiko's
driver `cisco_tp` waits for. Reasons of errors and their XPath are those that Cisco's library jsxapi expects
in its tests (github.com/cisco-ce/jsxapi, test for the tsh backend).
"""

from __future__ import annotations

from collections.abc import Callable

from lienthong.sim.box import Shell
from lienthong.sim.vendors.cisco_roomos.box import RoomOs
from lienthong.sim.vendors.cisco_roomos.valuespace import SETTINGS

OK = "\nOK\n\n"
ERROR = "\nERROR\n\n"
END = "** end\n"
UNKNOWN = "Command not recognized.\n"
NO_MATCH = "No match on address expression"
INVALID = "Invalid or missing parameters"


class Tsh(Shell):
    """One login. It pages nothing."""

    page = 0

    def __init__(self, box: RoomOs, user: str) -> None:
        self.box, self.user = box, user
        self._greeted = False

    def prompt(self) -> str:
        """Nothing, but for the greeting of a new login."""
        if self._greeted:
            return ""
        self._greeted = True
        return (
            f"Welcome to {self.box.held['SystemUnit Name'] or 'localhost'}\n"
            "Cisco Codec Release RoomOS 11.5.2.4 3b8f5e2c8a1\nSW Release Date: 2023-06-07\n"
            f"*r Login successful\n{OK}"
        )

    def line(self, text: str) -> str:
        self._greeted = True
        text = text.replace("\x00", "")  # Netmiko's sign of life; a terminal drops it
        words = text.split()
        if not words:
            return ""
        doing = self._verb(words[0])
        return doing(text.strip()[len(words[0]) :].strip()) if doing else UNKNOWN

    def _verb(self, word: str) -> Callable[[str], str] | None:
        """Guide, "Using the line": commands may be shortened (`xconf`), and case does not matter."""
        known: dict[str, tuple[int, Callable[[str], str]]] = {
            "xconfiguration": (5, self._configuration),
            "xstatus": (4, self._status),
            "xcommand": (4, self._command),
            "xpreferences": (5, self._taken),
            "echo": (4, self._taken),
            "help": (4, self._help),
            "?": (1, self._help),
            "bye": (3, self._bye),
            "exit": (4, self._bye),
        }
        low = word.lower()
        return next(
            (run for name, (least, run) in known.items() if len(low) >= least and name.startswith(low)), None
        )

    # -- settings ----------------------------------------------------------------------------------------

    def _configuration(self, rest: str) -> str:
        path, colon, value = rest.partition(":")
        if rest.endswith("?") and not colon:
            return self._space(rest[:-1].strip())
        return self._set(path.strip(), value.strip()) if colon else self._get(path.strip())

    def _get(self, path: str) -> str:
        low = path.lower().split()
        found = [
            f"*c xConfiguration {known}: {value}\n"
            for known, value in self.box.settings()
            if known.lower().split()[: len(low)] == low
        ]
        return "".join(found) + END + OK if found else _refused("Configuration", path, NO_MATCH)

    def _space(self, path: str) -> str:
        low = path.lower().split()
        found = [
            f"*? xConfiguration {known}: {setting.told()}\n"
            for known, setting in SETTINGS.items()
            if known.lower().split()[: len(low)] == low
        ]
        return "".join(found) + OK if found else _refused("Configuration", path, NO_MATCH)

    def _set(self, path: str, typed: str) -> str:
        known = next((name for name in SETTINGS if name.lower().split() == path.lower().split()), None)
        if known is None:
            return _refused("Configuration", path, NO_MATCH)
        value = SETTINGS[known].read(typed)
        if value is None:
            return _refused("Configuration", known, INVALID)
        self.box.set(known, value)
        self.box.log.append(f"CLI[{self.user}] xConfiguration {known}: {SETTINGS[known].shown(value)}")
        return END + OK

    # -- what an officer types to look around ------------------------------------------------------------

    def _status(self, rest: str) -> str:
        box = self.box
        known = {
            "SystemUnit ProductId": '"Cisco Room Kit"',
            "SystemUnit Software Version": '"RoomOS 11.5.2.4 3b8f5e2c8a1"',
            "SystemUnit Uptime": str(int(box.now_s)),
            "SIP Registration 1 Status": box.registration,
            "SIP Registration 1 URI": f'"{box.held["SIP URI"]}"',
            "Network 1 IPv4 Address": f'"{box.address.ip if box.address else ""}"',
            "Network 1 IPv4 Gateway": f'"{box.held["Network 1 IPv4 Gateway"]}"',
            "Network 1 IPv4 SubnetMask": f'"{box.held["Network 1 IPv4 SubnetMask"]}"',
            "Standby State": "Off",
        }
        low = rest.lower().split()
        found = [
            f"*s {path}: {value}\n"
            for path, value in known.items()
            if path.lower().split()[: len(low)] == low
        ]
        return "".join(found) + END + OK if found else _refused("Status", rest, NO_MATCH)

    def _command(self, rest: str) -> str:
        low = " ".join(rest.lower().split())
        if low in {"systemunit boot", "systemunit boot action: restart"}:
            self.box.after(1.0, self.box.reboot, "boot")
            return f"OK\n*r SystemUnitBootResult (status=OK):\n{END}"
        if low == "usermanagement user list":
            return (
                "OK\n*r UserListResult (status=OK):\n"
                f'*r UserListResult User 1 Username: "{self.user}"\n'
                f'*r UserListResult User 1 Active: "True"\n{END}'
            )
        return f'*r Result (status=Error):\n*r Result Reason: "Unknown command"\n{END}{ERROR}'

    def _taken(self, rest: str) -> str:
        return OK if rest else ERROR

    def _help(self, rest: str) -> str:  # noqa: ARG002
        return "- User Commands -\n\nbye  echo  help  xCommand  xConfiguration  xPreferences  xStatus\n" + OK

    def _bye(self, rest: str) -> str:  # noqa: ARG002
        self.closed = True
        return ""


def _refused(tree: str, path: str, reason: str) -> str:
    xpath = "/".join([tree, *path.split()])
    return (
        f'*r {tree} (status=Error):\n*r {tree} Reason: "{reason}"\n*r {tree} XPath: "{xpath}"\n{END}{ERROR}'
    )

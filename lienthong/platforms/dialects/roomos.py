"""Cisco RoomOS by its terminal API: settings of a path and a value; `xConfiguration` lists every one of them.

Every setting is always there and has a documented value before anybody sets it, so none is ever taken away:
to remove one means to type that value. Owned are the settings of :data:`DEFAULTS`; all others stay as found.
Lines act and are kept at once. The device has no undo, so the tool types back the values that were there.
What could cut the session is typed last.

A password is shown as `***` whatever it is. One that is set counts as the plan's while the device bears the
plan's name (`SystemUnit Name`), which is typed after it; any other is replaced. So a second apply sends
nothing, a password that somebody took away comes back, and one that was *changed*, on the device or in the
vault, is not seen in the lines: the registrar refuses it, and `health` and the checks of the conference say
so. Nobody can type back a password that only the device knew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import AddressValueError, IPv4Interface, IPv4Network, NetmaskValueError

from lienthong.platforms import Dialect, Line, Lines, Reach

HEAD = "xConfiguration "
NETWORK = "Network 1"
MASKED = '"***"'
NAME = "SystemUnit Name"
PASSWORD = "SIP Authentication Password"  # noqa: S105 - the name of a setting
ANYWHERE = IPv4Network("0.0.0.0/0")

#: The settings that the plan owns, in the order in which they are typed, with the value each has from the
#: factory. Source: the guides of `lienthong.platforms.cisco_roomos.GUIDE` and what xConfiguration prints.
DEFAULTS: dict[str, str] = {
    "Provisioning Mode": "Auto",
    "NetworkServices SIP Mode": "On",
    "NetworkServices H323 Mode": "Off",
    "SIP DefaultTransport": "Auto",
    "SIP TlsVerify": "On",
    "SIP ListenPort": "Auto",
    "SIP Proxy 1 Address": '""',
    "SIP Proxy 2 Address": '""',
    "SIP Proxy 3 Address": '""',
    "SIP Proxy 4 Address": '""',
    "SIP URI": '""',
    "SIP DisplayName": '""',
    "SIP Authentication UserName": '""',
    PASSWORD: '""',
    NAME: '""',
    "Conference AutoAnswer Mode": "Off",
    "Conference DefaultCall Protocol": "Auto",
    "Conference Encryption Mode": "BestEffort",
    "RTP Ports Range Start": "2326",
    "RTP Ports Range Stop": "2487",
    "Standby Control": "On",
    "Standby Delay": "10",
    "NetworkServices NTP Mode": "Auto",
    "NetworkServices NTP Server 1 Address": '"0.tandberg.pool.ntp.org"',
    "NetworkServices NTP Server 2 Address": '"1.tandberg.pool.ntp.org"',
    "NetworkServices NTP Server 3 Address": '"2.tandberg.pool.ntp.org"',
    "NetworkServices SNMP Mode": "Off",
    "NetworkServices CDP Mode": "On",
    "NetworkServices UPnP Mode": "Off",
    "NetworkServices Websocket": "FollowHTTPService",
    "NetworkServices HTTPS Server MinimumTLSVersion": "TLSv1.1",
    "Logging External Mode": "Off",
    "Logging External Protocol": "SyslogTLS",
    "Logging External Server Address": '""',
    "Logging External Server Port": "514",
    "SerialPort LoginRequired": "On",
    "Security Session InactivityTimeout": "0",
    "Security Session MaxFailedLogins": "0",
    "Network 1 DNS Domain Name": '""',
    "Network 1 DNS Server 1 Address": '""',
    "Network 1 DNS Server 2 Address": '""',
    "Network 1 DNS Server 3 Address": '""',
    "Network 1 QoS Mode": "Diffserv",
    "Network 1 QoS Diffserv Audio": "0",
    "Network 1 QoS Diffserv Video": "0",
    "Network 1 QoS Diffserv Data": "0",
    "Network 1 QoS Diffserv Signalling": "0",
    "NetworkServices HTTP Mode": "HTTPS",
    "Network 1 IPStack": "Dual",
    "Network 1 IPv4 Gateway": '""',
    "Network 1 IPv4 SubnetMask": '""',
    "Network 1 IPv4 Address": '""',
    "Network 1 IPv4 Assignment": "DHCP",
    "Network 1 VLAN Voice VlanId": "1",
    "Network 1 VLAN Voice Mode": "Auto",
    "Network 1 RemoteAccess Allow": '""',
    "NetworkServices SSH Mode": "On",
}
_ORDER = {path: index for index, path in enumerate(DEFAULTS)}
_SHOWN = re.compile(r"^\*c xConfiguration (?P<path>[^:]+): (?P<value>.*?)\r?$", re.MULTILINE)
_NODE = re.compile(r'"([a-z][a-z0-9-]*)"')


def parse(text: str) -> Lines:
    """Every setting as it would be typed; a password that is set bears the name that it must have here."""
    found = {match["path"]: match["value"] for match in _SHOWN.finditer(text)}
    mine = _NODE.fullmatch(found.get(NAME, ""))
    if mine and found.get(PASSWORD) == MASKED:
        found[PASSWORD] = f'"<secret sip/{mine[1]}>"'
    return tuple((f"{HEAD}{path}: {value}",) for path, value in found.items())


def intended(text: str) -> Lines:
    """A template's lines: one setting each, as it is typed."""
    return tuple((line.strip(),) for line in text.splitlines() if line.strip())


def owns(line: Line, intended: frozenset[Line]) -> bool:  # noqa: ARG001 - the same for every endpoint
    """Whether it is one of the settings that the plan gives every endpoint."""
    return _setting(line)[0] in DEFAULTS


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """What to type: the new values, and the factory's value where a setting has none any more."""
    new = dict(map(_setting, added))
    gone = {path: DEFAULTS[path] for path, _ in map(_setting, removed) if path in DEFAULTS}
    typed = {**gone, **new}
    return tuple(
        f"{HEAD}{path}: {value}"
        for path, value in sorted(typed.items(), key=lambda item: _ORDER.get(item[0], -1))
        if value != MASKED  # only the device knew it; three stars would become the password
    )


def interfaces(line: Line) -> frozenset[str]:
    """Its one interface, where the setting is about that; `sip`, where it lets the endpoint register."""
    path, value = _setting(line)
    if path == "NetworkServices SIP Mode" or path.startswith("SIP Proxy "):
        return frozenset({"sip"} if value not in {"Off", '""'} else ())
    return frozenset({NETWORK} if path.startswith(f"{NETWORK} ") else ())


def vlans(line: Line) -> frozenset[int]:
    """The VLAN that it tags its packets with."""
    path, value = _setting(line)
    return frozenset({int(value)} if path == f"{NETWORK} VLAN Voice VlanId" and value.isdigit() else ())


def reach(lines: Lines) -> Reach:
    """Its address where it is not leased, the tag, SSH and from where it is answered."""
    held = {path: value.strip('"') for path, value in map(_setting, lines)}
    address = _interface(held)
    tagged = held.get(f"{NETWORK} VLAN Voice Mode") == "Manual"
    vlan = held.get(f"{NETWORK} VLAN Voice VlanId", "")
    allowed = held.get(f"{NETWORK} RemoteAccess Allow", "")
    return Reach(
        addresses={NETWORK: (address,)} if address else {},
        carried={},
        # 0: no tag (IEEE 802.1Q), so that a tag that comes is seen as a move.
        tag={NETWORK: int(vlan) if tagged and vlan.isdigit() else 0},
        routes=frozenset({ANYWHERE} if held.get(f"{NETWORK} IPv4 Gateway") else ()),
        dynamic=False,
        ssh=held.get("NetworkServices SSH Mode") == "On",
        logins=_networks(allowed) if allowed else (ANYWHERE,),
    )


def health(ask: Callable[[str], str]) -> frozenset[str]:
    """Whether the registrar knows it or is being asked: a change of its account makes it register anew."""
    said = ask("xStatus SIP Registration 1 Status")
    return frozenset({"sip registered"} if re.search(r"Status: Register(?:ed|ing)\b", said) else ())


def _setting(line: Line) -> tuple[str, str]:
    path, _, value = line[0].removeprefix(HEAD).partition(": ")
    return path, value


def _interface(held: dict[str, str]) -> IPv4Interface | None:
    if held.get(f"{NETWORK} IPv4 Assignment") != "Static":
        return None
    try:
        return IPv4Interface(
            f"{held.get(f'{NETWORK} IPv4 Address')}/{held.get(f'{NETWORK} IPv4 SubnetMask')}"
        )
    except (AddressValueError, NetmaskValueError):
        return None


def _networks(text: str) -> tuple[IPv4Network, ...]:
    """What stands in the list; what is no network lets nobody in."""
    found = []
    for word in text.replace(";", ",").split(","):
        try:
            found.append(IPv4Network(word.strip(), strict=False))
        except ValueError:
            continue
    return tuple(found)


#: It has no prompt: an answer ends with one of three words and empty lines, of which the last may come late.
#: The reader looks at the end only, where the word may be just out of sight: hence what looks behind.
_LAST = ("OK", "ERROR", r"Command not recognized\.")
_PROMPT = (
    "(?:"
    + "|".join(
        [rf"(?:^|\n){word}" for word in _LAST]
        + [rf"(?<=\n{word}{more})" for word in _LAST for more in ("", r"\n")]
    )
    + r")\s*\n\s*$"
)


def _prompt(name: str) -> str:  # noqa: ARG001 - the same for every device
    return _PROMPT


ROOMOS = Dialect(
    name="roomos",
    device_type="cisco_tp",
    account="network",
    show="xConfiguration",
    # A value cannot look like these: it stands in quotes behind its path.
    errors=(
        r"^\*[a-z] [A-Za-z]+ \(status=(?:Error|ParameterError)\):.*(?:\n\*[a-z] [A-Za-z]+ Reason: .*)?",
        r"^ERROR\s*$",
        r"^Command not recognized\..*",
    ),
    save=None,
    saved=None,
    parse=parse,
    intended=intended,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    reach=reach,
    health=health,
    enter=(),
    leave=(),
    prompt=_prompt,
)

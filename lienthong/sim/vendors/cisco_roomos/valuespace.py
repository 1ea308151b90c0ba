"""Settings of a RoomOS endpoint: paths, value spaces and values from the factory.

Written from the API reference guide of RoomOS 11.5 (D15502, chapters Network, NetworkServices, SIP, Logging,
Conference, Security) and, for QoS, the API guide of CE8.1 (D15335.03, page 65). `Auto` as the first listening
mode of SIP and HTTPS alone as the first mode of HTTP are those of RoomOS 11. `xConfiguration ?` prints value
spaces as `<S: 0, 64>` and `<Off, On>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """What one path takes: one of `words`, or a number, or a text in quotes (`low` to `high` characters)."""

    default: str
    """As it is shown: a text without its quotes."""
    words: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    text: bool = False
    hidden: bool = False
    """Shown as `***` once it is set."""

    def told(self) -> str:
        """Its value space, as `?` prints it."""
        if self.words:
            return f"<{', '.join(self.words)}>"
        return f"<S: {self.low}, {self.high}>" if self.text else f"<{self.low}..{self.high}>"

    def read(self, typed: str) -> str | None:
        """The value that was typed, as the device keeps it; None: outside of the value space."""
        if self.text:
            value = typed[1:-1] if len(typed) > 1 and typed[0] == typed[-1] == '"' else typed
            fits = self.low <= len(value.encode()) <= self.high and '"' not in value
            # A text without quotes ends at the first blank, and what follows is taken for a parameter.
            return value if fits and (typed.startswith('"') or " " not in typed) else None
        value = typed.strip('"')
        if self.words:
            return next((word for word in self.words if word.lower() == value.lower()), None)
        return (
            str(int(value)) if re.fullmatch("[0-9]+", value) and self.low <= int(value) <= self.high else None
        )

    def shown(self, value: str) -> str:
        """How `xConfiguration` prints a value."""
        if not self.text:
            return value
        return '"***"' if self.hidden and value else f'"{value}"'


def _words(default: str, *words: str) -> Setting:
    return Setting(default, words)


def _number(default: int, low: int, high: int) -> Setting:
    return Setting(str(default), low=low, high=high)


def _text(high: int, default: str = "", hidden: bool = False) -> Setting:
    return Setting(default, high=high, text=True, hidden=hidden)


OFF_ON = ("Off", "On")
_DSCP = _number(0, 0, 63)

SETTINGS: dict[str, Setting] = {
    "Audio DefaultVolume": _number(50, 0, 100),
    "Audio Ultrasound MaxVolume": _number(70, 0, 90),
    "Conference AutoAnswer Delay": _number(0, 0, 50),
    "Conference AutoAnswer Mode": _words("Off", *OFF_ON),
    "Conference AutoAnswer Mute": _words("Off", *OFF_ON),
    "Conference DefaultCall Protocol": _words("Auto", "Auto", "H320", "H323", "Sip", "Spark"),
    "Conference DefaultCall Rate": _number(6000, 64, 6000),
    "Conference Encryption Mode": _words("BestEffort", "Off", "On", "BestEffort"),
    "Conference FarEndControl Mode": _words("On", *OFF_ON),
    "Logging External Mode": _words("Off", *OFF_ON),
    "Logging External Protocol": _words("SyslogTLS", "Syslog", "SyslogTLS"),
    "Logging External Server Address": _text(255),
    "Logging External Server Port": _number(514, 0, 65535),
    "Logging Mode": _words("On", *OFF_ON),
    "Macros Mode": _words("Off", *OFF_ON),
    "Network 1 DNS Domain Name": _text(64),
    **{f"Network 1 DNS Server {n} Address": _text(64) for n in (1, 2, 3)},
    "Network 1 IEEE8021X Mode": _words("Off", *OFF_ON),
    "Network 1 IPStack": _words("Dual", "Dual", "IPv4", "IPv6"),
    "Network 1 IPv4 Address": _text(64),
    "Network 1 IPv4 Assignment": _words("DHCP", "Static", "DHCP"),
    "Network 1 IPv4 Gateway": _text(64),
    "Network 1 IPv4 SubnetMask": _text(64),
    "Network 1 MTU": _number(1500, 576, 1500),
    **{f"Network 1 QoS Diffserv {what}": _DSCP for what in ("Audio", "Data", "ICMPv6", "NTP")},
    **{f"Network 1 QoS Diffserv {what}": _DSCP for what in ("Signalling", "Video")},
    "Network 1 QoS Mode": _words("Diffserv", "Off", "Diffserv"),
    "Network 1 RemoteAccess Allow": _text(255),
    "Network 1 Speed": _words("Auto", "Auto", "10half", "10full", "100half", "100full", "1000full"),
    "Network 1 VLAN Voice Mode": _words("Auto", "Auto", "Manual", "Off"),
    "Network 1 VLAN Voice VlanId": _number(1, 1, 4094),
    "NetworkServices CDP Mode": _words("On", *OFF_ON),
    "NetworkServices H323 Mode": _words("Off", *OFF_ON),
    "NetworkServices HTTP Mode": _words("HTTPS", "Off", "HTTP+HTTPS", "HTTPS"),
    "NetworkServices HTTPS Server MinimumTLSVersion": _words("TLSv1.1", "TLSv1.1", "TLSv1.2"),
    "NetworkServices NTP Mode": _words("Auto", "Auto", "Manual", "Off"),
    **{
        f"NetworkServices NTP Server {n + 1} Address": _text(255, f"{n}.tandberg.pool.ntp.org")
        for n in range(3)
    },
    "NetworkServices SIP Mode": _words("On", *OFF_ON),
    "NetworkServices SMTP Password": _text(255, hidden=True),
    "NetworkServices SNMP CommunityName": _text(50, hidden=True),
    "NetworkServices SNMP Mode": _words("Off", "Off", "ReadOnly", "ReadWrite"),
    "NetworkServices SSH HostKeyAlgorithm": _words("RSA", "RSA", "ed25519"),
    "NetworkServices SSH Mode": _words("On", *OFF_ON),
    "NetworkServices UPnP Mode": _words("Off", *OFF_ON),
    "NetworkServices Websocket": _words("FollowHTTPService", "FollowHTTPService", "Off"),
    "NetworkServices WelcomeText": _words("On", *OFF_ON),
    "Provisioning Mode": _words("Auto", "Off", "Auto", "CUCM", "Edge", "TMS", "VCS", "Webex"),
    "RTP Ports Range Start": _number(2326, 1024, 65438),
    "RTP Ports Range Stop": _number(2487, 1121, 65535),
    "SIP Authentication Password": _text(128, hidden=True),
    "SIP Authentication UserName": _text(128),
    "SIP DefaultTransport": _words("Auto", "Auto", "TCP", "Tls", "UDP"),
    "SIP DisplayName": _text(550),
    "SIP ListenPort": _words("Auto", "Auto", *OFF_ON),
    **{f"SIP Proxy {n} Address": _text(255) for n in (1, 2, 3, 4)},
    "SIP TlsVerify": _words("On", *OFF_ON),
    "SIP URI": _text(255),
    "Security Session InactivityTimeout": _number(0, 0, 10000),
    "Security Session MaxFailedLogins": _number(0, 0, 10),
    "SerialPort LoginRequired": _words("On", *OFF_ON),
    "SerialPort Mode": _words("On", *OFF_ON),
    "Standby Control": _words("On", *OFF_ON),
    "Standby Delay": _number(10, 1, 480),
    "SystemUnit Name": _text(50),
    "Time Zone": _text(64, "Etc/UTC"),
}

"""Where the console of a kind of device shows its host key, so that an officer can compare it."""

from __future__ import annotations

_DEBIAN = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub   (with -B for the words)"
#: What prints no fingerprint is asked over a cable of its own.
_CABLE = (
    "shows none: join a laptop straight to it before it is on the network, and run "
    "ssh-keyscan ADDRESS | ssh-keygen -lf -"
)
_WAYS = {
    # prints the key in base64 below "IOS Keys in SECSH format"
    "cisco-ios": "show ip ssh   (it prints the key; paste the whole of it)",
    "juniper-junos": 'start shell command "ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub"',
    "huawei-vrp": "display rsa local-key-pair public   (or ecc; it prints the key: paste the whole of it)",
    "huawei-vrp8": "display rsa local-key-pair public   (or ecc; it prints the key: paste the whole of it)",
    "mikrotik-routeros": "/ip ssh export-host-key key-file-prefix=host, then /file print detail",
    "fortinet-fortios": _CABLE,
    "cisco-roomos": _CABLE,
}


def way(platform: str) -> str:
    """What to type at the console of a device of that platform; a Debian system where it is empty."""
    return _WAYS.get(platform, _DEBIAN if platform in {"", "linux-gw", "linux-sw"} else _CABLE)

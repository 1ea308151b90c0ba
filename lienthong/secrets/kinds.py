"""What a secret of each family is made of: how one is made anew, and which values are refused.

A value goes into a line of configuration or a file of a device. So a family says which characters it
may have, and a value that could become a second line, a comment or another option is no secret of it,
whoever typed it. A family that is not listed takes a text of one line.
"""

from __future__ import annotations

import re
import secrets as random
from collections.abc import Callable
from dataclasses import dataclass

from lienthong.errors import LienThongError
from lienthong.model.secret import Secret, SecretRef


@dataclass(frozen=True)
class Kind:
    """A family of secrets: `what` it is, how one is made, which values pass."""

    what: str
    made_of: str
    make: Callable[[], str]
    passes: Callable[[str], bool]
    kept: str = ""
    """Why a new value may not simply take the old one's place; empty when it may."""


def fresh(ref: SecretRef) -> str:
    """A new value of the right kind: at least 64 bits where a protocol is short, else 128 or more."""
    return kind(ref).make()


def kind(ref: SecretRef) -> Kind:
    """The kind of a name, by its family (what stands before the slash)."""
    return KINDS.get(ref.partition("/")[0], _OTHER)


def refuse_wrong(ref: SecretRef, value: str) -> None:
    """Refuse a value that is not of its family's kind; the message says nothing of the value.

    Raises:
        LienThongError: naming what a value of that family is made of.
    """
    known = kind(ref)
    if not known.passes(value):
        raise LienThongError(
            f"{ref}: the value is not {known.what}: {known.made_of}",
            hint=f"lienthong secret set {ref} --generate makes one",
        )


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _wireguard() -> str:
    import base64

    return base64.b64encode(random.token_bytes(32)).decode()


def _is_wireguard(value: str) -> bool:
    from lienthong.secrets.wireguard import public_key

    if not re.fullmatch(r"[A-Za-z0-9+/]{43}=", value):
        return False
    try:
        return bool(public_key(Secret(value)))
    except LienThongError:
        return False


def _authority() -> str:
    from lienthong.secrets.authority import new_key

    return new_key()


def _is_authority(value: str) -> bool:
    from lienthong.secrets.authority import is_key

    return is_key(value)


def _openpgp() -> str:
    from lienthong.secrets.openpgp import new_key

    return new_key()


def _is_openpgp(value: str) -> bool:
    from lienthong.secrets.openpgp import is_key

    return is_key(value)


_OTHER = Kind(
    "a secret of one line",
    "16 to 512 printable ASCII characters",
    lambda: random.token_urlsafe(24),
    _like(r"[!-~](?:[ -~]{14,510})[!-~]"),
)

#: Every vendor's command line takes these characters unquoted. Some end a password at 32 characters, and some
#: want letters of both cases and a digit.
_GEAR = Kind(
    "a password that every gear takes",
    "12 to 32 letters and digits, with a capital letter and a digit among them",
    lambda: f"K{random.token_hex(11)}7",
    _like(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9]{12,32}"),
)

KINDS: dict[str, Kind] = {
    **dict.fromkeys(("console", "snmp-auth", "snmp-priv", "aaa"), _GEAR),
    # RFC 2328, D.3 ends message-digest keys at 16 characters: 16 hexadecimal digits are 64 bits. What vtysh
    # would read as the end of a word, a comment, a pipe or a question is not among the characters.
    "ospf": Kind(
        "a message-digest key of OSPF",
        "8 to 16 letters, digits and . _ + = @ -",
        lambda: random.token_hex(8),
        _like(r"[A-Za-z0-9._+=@-]{8,16}"),
    ),
    "wireguard": Kind(
        "a private key of WireGuard", "32 bytes in base64, as wg genkey prints", _wireguard, _is_wireguard
    ),
    # It stands in baresip's accounts as `auth_pass=…;`.
    "sip": Kind(
        "a password of a conference endpoint",
        "12 to 64 letters, digits and . _ ~ -",
        lambda: random.token_urlsafe(24),
        _like(r"[A-Za-z0-9._~-]{12,64}"),
    ),
    "borg": Kind(
        "a passphrase of a backup repository",
        _OTHER.made_of,
        lambda: random.token_urlsafe(32),
        _OTHER.passes,
        kept="it opens the key that every backup so far is encrypted with: change it on the vault by "
        "`borg key change-passphrase`, keep the old one until that is done, then "
        "`lienthong secret set NAME --replace`",
    ),
    "pki": Kind(
        "the private key of a certificate authority",
        "a PEM of an elliptic curve key, without a password",
        _authority,
        _is_authority,
    ),
    "mirror": Kind(
        "the private key that signs snapshots of packages",
        "one armoured OpenPGP private key, without a password",
        _openpgp,
        _is_openpgp,
        kept="systems believe snapshots of the old one: `lienthong secret set NAME --generate --replace`, "
        "then `lienthong mirror key --replace`, and apply before the next snapshot is published",
    ),
}

"""Public halves of WireGuard keys, computed where the private halves are kept. Pure."""

from __future__ import annotations

import base64
import binascii

from lienthong.errors import LienThongError
from lienthong.model.secret import Secret


def public_key(private: Secret) -> str:
    """The public key (base64) of a private key (32 bytes in base64).

    Raises:
        LienThongError: the secret is no such key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    try:
        raw = base64.b64decode(private.reveal(), validate=True)
        key = X25519PrivateKey.from_private_bytes(raw)
    except (binascii.Error, ValueError):
        raise LienThongError(
            "a WireGuard secret is not 32 bytes in base64", hint="make one: wg genkey"
        ) from None
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(public).decode()

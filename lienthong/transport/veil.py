"""Puts secrets into lines at the last moment, and takes them out of what a device says.

A line names a secret as `<secret ospf/loc-ninh>`. A running configuration shows values; where a value is
the intended one it becomes that name again, so that the two can be compared, and any other becomes `<other
secret>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from lienthong.model.secret import KeyStore, Secret, SecretRef, SecretStore

_TOKEN = re.compile(r"<secret ([a-z0-9][a-z0-9._/-]*)>")
#: Where a secret stands in a running configuration; what people wrote as a description is left alone.
_SHOWN = re.compile(
    r"^(?!\s*description )"
    r"(.*(?<!<)\b(?:md5|password|secret|authentication-key|key-string)(?: [0-9])? )(?!<)"
    r"(?:(?:ENC|cipher|irreversible-cipher) )?\S+",
    re.M,
)
OTHER = "<other secret>"
#: The public half of a tunnel's key is no secret; lines name it so because nobody else knows it.
PUBLIC = "wireguard-public/"


def _value(store: SecretStore, name: str) -> Secret:
    if name.startswith(PUBLIC):
        return Secret(cast(KeyStore, store).public(SecretRef("wireguard/" + name.removeprefix(PUBLIC))))
    return store.get(SecretRef(name))


class Veil:
    """The secrets that the lines of one device may name."""

    def __init__(self, store: SecretStore, lines: Iterable[tuple[str, ...]]) -> None:
        names = {name for line in lines for name in _TOKEN.findall(" ".join(line))}
        self._secrets: dict[str, Secret] = {name: _value(store, name) for name in sorted(names)}

    def reveal(self, line: str) -> str:
        """The line as the device must get it. The result is for the wire only."""
        return _TOKEN.sub(lambda found: self._secrets[found[1]].reveal(), line)

    def conceal(self, text: str) -> str:
        """What a device said, with every known secret by its name and no other secret at all."""
        for name, secret in self._secrets.items():
            text = text.replace(secret.reveal(), f"<secret {name}>")
        return _SHOWN.sub(rf"\g<1>{OTHER}", text)

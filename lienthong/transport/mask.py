"""Takes every secret out of a configuration, known or not, ciphered or not, before it is kept.

Two nets. By the word before it: whatever a vendor calls `password`, `cipher` or `psksecret` is followed by a
secret. By its looks: crypt hashes, ciphered values of VRP and FortiOS, private keys. Too much is rather
taken than too little; a text that people wrote, such as a description, is no exception: people write
passwords there. What is taken leaves one and the same mark, since FortiOS shows another cipher text each
time: that a secret changed is seen by the comparison with the intent, not here.
"""

from __future__ import annotations

import re

OTHER = "<other secret>"

_NAMES = (
    r"(?:(?:[\w-]*-)?(?:password\d?|passwd\d?|passphrase|secret\d?|psk|psksecret|pre-shared-key|preshared-key|presharedkey"
    r"|shared-key|community|communities|credential|passcode|pincode|token|private-key|privatekey"
    r"|authentication-key|authentication-password|encryption-password|privacy-password|privacy-key"
    r"|auth-key|auth-pwd|priv-pwd|auth-password|priv-password|key-string|keystring|wpa-psk|md5-key"
    r"|message-digest-key|local-key|remote-key|export-key|apikey|pin)"
    r"|(?![\w-]*(?:public|host|ssh|rsa|ecc|dsa)-key)[\w-]+-key\d?)"
)
#: Words that a secret follows only in some places: there the next is a number, a cipher's name, or the value.
_LOOSE = (
    r"(?:key|md5|sha|sha-?1|sha-?2(?:24|56)|sha-?384|sha-?512|hmac-\S+|aes|aes-?\d+|des|3des|aes\d+-\S+"
    r"|cipher|irreversible-cipher|simple|plain|plain-text|ascii-text|hexadecimal|enc|authentication text)"
)
#: What may stand between the word and the value.
_BETWEEN = (
    r"(?:\d{1,3}|0x\d+|cipher|irreversible-cipher|simple|plain|plain-text|encrypted|unencrypted|hash|ENC|ascii"
    r"|hex|hexadecimal|ascii-text|read|write|ro|rw|md5|sha|sha-?1|sha-?2(?:24|56)|sha-?384|sha-?512"
    r"|hmac-[\w-]+|aes|aes-?\d+|des|3des|auth|priv|key|key-string|name|value|is|encrypted-password|plain-text-password-value)"
)
_VALUE = r'(?:"[^"\\]*(?:\\.[^"\\]*)*"?|<(?:other )?secret[^>]*>|[^\s;]+)'
_KEEP = re.compile(
    r"<(?:other )?secret[^>]*>"
    r"|(?:chain|generate|pair|pairs|config-key|zeroize|policy|encryption|recovery|authentication|format|length"
    r"|minimum|min-length|complexity|expire|lifetime|strength|control|history|enable|disable|on|off|yes|no|\{|\||address|add|set|remove|find|print|\d{1,2})",
    re.I,
)
_FOLLOWS = re.compile(
    rf"(?<![^\s;{{(/])(?P<word>{_NAMES}|{_LOOSE}):?(?:[ \t]+{_BETWEEN})*[ \t]+(?P<value>{_VALUE})",
    re.I,
)
#: To the end of the line: an IOS password may hold spaces, and of `ENC …` only the first word may be gone.
_SPACED = re.compile(r"(?:password|passwd|secret|passphrase|key-string)\d?$", re.I)
_EQUALS = re.compile(rf"(?<![\w-])({_NAMES}|key|md5-key)=({_VALUE})", re.I)
_COMMUNITY = re.compile(rf"(?<![\w-])(name)=({_VALUE})")
#: By their looks alone.
_LOOKS = (
    (re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.S), OTHER),
    (re.compile(r"\$[0-9a-z]{1,3}\$[^\s\";,]{4,}"), OTHER),
    # VRP: %^%#…%^%#, %$%$…%$%$, %@%@…, %+%##!…%+%#, @%@%…@%@%
    (re.compile(r"(%[\^$@+#]%[#$@]|@%@%)\S*?\1"), OTHER),
    (re.compile(r"\bENC [A-Za-z0-9+/=]{8,}"), OTHER),
    (re.compile(r"(?<= 7 )[0-9A-Fa-f]{4,}\b"), OTHER),
    (re.compile(r"(?<=://)([^/\s:@\"]{1,200}):([^@\s\"]{1,200})@"), rf"\1:{OTHER}@"),
    # 32 bytes in base64: a WireGuard key, and who knows which half
    (
        re.compile(
            r"(?<!public-key=\")(?<!public-key=)(?<![\w+/=])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?![\w+/=])"
        ),
        OTHER,
    ),
)


def masked(text: str) -> str:
    """The text without any secret. A second time changes nothing."""
    for looks, instead in _LOOKS:
        text = looks.sub(instead, text)
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    if "=" in line:
        line = _EQUALS.sub(_equal, line)
        if line.startswith("/snmp community"):
            line = _COMMUNITY.sub(_equal, line)  # on RouterOS its name is what lets in
    out: list[str] = []
    at = 0
    while True:
        found = _FOLLOWS.search(line, at)
        if found is None:
            return "".join(out) + line[at:]
        out.append(line[at : found.start("value")])
        value = found["value"]
        at = found.end()
        spaced = _SPACED.search(found["word"])
        if _KEEP.fullmatch(value) and not (spaced and value == OTHER):
            out.append(value)
        elif value.startswith('"'):
            out.append(f'"{OTHER}"')
        elif spaced:
            # a comment of Junos at the end says that it was a secret, and is none
            end = ";" if line.rstrip().endswith((";", "SECRET-DATA")) else ""
            return "".join(out) + OTHER + end
        else:
            out.append(OTHER)


def _equal(found: re.Match[str]) -> str:
    value = found[2]
    if value in {'""', "yes", "no"} or _KEEP.fullmatch(value):
        return found[0]
    return f'{found[1]}="{OTHER}"' if value.startswith('"') else f"{found[1]}={OTHER}"

"""Makes text from devices and people harmless to look at, before a medium escapes it in its own way.

Nothing is dropped: a character that could steer a terminal, an XML parser or the direction of a line is
shown as its number, so that the officer sees that it was there.
"""

from __future__ import annotations

import json
import re
import unicodedata

# Cc controls, Cf formats (bidi, zero width), Cs lone surrogates, Co private, Cn unassigned and the
# non-characters that XML 1.0 forbids, Zl and Zp line separators.
_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_PLAIN = re.compile(r"[ -~]*")
_NOT_PLAIN = re.compile(r"[^ -~\n]")


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def steering(char: str) -> bool:
    """Whether a character does something else than appear."""
    return unicodedata.category(char) in _STEERING


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every steering character shown as `\\x1b`, `\\u202e`, …

    Args:
        text: anything, also lone surrogates.
        lines: keep line feeds and tabs, for text that is shown in several lines.
    """
    if _PLAIN.fullmatch(text):
        return text
    keep = "\n\t" if lines else ""
    return "".join(c if c in keep or not steering(c) else _shown(c) for c in text)


def one_line(text: str, limit: int = 0) -> str:
    """The first `limit` characters (0: all) on one line: white space, line feeds too, becomes one space."""
    line = visible(" ".join(text.split()))
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def json_text(document: object, indent: int | None = 1) -> str:
    """JSON that a terminal can bear: the same values, with every steering character as `\\uXXXX`.

    Letters of Vietnamese stay as they are.
    """
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return _NOT_PLAIN.sub(lambda found: json.dumps(found[0])[1:-1] if steering(found[0]) else found[0], text)

"""The quick way to read an inventory file, for texts of which it is certain; `None` for every other.

The strict reader (:mod:`lienthong.inventory.yamlfile`) is what the inventory means. This one reads the plain
YAML that inventories are written in, several times faster than PyYAML's C loader, and steps aside at
the first doubt: a character, a word or a shape that two YAML readers might see differently is left to the
strict one.

Three gates: a grammar of lines over the whole text, rapidyaml, and a count of what came out of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

from pydantic_core import from_json, to_json

from lienthong.inventory.yamlfile import MAX_BYTES

MAX_INDENT = 14
"""Spaces. With flow collections nested three deep a text stays below the strict reader's depth."""

MAX_NODES = 20_000
"""Each costs the strict reader at most eight words; it allows 200 000."""

# Characters beside ASCII that are one letter or sign to every reader: Latin and Vietnamese, composed or with
# combining marks, dashes and typographic quotes. Not the next-line, no byte order mark, nothing invisible.
_USUAL = re.compile("[\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f\u2010-\u2014\u2018-\u201d]*+")
_ASCII = bytes(range(128))
# The grammar works on bytes, where a set of characters is a small table; `_USUAL` looks above ASCII.
_LETTER = r"A-Za-z\x80-\xff"
_IN_FLOW = rf"{_LETTER}0-9._/()+=@\-"
_IN_BLOCK = rf"{_IN_FLOW},"
#: Anything that may stand between quotes or in a comment, quotes and backslash apart.
_ANY = rf"{_LETTER}0-9 !#$%&()*+,./:;<=>?@\[\]^_`{{|}}~\-"
#: Words that some reader takes for something else than text, in any case of letters.
_SURPRISE = (
    r"(?:[yY](?:[eE][sS])?|[nN](?:[oO]|[aA][nN]|[uU][lL][lL])?|[oO](?:[nN]|[fF][fF])|[tT][rR][uU][eE]"
    r"|[fF][aA][lL][sS][eE]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
)
_KEY = rf"(?:[a-eg-hj-mp-su-xz]|(?!{_SURPRISE}:)[finoty])[a-z0-9_\-]*+:"


def _scalar(chars: str) -> str:
    """A scalar on one line. What begins with a digit must be of a form whose meaning nobody disputes."""
    digits = (
        rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?![{chars}:])"
        rf"|[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?:/[0-9]{{1,2}})?(?![{chars}:])"
        rf"|[0-9]{{1,9}} ++[{_LETTER}][{chars} ]*+"
        rf"|(?:0|[1-9][0-9]{{0,14}}+)(?:\.[0-9]{{1,6}}+)?(?![{chars}:])"
    )
    return (
        rf"(?:(?:[A-EG-HJ-MP-SU-XZa-eg-hj-mp-su-xz/\x80-\xff]|(?!{_SURPRISE}(?![{chars}]))[FINOTYfinoty])"
        rf"[{chars} ]*+(?!:)"
        rf"|(?=[0-9])(?:{digits})(?!:)"
        rf"|\"[{_ANY}']*+\"|'[{_ANY}]*+'"
        rf"|(?=[0-9:]*+[a-f])[0-9a-f]{{1,4}}(?::[0-9a-f]{{0,4}}){{2,7}}(?:/[0-9]{{1,3}})?(?<!:)(?![{chars}:])"
        rf"|(?:true|false|null)(?![{chars}])|\[\]|\{{\}})"
    )


def _flow(item: str) -> str:
    """A flow collection of such items, on one line."""
    return (
        rf"(?:\[(?:{item}(?:, ++(?!\])|(?=\])))*+\]"
        rf"|\{{(?:{_KEY} ++{item}(?:, ++(?!\}})|(?=\}})))*+\}})"
    )


_FLOW_SCALAR = _scalar(_IN_FLOW)
_VALUE = f"(?:{_scalar(_IN_BLOCK)}|{_flow(f'(?:{_FLOW_SCALAR}|{_flow(_FLOW_SCALAR)})')})"
_COMMENT = rf"#[{_ANY}\"'\\]*+"
_ENTRY = rf"(?:{_KEY}(?: ++{_VALUE})?+|- (?:{_KEY} ++{_VALUE}|{_VALUE}))"
_LINE = rf" {{0,{MAX_INDENT}}}+(?:{_ENTRY} *+(?:(?<= ){_COMMENT})?+|{_COMMENT})?+\n"


@cache
def _text() -> re.Pattern[bytes]:
    """The grammar of a whole text; to compile it takes as long as to read ten sites."""
    return re.compile(f"(?:{_LINE})*+".encode("latin-1"))


def quick(raw: bytes) -> dict[str, Any] | None:
    """The mapping in these bytes, exactly as the strict reader would read it, or None: ask that one."""
    if len(raw) > MAX_BYTES or not _text().fullmatch(raw):
        return None
    try:
        raw.decode("utf-8")
        if not _USUAL.fullmatch(raw.translate(None, _ASCII).decode("utf-8")):
            return None
        text, nodes = _parser()(raw)
        value = from_json(text, allow_inf_nan=False, cache_strings="keys")
        # No value holds a quotation mark, so `":` stands behind keys only, before and after.
        whole = to_json(value).count(b'":') == text.count(b'":')
    except Exception:  # noqa: BLE001 - whatever it is, the strict reader says it better
        return None
    if value.__class__ is not dict or nodes > MAX_NODES or not whole:
        return None  # a key that stood twice came out once
    return value


@cache
def _parser() -> Callable[[bytes], tuple[bytes, int]]:
    """Makes of a text its JSON, and the number of its nodes, the root among them."""
    import ryml  # type: ignore[import-untyped]

    tree = ryml.Tree()  # one for all texts: its memory is asked for once
    room = bytearray(4 * MAX_BYTES)
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    one_at_a_time = Lock()

    def parse(raw: bytes) -> tuple[bytes, int]:
        with one_at_a_time:
            kept = os.dup(2)  # rapidyaml says its errors there before it raises them; the user gets ours
            try:
                os.dup2(nowhere, 2)
                tree.clear()
                tree.clear_arena()
                ryml.parse_in_arena(raw, tree)
                # where the room is not enough it raises, and the strict reader reads that file
                return bytes(ryml.emit_json_in_place(tree, room)), tree.size()
            finally:
                os.dup2(kept, 2)
                os.close(kept)

    return parse

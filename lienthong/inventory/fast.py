"""The quick way to read an inventory file, for texts of which it is certain; `None` for every other.

The strict reader (:mod:`lienthong.inventory.yamlfile`) is what the inventory means. This one reads the plain
YAML that inventories are written in, several times faster than PyYAML's C loader, and steps aside at
the first doubt: a character, a word or a shape that two YAML readers might see differently is left to the
strict one.

Three gates: a grammar of lines over the whole text, rapidyaml, and a count of what came out of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from gc import get_referents
from threading import Lock
from typing import Any

from pydantic_core import SchemaValidator, core_schema, from_json

from lienthong.inventory.yamlfile import MAX_BYTES

MAX_INDENT = 14
"""Spaces. With flow collections nested three deep a text stays below the strict reader's depth."""

MAX_NODES = 20_000
"""Each costs the strict reader at most eight words; it allows 200 000."""

# Characters beside ASCII that are one letter or sign to every reader: Latin and Vietnamese, composed or with
# combining marks, dashes and typographic quotes. Not the next-line, no byte order mark, nothing invisible.
_LETTER = "A-Za-z\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f\u2010-\u2014\u2018-\u201d"
_IN_FLOW = rf"{_LETTER}0-9._/()+=@\-"
_IN_BLOCK = rf"{_IN_FLOW},"
#: Anything that may stand between quotes or in a comment, quotes and backslash apart.
_ANY = rf"{_LETTER}0-9 !#$%&()*+,./:;<=>?@\[\]^_`{{|}}~\-"
_KEY = r"[a-z][a-z0-9_\-]*:"


def _scalar(chars: str) -> str:
    """A scalar on one line. What begins with a digit must be of a form whose meaning nobody disputes."""
    return (
        rf"(?:[{_LETTER}/][{chars} ]*"
        r"|[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?"
        rf"|[0-9]{{1,9}} +[{_LETTER}][{chars} ]*"
        r"|(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?"
        rf"|\"[{_ANY}']*\"|'[{_ANY}]*'"
        r"|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){1,6}:(?:[0-9a-f]{1,4}|[0-9a-f]{0,4}/[0-9]{1,3})"
        r"|\[\]|\{\})"
    )


def _flow(item: str) -> str:
    """A flow collection of such items, on one line."""
    return rf"(?:\[{item}(?:, +{item})*\]|\{{{_KEY} +{item}(?:, +{_KEY} +{item})*\}})"


_FLOW_SCALAR = _scalar(_IN_FLOW)
_VALUE = f"(?:{_scalar(_IN_BLOCK)}|{_flow(f'(?:{_FLOW_SCALAR}|{_flow(_FLOW_SCALAR)})')})"
_COMMENT = rf"#[{_ANY}\"'\\]*"
_ENTRY = rf"(?:{_KEY}|(?:{_KEY} +|- (?:{_KEY} +)?){_VALUE})"
_LINE = rf" {{0,{MAX_INDENT}}}(?:{_ENTRY} *(?: {_COMMENT})?|{_COMMENT})?\n"

#: Words that some reader takes for something else than text, in any case of letters.
_SURPRISE = (
    "[yY](?:[eE][sS])?|[nN](?:[oO]|[aA][nN])?|[oO](?:[nN]|[fF][fF])|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"
)
#: These mean what they say if they are all of a value and in small letters.
_PLAIN = "true|false|null"
_SHOUTED = (
    "T[rR][uU][eE]|tR[uU][eE]|trU[eE]|truE|F[aA][lL][sS][eE]|fA[lL][sS][eE]|faL[sS][eE]|falS[eE]|falsE"
    "|N[uU][lL][lL]|nU[lL][lL]|nuL[lL]|nulL"
)
# What the grammar alone would let pass: such words as keys and at the head of values, and numbers to the
# base of 60. It is looked for everywhere, so a comment with one sends its file to the strict reader too.
_DOUBT = (
    r"(?m)(?:^ *|: +|- |[\[{]|, +)"
    rf"(?:(?:{_SURPRISE}|{_SHOUTED})[ :,\]}}\n]|(?:{_PLAIN})(?::| +[^ #\n])|[0-9]+:[0-9:]*[^0-9a-f:])"
)


@cache
def _gates() -> tuple[Callable[[bytes], bool], Callable[[bytes], bool]]:
    """Whether the whole text is of the grammar, and whether something in it is in doubt.

    pydantic's engine knows no look-around, needs one pass and is compiled at once: `re` takes four
    times as long to match and twelve times as long to compile.
    """
    whole, doubt = (
        SchemaValidator(core_schema.str_schema(pattern=pattern)) for pattern in (rf"\A(?:{_LINE})*\z", _DOUBT)
    )
    return whole.isinstance_python, doubt.isinstance_python


def quick(raw: bytes) -> dict[str, Any] | None:
    """The mapping in these bytes, exactly as the strict reader would read it, or None: ask that one."""
    whole, doubt = _gates()
    if len(raw) > MAX_BYTES or not whole(raw) or doubt(raw):
        return None
    try:
        text, nodes = _parser()(raw)
        value = from_json(text, allow_inf_nan=False, cache_strings="keys")
    except Exception:  # noqa: BLE001 - whatever it is, the strict reader says it better
        return None
    if value.__class__ is not dict or nodes > MAX_NODES or _nodes(value) != nodes:
        return None  # a key that stood twice came out once
    return value


def _nodes(value: Any) -> int:
    """How many values there are, this one and all below it: what the garbage collector would look through."""
    count, level = 1, [value]
    while level:
        level = get_referents(*level)
        count += len(level)
    return count


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

"""The string types of the inventory: what `Text` takes at once is what its slow way would take."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lienthong.model import words
from lienthong.render import ascii_text
from tests.examples import properties

TEXT = TypeAdapter[str](words.Text)
STEERING = re.compile(r"[\"'`\\$%{}<>|;&^~!#?*\[\]\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Letters, digits and signs an honest text is made of, and their neighbours that it is not.
NEAR = st.one_of(
    st.text(
        st.sampled_from("aZ09 .,/()+=@:_-\u00c0\u00ff\u00d7\u024f\u0250\u1e00\u1eff\u1f00đơứỳ\u0301\u0323 ")
    ),
    st.text(st.characters(max_codepoint=0x1FFF)),
    st.text(),
    st.text(st.characters(min_codepoint=0x2000, max_codepoint=0x206F)),
    st.text(st.characters(min_codepoint=0xFF00, max_codepoint=0xFFEF)),
    st.text(st.characters(categories=["Zs", "Mn", "Cf", "Sk", "Po", "Ps"])),
)


def taken(value: str) -> str | None:
    """What the slow way makes of a text; None when it refuses it."""
    try:
        return words._checked(value)
    except ValueError:
        return None


@properties(1000)
@given(NEAR)
def test_the_quick_way_takes_only_what_the_slow_way_takes(value: str) -> None:
    if words._USUAL.fullmatch(value):
        assert taken(value) == value


def test_the_quick_way_agrees_on_every_character() -> None:
    for number in range(0x11_0000):
        value = f"a{chr(number)}a"
        if words._USUAL.fullmatch(value):
            assert taken(value) == value, hex(number)
            assert taken(f"{chr(number)}a") is not None or chr(number) == " "


@properties(1000)
@given(NEAR)
def test_what_is_taken_steers_nothing_in_any_form(value: str) -> None:
    found = taken(value)
    if found is not None:
        for form in (found, ascii_text(found), unicodedata.normalize("NFKC", found)):
            assert not STEERING.search(form), ascii(form)
        assert taken(found) == found
        assert unicodedata.is_normalized("NFC", found)


@pytest.mark.parametrize("char", sorted({chr(n) for n in range(0x11_0000) if STEERING.search(chr(n))}))
def test_what_steers_is_refused(char: str) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(f"a{char}b")


@pytest.mark.parametrize(
    "char", ["\u037e", "\u1fef", "\uff5b", "\uff04", "\uff02", "\uff01", "\uff1f", "\uff3c"]
)
def test_what_stands_for_a_sign_that_steers_is_refused_too(char: str) -> None:
    """The first two become `;` and a grave accent by NFC, the others by the ASCII that devices are told."""
    with pytest.raises(ValidationError):
        TEXT.validate_python(f"a{char}b")


def test_marks_are_composed_and_a_flood_of_them_is_refused() -> None:
    assert TEXT.validate_python("Huye\u0323\u0302n u\u0309y") == "Huyện ủy"
    with pytest.raises(ValidationError, match="marks"):
        TEXT.validate_python("a" + "\u0301" * 5)


def _kinds() -> list[tuple[str, TypeAdapter[str]]]:
    names = ("Slug", "PortName", "RoomRef", "Code", "Mac", "AbsolutePath", "Domain")
    return [(name, TypeAdapter(getattr(words, name))) for name in names]


GOOD = {
    "Slug": "a-b", "PortName": "e1", "RoomRef": "a/b", "Code": "A.1", "Mac": "52:54:00:12:34:56",
    "AbsolutePath": "/srv/a", "Domain": "a.internal",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "char", ["\n", "\r", "\x00", " ", "\u2028", "\x85", "{", "$", "`", ";", "\u0430", "\u0661", ".."]
)
def test_no_name_holds_anything_that_steers(name: str, char: str) -> None:
    kind = dict(_kinds())[name]
    good = GOOD[name]
    assert kind.validate_python(good) == good
    for value in (good + char, char + good, good[:1] + char + good[1:]):
        if char == ".." and name in {"Code", "AbsolutePath"}:
            continue  # dots are part of a contract's number, and of the name of a file
        with pytest.raises(ValidationError):
            kind.validate_python(value)


@pytest.mark.parametrize(
    "path", ["/..", "/srv/../etc", "/srv/./a", "srv", "/", "//", "/srv/", "/srv//a", "/.hidden"]
)
def test_a_path_goes_down_only(path: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](words.AbsolutePath).validate_python(path)

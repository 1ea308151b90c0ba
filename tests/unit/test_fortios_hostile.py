"""Whatever an inventory or a FortiGate says, it is read, refused, or harmless."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lienthong.errors import LienThongError
from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.dialects.fortios_text import leaves
from tests.fortios import box_of, drive, gateway, lines_of


@pytest.mark.parametrize(
    "text",
    [
        "the password is md5 x",
        "say Command fail. Return code -61",
        'a"\nend\nconfig system admin\nedit evil',
        "x?y",
        "'`$(id)<b>\\",
        "\x1b[2J\x03",
    ],
)
def test_a_hostile_text_cannot_become_a_line(text: str) -> None:
    wanted = gateway()
    leg, *legs = wanted.device.interfaces
    hostile = replace(
        wanted,
        device=replace(wanted.device, interfaces=(replace(leg, description=text), *legs)),
        plane=replace(wanted.plane, banner=text),
    )
    plain, changed = lines_of(wanted), lines_of(hostile)
    assert len(plain) == len(changed)
    assert [line[:-1] for line in plain] == [line[:-1] for line in changed]
    assert not any(set("?'`<>\\\x1b\x03\n") & set(line[-1]) for line in changed if "<secret" not in line[-1])
    found = drive()
    found.bring(changed)
    assert not found.diff(changed)


def test_a_hostile_socket_cannot_become_a_line() -> None:
    wanted = gateway()
    hostile = replace(wanted, sockets={**wanted.sockets, "tslcd-b": 'x"\nend\nconfig system admin'})
    assert [line[0] for line in lines_of(hostile)] == [line[0] for line in lines_of(wanted)]


HEADS = sorted({" / ".join(line[:-1]) for line in lines_of(gateway())} | {"config x y / edit 1"})
WORDS = ["set", "set ip", "set vlanid", "set interface", "set trusthost1", "set subnet", "set dst"]
WORDS += ["set service", "set tcp-portrange", "set ssh-public-key1", "set allowaccess", "set action"]
VALUES = ["", "x", "1-y", '"', '"a b"', "10.0.0.1 255.0.0.0", "10.0.0.1 x", "٣", "super_admin", "ssh", "²"]


WAN = 'config system interface / edit "wan1"'


@settings(max_examples=60, deadline=None)
@example([(WAN, "set ip", "x"), (WAN, "set allowaccess", "ssh")])
@example([(WAN, "set vlanid", "²"), (WAN, "set interface", '"a b"')])
@example([('config firewall policy / edit "lt-x"', "set action", "x")])
@example([('config system admin / edit "x"', word, "10.0.0.1 x") for word in WORDS])
@example([("config router static / edit 1", "set dst", "10.0.0.1 x")])
@given(
    st.lists(st.tuples(st.sampled_from(HEADS), st.sampled_from(WORDS), st.sampled_from(VALUES)), max_size=9)
)
def test_whatever_a_device_says_is_read_or_is_told_to_be_wrong(said: list[tuple[str, str, str]]) -> None:
    text = ""
    for head, word, value in said:
        path = head.split(" / ")
        text += "\n".join([*path, f" {word} {value}"]) + "\n"
        text += "\n".join("next" if part.startswith("edit") else "end" for part in reversed(path)) + "\n"
    with suppress(LienThongError):
        lines = FORTIOS.parse(text)
        assert FORTIOS.reach is not None
        FORTIOS.reach(lines)
        wanted = frozenset(lines_of(gateway()))
        for line in lines:
            FORTIOS.owns(line, wanted), FORTIOS.interfaces(line), FORTIOS.vlans(line)
        FORTIOS.commands(lines, tuple(wanted)[:50]), FORTIOS.commands((), lines)


def test_a_text_that_is_not_whole_is_no_configuration() -> None:
    text = box_of(drive()).configuration()
    for cut in (len(text) // 3, len(text) // 2, len(text) - 3):
        with pytest.raises(LienThongError):
            FORTIOS.parse(text[:cut])
    with pytest.raises(LienThongError, match="virtual domains"):
        FORTIOS.parse("config vdom\n    edit root\n    next\nend\n")


def test_a_message_between_the_lines_is_none_of_them_and_an_unknown_word_is_noticed() -> None:
    text = "config system dns\n{}    set primary 10.0.0.1\nend\n"
    message = "System will reboot if no input is received in the next 9 seconds...\n"
    assert FORTIOS.parse(text.format(message)) == (("config system dns", "set primary 10.0.0.1"),)
    for word in ("    sit primary", "endconfig system global"):
        with pytest.raises(LienThongError, match="not understood"):
            leaves(text.format(f"{word}\n"))
    with pytest.raises(LienThongError, match="not understood"):
        FORTIOS.parse(text.format("    sit primary\n"))


def test_a_value_of_many_lines_is_one_line_and_no_heading() -> None:
    text = 'config vpn certificate local\n    edit "x"\n        set csr "a\nconfig b\nend"\n    next\nend\n'
    assert leaves(text)[-1] == ("config vpn certificate local", 'edit "x"', 'set csr "a\\nconfig b\\nend"')

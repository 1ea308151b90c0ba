"""What is read of a device: split anywhere, very long, with questions, with log lines over the prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from lienthong.errors import Unreachable
from lienthong.transport import reading
from lienthong.transport.reading import Reader, plain

PROMPT = re.compile(r"(?:^|[\r\n])sw[^\s()#>]*(?:\([^)\r\n]*\))?[#>] ?$")


class Channel:
    """What comes, chunk by chunk; `None` is silence until something is sent."""

    def __init__(self, chunks: Sequence[bytes | None], after: Sequence[bytes | None] = ()) -> None:
        self.chunks = list(chunks)
        self.after = list(after)
        self.sent: list[bytes] = []

    def settimeout(self, seconds: float) -> None:
        pass

    def recv_ready(self) -> bool:
        return bool(self.chunks) and self.chunks[0] is not None

    def recv(self, size: int) -> bytes:
        if not self.chunks:
            raise TimeoutError
        chunk = self.chunks[0]
        if chunk is None:
            raise TimeoutError
        self.chunks.pop(0)
        return chunk

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)
        if self.chunks[:1] == [None]:
            self.chunks.pop(0)


def reader(channel: Channel) -> Reader:
    return Reader(channel, lambda error: Unreachable(f"lost: {error}"), "sw")  # type: ignore[arg-type]


def test_an_answer_split_at_every_byte_is_the_same() -> None:
    whole = "show x\r\n\x1b[1mnội dung\x1b[0m\r\nsw# ".encode()
    chunks = [whole[i : i + 1] for i in range(len(whole))]
    assert reader(Channel(chunks)).until(PROMPT).rstrip() == "show x\nnội dung\nsw#"


def test_a_prompt_within_the_answer_does_not_end_it() -> None:
    said = reader(Channel([b"x\r\nsw# not the end\r\n", b"more\r\nsw# "])).until(PROMPT)
    assert said.endswith("more\nsw# ")


def test_a_very_long_answer_is_kept_whole_and_does_not_take_the_square_of_its_length() -> None:
    line = b"interface GigabitEthernet1/0/1 description something\r\n"
    chunks = [line * 20] * 4000
    said = reader(Channel([*chunks, b"sw#"])).until(PROMPT)
    assert said == (line.decode().replace("\r", "") * 20 * 4000) + "sw#"


def test_a_question_is_answered_once() -> None:
    channel = Channel([b"really? [confirm]", None, b"\r\ndone\r\nsw#"])
    said = reader(channel).until(PROMPT, ((r"\[confirm\]", "y"),))
    assert "done" in said
    assert channel.sent == [b"y\n"]


def test_a_log_line_over_the_prompt_is_answered_with_one_empty_line() -> None:
    channel = Channel([b"x\r\nsw#\r\n*Nov 23: %LINK-3-UPDOWN: down\r\n", None, b"\r\nsw#"])
    assert reader(channel).until(PROMPT).endswith("\nsw#")
    assert channel.sent == [b"\n"]


def test_a_question_is_never_answered_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ANSWER_S", 0.2)
    channel = Channel([b"sw#\r\nErase everything? [yes/no]:", None])
    with pytest.raises(Unreachable, match="no answer within"):
        reader(channel).until(PROMPT)
    assert channel.sent == []


def test_silence_in_a_slow_command_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ANSWER_S", 0.2)
    channel = Channel([b"write memory\r\nBuilding configuration...\r\n", None])
    with pytest.raises(Unreachable):
        reader(channel).until(PROMPT)
    assert channel.sent == []


def test_a_device_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST", 1_000_000)
    with pytest.raises(Unreachable, match="without end"):
        reader(Channel([b"a" * 60_000] * 40)).until(PROMPT)


def test_a_closed_connection_is_said() -> None:
    with pytest.raises(Unreachable, match="closed by the device"):
        reader(Channel([b"x", b""])).until(PROMPT)


def test_nothing_that_acts_on_a_terminal_is_left() -> None:
    assert plain("a\x1b[31mb\x1b]0;title\x07c\x9bd\x00e\x7f") == "abcde"

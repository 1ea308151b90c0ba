"""Reads what a device says: woken by what arrives, never by a clock; however long, in time that grows with
it."""

from __future__ import annotations

import codecs
import os
import re
import time
from collections.abc import Callable

import paramiko

from lienthong.errors import Unreachable
from lienthong.transport.recording import Record, nowhere

#: Seconds; a drill that waits for nobody sets less.
ANSWER_S = float(os.environ.get("LIENTHONG_ANSWER_S", "30"))
#: So long a silence after a prompt that other words have followed: the device may be waiting for us.
NUDGE_S = 3.0
_EXTRA_S = 0.3
CHUNK = 65536
#: Characters of one answer: the largest configurations met are some 2 MB.
_MOST = 16_000_000
#: Of what has come, only so much can be part of a prompt or a question.
_TAIL = 16_384
_LINE = 32 * _TAIL
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[\]P^_][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
#: A line that waits for an answer: an empty one could be taken for a yes.
_QUESTION = re.compile(r"(?:\?|\]|:|confirm|assword)\s*$", re.IGNORECASE)


def plain(text: str) -> str:
    """Without what would act on a terminal."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


class Reader:
    """The reading end of one shell channel."""

    def __init__(
        self, channel: paramiko.Channel, lost: Callable[[BaseException], Unreachable], name: str
    ) -> None:
        self._channel = channel
        self._lost = lost
        self._name = name
        #: Told what is said, both ways.
        self.record: Record = nowhere
        #: Asked before anything is sent; raises where nothing may be sent any more.
        self.check: Callable[[], None] = lambda: None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def drain(self) -> None:
        """Forget what came unasked, such as a log line."""
        try:
            while self._channel.recv_ready():
                self._channel.recv(CHUNK)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None

    def until(
        self, pattern: re.Pattern[str], answers: tuple[tuple[str, str], ...] = (), at_end: bool = True
    ) -> str:
        """What comes until a pattern is there, its end included; plain text.

        Args:
            answers: (pattern, answer) for questions on the way.
            at_end: the pattern must be the last that came, as a prompt is.

        Raises:
            Unreachable: the connection is gone, or no answer came in time.
        """
        done: list[str] = []
        tail, asked, size = "", 0, 0
        ends, nudged = time.monotonic() + ANSWER_S, False
        while True:
            text = plain(tail)
            hit = _last(pattern, text) if at_end else pattern.search(text)
            if hit is not None and (hit.end() == len(text) or not at_end):
                if nudged:
                    self._receive(_EXTRA_S)  # one more prompt, should the device not have waited
                self.record("<", "".join(done) + text)
                return "".join(done) + text[: hit.end()]
            for question, answer in answers:
                if re.search(question, text[asked:]):
                    asked = len(text)
                    self.send(answer)
            if len(tail) > 2 * _TAIL:
                cut = tail.rfind("\n", 0, -_TAIL)
                if cut <= 0 and len(tail) > _LINE:
                    cut = len(tail) - _TAIL - 1  # no line is so long: what has come is not looked at again
                if cut > 0:
                    done.append(plain(tail[: cut + 1]))
                    tail, asked = tail[cut + 1 :], 0
            if size > _MOST:
                raise Unreachable(f"{self._name}: answers without end")
            left = ends - time.monotonic()
            if left <= 0:
                self.record("<", "".join(done) + text)
                raise Unreachable(f"{self._name}: no answer within {ANSWER_S:.0f} s")
            came = self._receive(min(left, NUDGE_S))
            if came:
                tail += came
                size += len(came)
            elif at_end and not nudged and _prompted(pattern, text):
                nudged = True
                self.send("")  # a log line came over the prompt: an empty line brings it back

    def send(self, line: str) -> None:
        """One line to the device."""
        self.check()
        self.record(">", line)
        try:
            self._channel.settimeout(ANSWER_S)
            self._channel.sendall((line + "\n").encode())
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None

    def _receive(self, within_s: float) -> str:
        try:
            self._channel.settimeout(within_s)
            data = self._channel.recv(CHUNK)
        except TimeoutError:
            return ""
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None
        if not data:
            raise self._lost(EOFError("closed by the device"))
        return self._decoder.decode(data)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The match that ends the text, looked for in its last two lines only."""
    start = text.rfind("\n", 0, max(text.rfind("\n"), 0))
    return pattern.search(text, max(start, 0))


def _prompted(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a prompt was there and something else came after it or into it; never where a question
    waits."""
    lines = text.split("\n")
    if len(lines) < 2 or _QUESTION.search(lines[-1]):
        return False
    if lines[-1] == "" and any(_ends(pattern, line) for line in lines[-6:-1]):
        return True
    for line in lines[-6:]:
        words = line.split("%", 1)[0]
        if len(words) >= 2 and _ends(pattern, words):
            return True
    return False


def _ends(pattern: re.Pattern[str], line: str) -> bool:
    hit = pattern.search("\n" + line)
    return hit is not None and hit.end() == len(line) + 1

"""Speaks to baresip's ctrl_tcp: netstrings of JSON on a TCP socket. Standard library only.

This file is run on an endpoint as it stands (`python3 -c`, see `lienthong.conference.endpoint`): ctrl_tcp
listens on loopback, and nothing is to be left behind there. Arguments: port, then one word for each
command, the command's parameter after a `=`: `dial=1000`. Prints one JSON object a command:
`{"ok": bool, "data": str, "ms": float, "events": [[type, param, peer], …]}`; `ms` is how long it took.
`wait=TYPE:SECONDS` waits for an event; `wait=TYPE|OTHER:SECONDS` ends with either, and is ok with the first.
`leave=NUMBER` ends the call with that number, and no other; `guard=NUMBER:SECONDS` does so
after that time unless it was ended, or somebody else connected.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from typing import Any


def netstring(message: dict[str, Any]) -> bytes:
    """One message as it goes over the wire."""
    body = json.dumps(message).encode()
    return b"%d:%s," % (len(body), body)


def split(buffer: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """Whole messages at the head of the buffer, and what is left."""
    found: list[dict[str, Any]] = []
    while b":" in buffer:
        length, rest = buffer.split(b":", 1)
        size = int(length)
        if len(rest) < size + 1:
            break
        found.append(json.loads(rest[:size]))
        buffer = rest[size + 1 :]
    return found, buffer


class Control:
    """One connection; events that arrive while waiting for something else are kept."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 3)
        self._buffer = b""
        self._kept: list[dict[str, Any]] = []
        self.events: list[list[str]] = []

    def _next(self, until: float) -> dict[str, Any] | None:
        while not self._kept:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                return None
            self._kept, self._buffer = split(self._buffer + data)
        message = self._kept.pop(0)
        if message.get("event"):
            self.events.append([str(message.get(key, "")) for key in ("type", "param", "peeruri")])
        return message

    def ask(self, command: str, params: str, timeout_s: float = 3.0) -> tuple[bool, str]:
        """Send one command; whether it was taken, and its text."""
        token = f"{command}-{time.monotonic_ns()}"
        message = {"command": command, "params": params, "token": token}
        self._socket.sendall(netstring(message))
        until = time.monotonic() + timeout_s
        while (answer := self._next(until)) is not None:
            if answer.get("response") and answer.get("token") == token:
                return bool(answer.get("ok")), str(answer.get("data", ""))
        return False, f"no answer to {command} in {timeout_s:g} s"

    def wait(self, kinds: list[str], timeout_s: float) -> tuple[bool, str]:
        """Wait for an event of one of these types, of which the first is hoped for; a past one counts."""
        until = time.monotonic() + timeout_s
        while True:
            for kind in kinds:
                came = [event for event in self.events if event[0] == kind]
                if came:
                    return kind == kinds[0], "" if kind == kinds[0] else f"{kind}: {came[0][1]}"
            if self._next(until) is None:
                return False, f"no {kinds[0]} in {timeout_s:g} s"

    def leave(self, number: str) -> tuple[bool, str]:
        """End the call with that number; somebody else's is not touched."""
        _, listed = self.ask("listcalls", "")
        if f" sip:{number}@" not in listed:
            return False, "no call with it"
        return self.ask("hangup", "")

    def guard(self, number: str, timeout_s: float) -> tuple[bool, str]:
        """End the call with that number if nobody else does so in time.

        It is the same call then: that one was closed would have been heard here. When somebody else connects,
        ctrl_tcp closes this connection, and it is theirs to end.
        """
        until = time.monotonic() + timeout_s
        while not any(event[0] == "CALL_CLOSED" for event in self.events):
            if self._next(until) is None:
                return self.leave(number) if time.monotonic() >= until else (False, "somebody else came")
        return True, ""


def main(port: int, words: list[str]) -> None:
    """Run the commands in order on one connection."""
    control = Control(port)
    for word in words:
        name, _, params = word.partition("=")
        began = time.monotonic()
        if name == "sleep":
            time.sleep(float(params))
            ok, data = True, ""
        elif name == "wait":
            kinds, _, seconds = params.partition(":")
            ok, data = control.wait(kinds.split("|"), float(seconds))
        elif name == "leave":
            ok, data = control.leave(params)
        elif name == "guard":
            number, _, seconds = params.partition(":")
            ok, data = control.guard(number, float(seconds))
        else:
            ok, data = control.ask(name, params)
        ms = round((time.monotonic() - began) * 1000, 1)
        # Nobody may be listening any more; what is left to do, to end a call, is done all the same.
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"ok": ok, "data": data, "ms": ms, "events": control.events}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

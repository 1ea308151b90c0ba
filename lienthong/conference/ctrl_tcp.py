"""Speaks to baresip's ctrl_tcp: netstrings of JSON on a TCP socket. Standard library only.

This file is run on an endpoint as it stands (`python3 -c`, see `lienthong.conference.endpoint`): ctrl_tcp
listens on loopback, and nothing is to be left behind there. Arguments: port, then one word for each
command, the command's parameter after a `=`: `dial=1000`. Prints one JSON object a command:
`{"ok": bool, "data": str, "events": [[type, param, peer], …]}`. `wait=TYPE:SECONDS` waits for an event.
"""

from __future__ import annotations

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

    def wait(self, kind: str, timeout_s: float) -> tuple[bool, str]:
        """Wait for an event of that type; one that has come already counts."""
        until = time.monotonic() + timeout_s
        while not any(event[0] == kind for event in self.events):
            if self._next(until) is None:
                return False, f"no {kind} in {timeout_s:g} s"
        return True, ""


def main(port: int, words: list[str]) -> None:
    """Run the commands in order on one connection."""
    control = Control(port)
    for word in words:
        name, _, params = word.partition("=")
        if name == "sleep":
            time.sleep(float(params))
            ok, data = True, ""
        elif name == "wait":
            kind, _, seconds = params.partition(":")
            ok, data = control.wait(kind, float(seconds))
        else:
            ok, data = control.ask(name, params)
        print(json.dumps({"ok": ok, "data": data, "events": control.events}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

#!/usr/bin/python3
"""Hands each conference endpoint its configuration, once. Written by Liên Thông; runs while a window is open.

    server.py WINDOW     a JSON file as lienthong/ztp/window.py writes it; certificate and key beside it

Nothing is read from disk but at the start: what may be fetched are the keys of one table, so no path of a
request leads anywhere. A file with a password is handed out to one request, whatever becomes of it; the
window is over when the last of them is gone, or by time. What is refused hears nothing but 404. Every request
is one line of JSON on standard output. Never without TLS. Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

PATIENCE_S = 10.0
#: What a request may look like. The token is compared only when its form is right. Some phones put a slash
#: of their own between the address that was typed and the file.
ASKED = re.compile(r"/([a-z2-9]{20})//?([A-Za-z0-9_-]{1,40}\.(?:cfg|boot))")
#: A source that asks for the wrong thing so often is not listened to any more.
MOST_WRONG = 20
MOST_AT_ONCE = 16


class Window:
    """What may be fetched, by whom, until when."""

    def __init__(self, data: dict[str, Any], folder: Path) -> None:
        self.address, self.port = str(IPv4Address(data["address"])), int(data["port"])
        self.source = IPv4Network(data["source"])
        self.until = float(data["until"])
        self.neighbours = Path(data["neighbours"]) if data["neighbours"] else None
        self.endpoints: list[dict[str, Any]] = data["endpoints"]
        self.waiting = {(one["node"], name) for one in self.endpoints for name in one["once"]}
        self.wrong: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.folder = folder

    def endpoint(self, token: str) -> dict[str, Any] | None:
        """Whose token that is. All are compared, so that the time says nothing."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        found = [one for one in self.endpoints if hmac.compare_digest(one["token"], digest)]
        return found[0] if found else None

    def take(self, source: str, path: str) -> tuple[str, dict[str, Any] | None, bytes | None]:
        """(why it is refused or "", whose it is, content) for one request."""
        if IPv4Address(source) not in self.source:
            return "another network", None, None
        if time.time() >= self.until:
            return "the window is over", None, None
        asked = ASKED.fullmatch(path)
        one = self.endpoint(asked[1]) if asked else None
        if asked is None or one is None:
            return "no such path" if asked is None else "wrong token", None, None
        if self.neighbours is not None and self.mac_of(source) != one["mac"]:
            return "another Ethernet address", one, None
        name = asked[2].lower()
        if name in one["open"]:
            return "", one, one["open"][name].encode()
        if name not in one["once"]:
            return "no such file", one, None
        with self.lock:
            if (one["node"], name) not in self.waiting:
                return "fetched before", one, None
            self.waiting.discard((one["node"], name))
        return "", one, one["once"][name].encode()

    def mac_of(self, source: str) -> str:
        """The Ethernet address that this computer has for a neighbour (`/proc/self/net/arp`)."""
        assert self.neighbours is not None
        rows = (line.split() for line in self.neighbours.read_text(encoding="ascii").splitlines()[1:])
        return next((row[3].lower() for row in rows if row and row[0] == source), "")


class Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: Server
    protocol_version = "HTTP/1.0"
    server_version, sys_version = "provisioning", ""
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        """Hand it out, or 404."""
        window, source = self.server.window, self.client_address[0]
        why, one, content = window.take(source, self.path)
        if content is None:
            window.wrong[source] += 1
            self.answer(404, b"")
        else:
            try:
                self.answer(200, content)
            except OSError:
                why = "the connection broke"
        self.tell(source, one, why, content is not None)
        if not window.waiting:
            self.server.over("every endpoint has its file")

    def refuse(self) -> None:
        """Anything but GET."""
        self.server.window.wrong[self.client_address[0]] += 1
        self.answer(405, b"")
        self.tell(self.client_address[0], None, f"{self.command} is not answered", False)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = refuse

    def answer(self, status: int, content: bytes) -> None:
        """Status, two headers, content."""
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def tell(self, source: str, one: dict[str, Any] | None, why: str, granted: bool) -> None:
        """One line of the journal; a token is in none."""
        file = self.path.rsplit("/", 1)[-1] if granted or why == "fetched before" else ""
        log(
            "granted" if granted else "refused",
            source=source,
            node=one["node"] if one else "",
            mac=one["mac"] if one else "",
            file=file[:50],
            why=why,
            agent=str(self.headers.get("User-Agent", ""))[:80],
        )

    def log_message(self, format: str, *args: object) -> None:
        """http.server's own log, which would hold the token."""

    def send_error(self, code: int, *_: object, **__: object) -> None:
        """What http.server refuses itself: a request that is none."""
        self.server.window.wrong[self.client_address[0]] += 1
        self.command = getattr(self, "command", None) or "-"
        self.request_version = "HTTP/1.0"
        self.answer(code, b"")
        log(
            "refused",
            source=self.client_address[0],
            node="",
            mac="",
            file="",
            why=f"no request ({code})",
            agent="",
        )


class Server(ThreadingHTTPServer):
    """TLS in the thread of each connection, so that a slow client holds up nobody."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, window: Window) -> None:
        self.window = window
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.tls.load_cert_chain(window.folder / "certificate", window.folder / "key")
        self.free = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__((window.address, window.port), Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Who is not listened to is cut off before TLS costs anything."""
        source = client_address[0]
        why = ""
        if IPv4Address(source) not in self.window.source:
            why = "another network"
        elif self.window.wrong[source] >= MOST_WRONG:
            return False  # said often enough
        elif not self.free.acquire(blocking=False):
            why = "too many at once"
        if why:
            log("refused", source=source, node="", mac="", file="", why=why, agent="")
        return not why

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handshake, then the request."""
        try:
            request.settimeout(PATIENCE_S)
            try:
                secure = self.tls.wrap_socket(request, server_side=True)
            except OSError as error:  # also plain HTTP: there is no answer to that
                self.window.wrong[client_address[0]] += 1
                why = f"no TLS ({type(error).__name__})"
                log("refused", source=client_address[0], node="", mac="", file="", why=why, agent="")
                self.shutdown_request(request)
                return
            # One that sends a byte now and then would never run into a time-out.
            late = threading.Timer(3 * PATIENCE_S, self.shutdown_request, [secure])
            late.daemon = True
            late.start()
            super().process_request_thread(secure, client_address)
            late.cancel()
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A connection that broke is no reason for a traceback."""
        log(
            "broken", source=client_address[0], node="", mac="", file="", why=str(sys.exc_info()[0]), agent=""
        )

    def over(self, why: str) -> None:
        """End the window; the answer that is under way still goes out."""
        threading.Timer(0.3, self.shutdown).start()
        log("closed", why=why)


_SAYING = threading.Lock()


def log(event: str, **what: str) -> None:
    """One line of JSON; what came from outside is escaped to ASCII."""
    line = json.dumps({"event": event, "at": int(time.time()), **what})
    with _SAYING:
        print(line, flush=True)


def main(file: Path) -> int:
    """Serve until the window is over."""
    window = Window(json.loads(file.read_text(encoding="utf-8")), file.parent)
    server = Server(window)
    log("opened", why=", ".join(sorted(one["node"] for one in window.endpoints)))
    by_time = threading.Timer(max(0.0, window.until - time.time()), server.over, ["by time"])
    by_time.daemon = True
    by_time.start()
    server.serve_forever(poll_interval=0.2)
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

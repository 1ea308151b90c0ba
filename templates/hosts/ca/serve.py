#!/usr/bin/python3
"""The issuing authority of a side. Written by Liên Thông as /usr/local/lib/lienthong/ca; standard library only.

Answers /.well-known/est/simplereenroll (RFC 7030, 4.2.2) over mutual TLS: who shows a certificate of the side
that is still valid gets a new one for the same key. Names come from the list that the inventory made, never
from the request; who is not in the list gets nothing. openssl signs, and keeps the record of what it signed.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONF = Path("/etc/lienthong/ca")
PKI = Path("/etc/lienthong/pki")
STATE = Path("/var/lib/lienthong/ca")
PATH = "/.well-known/est/simplereenroll"
LARGEST = 8192
AT_ONCE = 16
PATIENCE_S = 10


class Refused(Exception):
    """No certificate; the message is for the log and for who asks."""


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    """What openssl prints; it is never given anything of a request as an argument."""
    done = subprocess.run(
        ["openssl", *words], input=stdin, capture_output=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode:
        raise Refused("openssl does not accept it")
    return done.stdout


def job() -> dict[str, Any]:
    """Life in seconds, revoked keys, and each node that may renew; read anew each time."""
    said: dict[str, Any] = json.loads((CONF / "job.json").read_text(encoding="utf-8"))
    return said


def admitted(shown: dict[str, Any], der: bytes, request: bytes, now: dict[str, Any]) -> str:
    """The name of the node that asks.

    Args:
        shown: its certificate as Python's TLS tells it (chain, dates and signature are checked).
        der: the same, whole.
        request: PKCS #10, DER.

    Raises:
        Refused: not in the list, another's name, a revoked key, another key.
    """
    names = [value for part in shown.get("subject", ()) for key, value in part if key == "commonName"]
    name = names[0] if len(names) == 1 else ""
    node = now["nodes"].get(name)
    if node is None:
        raise Refused(f"{name!r} is not in the inventory")
    if ("DNS", node["fqdn"]) not in shown.get("subjectAltName", ()):
        raise Refused(f"{name!r} shows a certificate of another name")
    key = openssl("x509", "-inform", "der", "-noout", "-pubkey", stdin=der)
    fingerprint = hashlib.sha256(openssl("pkey", "-pubin", "-outform", "der", stdin=key)).hexdigest()
    if fingerprint in now["revoked"]:
        raise Refused(f"the key of {name!r} is revoked")
    # -verify: signed by its own key. A new key is enrolled by an apply, not by whoever holds the old one.
    if openssl("req", "-inform", "der", "-verify", "-noout", "-pubkey", stdin=request) != key:
        raise Refused(f"{name!r} asks for another key than it shows")
    return name


def issue(name: str, request: bytes, now: dict[str, Any]) -> bytes:
    """A certificate (PEM) for that node."""
    node, life_s = now["nodes"][name], now["life_s"]
    begin = datetime.now(UTC)
    # Clocks of nodes may be a little behind.
    skew = timedelta(seconds=min(3600, life_s // 10))
    dates = [f"{moment:%Y%m%d%H%M%SZ}" for moment in (begin - skew, begin + timedelta(seconds=life_s))]
    alternative = ",".join([*(f"DNS:{one}" for one in node["names"]), f"IP:{node['address']}"])
    with tempfile.TemporaryDirectory(dir=STATE) as folder, (STATE / "lock").open("w") as lock:
        asked, extensions, out = (Path(folder) / part for part in ("request", "extensions", "out"))
        asked.write_bytes(openssl("req", "-inform", "der", stdin=request))
        extensions.write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            "extendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            f"subjectAltName={alternative}\n"
        )
        fcntl.flock(lock, fcntl.LOCK_EX)
        openssl(
            "ca", "-batch", "-notext", "-config", str(CONF / "openssl.cnf"), "-subj", f"/CN={name}",
            "-startdate", dates[0], "-enddate", dates[1], "-in", str(asked), "-extfile", str(extensions),
            "-out", str(out),
        )  # fmt: skip
        return out.read_bytes()


class Answer(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.0"
    server_version = "lienthong-ca"
    sys_version = ""
    slots = threading.BoundedSemaphore(AT_ONCE)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != PATH or not length.isdigit() or int(length) > LARGEST:
            self.tell(404, b"renewal only\n")
            return
        try:
            request = base64.b64decode(self.rfile.read(int(length)), validate=False)
            shown = self.connection.getpeercert()
            der = self.connection.getpeercert(binary_form=True)
            now = job()
            with self.slots:
                name = admitted(shown or {}, der or b"", request, now)
                certificate = issue(name, request, now)
        except (Refused, ValueError, subprocess.TimeoutExpired) as error:
            said = str(error) if isinstance(error, Refused) else "that is no request"
            print(f"refused {self.client_address[0]}: {said}", file=sys.stderr, flush=True)
            self.tell(403, f"{said}\n".encode())
            return
        print(f"renewed {name} for {self.client_address[0]}", file=sys.stderr, flush=True)
        bundle = openssl(
            "crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", "der", stdin=certificate
        )
        self.tell(200, base64.encodebytes(bundle), "application/pkcs7-mime; smime-type=certs-only")

    def tell(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        """An answer, whole."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 200:
            self.send_header("Content-Transfer-Encoding", "base64")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """What matters is printed above."""


class Server(ThreadingHTTPServer):
    """Shakes hands in the thread of the request, so that a silent caller keeps nobody waiting."""

    daemon_threads = True
    request_queue_size = 64

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(PATIENCE_S)
        # The node's own certificate is renewed too: it is read for every caller.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(PKI / "node.crt", PKI / "node.key")
        context.load_verify_locations(PKI / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            with context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)  # type: ignore[arg-type]
        except OSError as error:  # TLS errors are among them
            print(
                f"refused {client_address[0]}: {getattr(error, 'reason', error)}", file=sys.stderr, flush=True
            )


def main() -> None:
    os.umask(0o077)
    for name, text in (("index.txt", ""), ("index.txt.attr", "unique_subject = no\n")):
        if not (STATE / name).exists():
            (STATE / name).write_text(text)
    (STATE / "issued").mkdir(exist_ok=True)
    said = job()
    for _ in range(60):  # the address may come a little later than the service
        try:
            Server((said["address"], said["port"]), Answer).serve_forever()
        except OSError as error:
            print(f"cannot listen yet: {error}", file=sys.stderr, flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()

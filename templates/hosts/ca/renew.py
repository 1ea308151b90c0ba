#!/usr/bin/python3
"""Renews this system's certificate. Written by Liên Thông as /usr/local/sbin/lienthong-renew.

    lienthong-renew            renew when two thirds of the life are over, and tell those who use it
    lienthong-renew --now      renew in any case

The key stays. What comes back is put in place only if it is for that key and this name and the side's authority
stands behind it. An expired certificate cannot renew itself: `lienthong apply` signs a new one. Standard library only.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

PKI = Path("/etc/lienthong/pki")
OWNED = Path("/var/lib/lienthong/owned")
CONF = Path("/etc/lienthong/renew.json")
CERTIFICATE, KEY, AUTHORITY = PKI / "node.crt", PKI / "node.key", PKI / "ca.crt"
PATIENCE_S = 20


class Failed(Exception):
    """Not renewed; the message is for people."""


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    """What openssl prints."""
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Failed(f"openssl {words[0]}: {told[-1][:200]}")
    return done.stdout


def dates(path: Path) -> tuple[float, float]:
    """Begin and end of a certificate, seconds since 1970."""
    said = openssl("x509", "-in", str(path), "-noout", "-dates").decode()
    begin, end = (ssl.cert_time_to_seconds(line.split("=", 1)[1]) for line in said.splitlines())
    return begin, end


def due(now: float) -> bool:
    """Whether two thirds of its life are over."""
    begin, end = dates(CERTIFICATE)
    if now >= end:
        raise Failed("the certificate has expired; lienthong apply signs a new one")
    return end - now < (end - begin) / 3


def ask(conf: dict[str, str]) -> bytes:
    """A new certificate (PEM) from the issuing authority."""
    request = openssl("req", "-new", "-key", str(KEY), "-subj", "/CN=" + conf["name"], "-outform", "der")
    context = ssl.create_default_context(cafile=str(AUTHORITY))
    context.load_cert_chain(CERTIFICATE, KEY)
    server = http.client.HTTPSConnection(
        conf["server"], int(conf["port"]), context=context, timeout=PATIENCE_S
    )
    try:
        server.request(
            "POST", "/.well-known/est/simplereenroll", base64.encodebytes(request),
            {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"},
        )  # fmt: skip
        answer = server.getresponse()
        body = answer.read(65536)
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"{conf['server']}: {error}") from None
    if answer.status != 200:
        said = body.decode("ascii", "replace").strip()[:200]
        raise Failed(f"{conf['server']} refuses with {answer.status}: {said!r}")
    try:
        der = base64.b64decode(body)
    except ValueError:
        raise Failed("the answer is no certificate") from None
    printed = openssl("pkcs7", "-inform", "der", "-print_certs", stdin=der).decode()
    return printed[printed.index("-----BEGIN") :].strip().encode() + b"\n"


def put(pem: bytes, conf: dict[str, str]) -> None:
    """Look at it as a stranger would, then put it in place by a rename.

    The issuing authority's own goes behind it: clients of time and browsers are given the root only.
    """
    new, issuing = PKI / ".node.crt.new", PKI / "issuing.crt"
    new.write_bytes(pem + (issuing.read_bytes() if issuing.exists() else b""))
    new.chmod(0o644)
    openssl("verify", "-x509_strict", "-CAfile", str(AUTHORITY), "-verify_hostname", conf["fqdn"], str(new))
    if openssl("x509", "-in", str(new), "-noout", "-pubkey") != openssl("pkey", "-in", str(KEY), "-pubout"):
        raise Failed("the answer is for another key")
    new.replace(CERTIFICATE)


def users() -> list[tuple[str, str]]:
    """(`reload` or `restart`, unit) of those that keep the certificate in memory."""
    found = set()
    for path in OWNED.glob("[a-z]*"):
        for line in path.read_text(encoding="ascii").splitlines():
            if line.startswith("uses "):
                _, unit, verb = line.split(" ")
                found.add((verb, unit))
    return sorted(found)


def main(words: list[str]) -> int:
    os.umask(0o077)
    try:
        conf: dict[str, str] = json.loads(CONF.read_text(encoding="utf-8"))
        if words != ["--now"] and not due(time.time()):
            return 0
        put(ask(conf), conf)
    except Failed as error:
        print(f"lienthong-renew: {error}", file=sys.stderr)
        return 1
    print(f"renewed until {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(dates(CERTIFICATE)[1]))}")
    bad = 0
    for verb, unit in users():
        bad |= subprocess.run(["systemctl", verb, "--no-block", unit], check=False).returncode
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

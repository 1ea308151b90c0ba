"""Tries to register with a SIP registrar by a password that is surely wrong. Standard library only.

This file is run on an endpoint as it stands (`python3 -c`). Arguments: address, number, file of the side's
authority. Prints JSON: `codes`, those of the answers to a REGISTER without and with the wrong password
(RFC 3261, 10.2 and 22.4), 0 where nobody answered, in order are [401, 401]; `tls`, the version agreed on with
a registrar whose certificate the authority signed for that address, empty with any other; `said`, why there
is none; `open`, whether it also takes SIP without encryption.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import ssl
import sys

SIPS, SIP = 5061, 5060


def digest(*parts: str) -> str:
    """MD5 of the parts joined by colons, as SIP's digest has it."""
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def request(server: str, number: str, here: tuple[str, int], call: str, turn: int, proof: str) -> bytes:
    """A REGISTER; it would bind for 20 s and no longer, were it ever let in."""
    lines = [
        f"REGISTER sip:{server} SIP/2.0",
        f"Via: SIP/2.0/TLS {here[0]}:{here[1]};branch=z9hG4bK{secrets.token_hex(8)};rport",
        "Max-Forwards: 10",
        f"From: <sip:{number}@{server}>;tag={call[:8]}",
        f"To: <sip:{number}@{server}>",
        f"Call-ID: {call}",
        f"CSeq: {turn} REGISTER",
        f"Contact: <sip:{number}@{here[0]}:{here[1]};transport=tls>",
        "Expires: 20",
        *([f"Authorization: {proof}"] if proof else []),
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def proof(answer: str, server: str, number: str) -> str:
    """An Authorization made with a random password."""
    realm, nonce = re.search(r'realm="([^"]*)"', answer), re.search(r'nonce="([^"]*)"', answer)
    if realm is None or nonce is None:
        return ""
    cnonce, uri = secrets.token_hex(8), f"sip:{server}"
    secret = digest(number, realm[1], secrets.token_hex(16))
    response = digest(secret, nonce[1], "00000001", cnonce, "auth", digest("REGISTER", uri))
    return (
        f'Digest username="{number}", realm="{realm[1]}", nonce="{nonce[1]}", uri="{uri}", '
        f'qop=auth, nc=00000001, cnonce="{cnonce}", response="{response}"'
    )


def answer(sock: ssl.SSLSocket) -> str:
    """The head of the next answer; empty when none comes."""
    told = b""
    try:
        while b"\r\n\r\n" not in told and len(told) < 8192:
            part = sock.recv(4096)
            if not part:
                break
            told += part
    except OSError:
        pass
    return told.decode(errors="replace")


def unencrypted(server: str) -> bool:
    """Whether it takes a connection where SIP goes in the clear."""
    try:
        socket.create_connection((server, SIP), timeout=1).close()
    except OSError:
        return False
    return True


def main(server: str, number: str, authority: str) -> None:
    """Ask twice."""
    codes, tls, said = [0, 0], "", ""
    context = ssl.create_default_context(cafile=authority)
    try:
        with (
            socket.create_connection((server, SIPS), timeout=2) as line,
            context.wrap_socket(line, server_hostname=server) as sock,
        ):
            tls = sock.version() or ""
            call, told = secrets.token_hex(16), ""
            for turn in (1, 2):
                shown = proof(told, server, number) if turn == 2 else ""
                sock.sendall(request(server, number, sock.getsockname(), call, turn, shown))
                told = answer(sock)
                code = re.match(r"SIP/2\.0 (\d{3})", told)
                codes[turn - 1] = int(code[1]) if code else 0
    except (OSError, ssl.SSLError) as error:
        said = str(error)
    print(json.dumps({"codes": codes, "tls": tls, "said": said, "open": unencrypted(server)}))


if __name__ == "__main__":
    main(*sys.argv[1:4])

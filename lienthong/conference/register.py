"""Tries to register with a SIP registrar by a password that is surely wrong. Standard library only.

This file is run on an endpoint as it stands (`python3 -c`). Arguments: address, number. Prints JSON:
the status codes of the answers to a REGISTER without and with the wrong password (RFC 3261, 10.2 and 22.4);
0 where nobody answered. A registrar in order says [401, 401].
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import sys


def digest(*parts: str) -> str:
    """MD5 of the parts joined by colons, as SIP's digest has it."""
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def request(server: str, number: str, here: tuple[str, int], call: str, turn: int, proof: str) -> bytes:
    """A REGISTER; it would bind for 20 s and no longer, were it ever let in."""
    lines = [
        f"REGISTER sip:{server} SIP/2.0",
        f"Via: SIP/2.0/UDP {here[0]}:{here[1]};branch=z9hG4bK{secrets.token_hex(8)};rport",
        "Max-Forwards: 10",
        f"From: <sip:{number}@{server}>;tag={call[:8]}",
        f"To: <sip:{number}@{server}>",
        f"Call-ID: {call}",
        f"CSeq: {turn} REGISTER",
        f"Contact: <sip:{number}@{here[0]}:{here[1]}>",
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


def main(server: str, number: str) -> None:
    """Ask twice."""
    codes = []
    call, answer = secrets.token_hex(16), ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((server, 5060))
        for turn in (1, 2):
            shown = proof(answer, server, number) if turn == 2 else ""
            sock.send(request(server, number, sock.getsockname(), call, turn, shown))
            try:
                answer = sock.recv(4096).decode(errors="replace")
                found = re.match(r"SIP/2\.0 (\d{3})", answer)
            except OSError:
                answer, found = "", None
            codes.append(int(found[1]) if found else 0)
    print(json.dumps(codes))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

"""The conference's own programs against what they meet: netstrings, RTP, a registrar that is not in order."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lienthong.conference import ctrl_tcp, endpoint, rtp
from lienthong.errors import LienThongError
from lienthong.services.videoconf import Params

LISTCALLS = "\n--- Active calls (1) ---\n> [line 1]  0:00:03  ESTABLISHED             sip:1000@10.0.3.10\n\n"
AUDIO = """--- Audio stream ---
 menc: srtp-mand (secure=yes)
----- RTCP Session: -----
  member 0x1c2ed640: lost=0 Jitter=0.0ms RTT=0.0ms
                 IP=10.0.3.20:18292 psent=0 rcvd=108
  TX: packets=109, octets=17440
"""


def test_netstrings_are_split_wherever_the_wire_cuts_them() -> None:
    messages = [{"event": True, "type": "CALL_RINGING"}, {"response": True, "ok": True, "data": "á:1,"}]
    wire = b"".join(ctrl_tcp.netstring(message) for message in messages)
    for cut in range(len(wire)):
        first, left = ctrl_tcp.split(wire[:cut])
        second, rest = ctrl_tcp.split(left + wire[cut:])
        assert first + second == messages
        assert rest == b""


@pytest.fixture
def baresip() -> Iterator[tuple[int, list[str]]]:
    """A stand-in for ctrl_tcp on loopback: answers every command, tells an event before `dial`'s answer."""
    asked: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                buffer = b""
                while data := client.recv(4096):
                    found, buffer = ctrl_tcp.split(buffer + data)
                    for message in found:
                        asked.append(f"{message['command']} {message['params']}".strip())
                        if message["command"] == "dial":
                            client.sendall(ctrl_tcp.netstring({"event": True, "type": "CALL_RINGING"}))
                        text = LISTCALLS if message["command"] == "listcalls" else ""
                        answer = {"response": True, "ok": True, "data": text, "token": message["token"]}
                        client.sendall(ctrl_tcp.netstring(answer))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], asked
    server.close()


def here(line: str) -> str:
    """Runs a command line on this computer, as Testinfra would on the endpoint."""
    line = line.replace("python3", sys.executable, 1)
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False).stdout


def test_commands_go_over_one_connection_and_events_are_kept(baresip: tuple[int, list[str]]) -> None:
    port, asked = baresip
    replies = endpoint.ask(here, "dial=1000", "wait=CALL_RINGING:1", "wait=CALL_ESTABLISHED:0.2", port=port)
    assert [reply.ok for reply in replies] == [True, True, False]
    assert replies[-1].data == "no CALL_ESTABLISHED in 0.2 s"
    assert asked == ["dial 1000"]
    calls = endpoint.parse_calls(endpoint.ask(here, "listcalls", port=port)[0].data)
    assert calls == [endpoint.Call("ESTABLISHED", "sip:1000@10.0.3.10")]


def test_an_endpoint_that_does_not_answer_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(LienThongError, match="answered 0 of 1 commands"):
        endpoint.ask(here, "listcalls", port=port)


def test_counters_of_a_stream() -> None:
    assert endpoint.parse_stream(AUDIO) == endpoint.Stream(sent=109, received=108, secure=True)
    assert endpoint.parse_stream(AUDIO.replace("secure=yes", "secure=no")) == endpoint.Stream(109, 108, False)
    assert endpoint.parse_stream("no active call") is None


def ip(payload: bytes, tos: int = 0xB8, proto: int = 17) -> bytes:
    """An IPv4 packet from 10.0.43.20."""
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload), 0, 0, 64, proto, 0)
    return head + socket.inet_aton("10.0.43.20") + socket.inet_aton("10.0.3.20") + payload


def udp(port: int, first: int = 0x80, second: int = 8) -> bytes:
    """A UDP datagram that begins like RTP."""
    return struct.pack("!HHHH", 12000, port, 20, 0) + bytes([first, second]) + bytes(10)


def test_rtp_is_told_from_what_is_not() -> None:
    sound = rtp.packet(ip(udp(12000)), 10000, 20000)
    picture = rtp.packet(ip(udp(12000, second=0x80 | 96), tos=0x88), 10000, 20000)
    assert sound is not None and (sound.sender, sound.kind, sound.dscp) == ("10.0.43.20", 8, 46)
    assert picture is not None and (picture.kind, picture.dscp) == (96, 34)
    others = [
        ip(udp(12001)),
        ip(udp(5060)),
        ip(udp(12000, first=0x40)),
        ip(udp(12000, second=72)),
        ip(udp(12000), proto=6),
        b"",
        ip(b""),
    ]
    assert [rtp.packet(data, 10000, 20000) for data in others] == [None] * len(others)


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """An authority's certificate, and one with its key that it signed for an address."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])

    def made(subject: x509.Name, public: ec.EllipticCurvePublicKey, *more: x509.ExtensionType) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )
        for one in more:
            builder = builder.add_extension(one, critical=isinstance(one, x509.BasicConstraints))
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.crt").write_bytes(made(name, ca_key.public_key(), x509.BasicConstraints(True, None)))
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registrar")])
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))])
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.pem").write_bytes(made(own, key.public_key(), names) + pem)
    return folder / "ca.crt", folder / "own.pem"


def asked(codes: list[int], own: Path, authority: Path) -> tuple[endpoint.Refusal, list[str]]:
    """What the program says of a registrar that answers so, and what it sent there."""
    seen: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)

    def serve(server: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(server.accept()[0], server_side=True) as sock:
            for code in codes:
                seen.append(sock.recv(4096).decode())
                challenge = 'WWW-Authenticate: Digest realm="x.test", nonce="abc", qop="auth"\r\n'
                sock.sendall(f"SIP/2.0 {code} Said\r\n{challenge}\r\n".encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()

        def run(line: str) -> str:
            line = line.replace("SIPS, SIP = 5061, 5060", f"SIPS, SIP = {server.getsockname()[1]}, 1")
            return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout

        return endpoint.refused(run, IPv4Address("127.0.0.1"), "1005", str(authority)), seen


@pytest.mark.parametrize("codes", [[401, 401], [401, 200], [200, 200]])
def test_a_registrar_that_lets_a_wrong_password_in_is_seen(codes: list[int], tmp_path: Path) -> None:
    ca, own = certificate(tmp_path, "127.0.0.1")
    met, seen = asked(codes, own, ca)
    assert met == endpoint.Refusal(tuple(codes), "TLSv1.3", "", False)
    assert "Authorization:" not in seen[0]
    assert 'username="1005"' in seen[1]


def test_a_registrar_of_another_name_or_authority_is_not_spoken_to(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    _, own = certificate(tmp_path, "127.0.0.1")
    other, elsewhere = certificate(tmp_path / "other", "127.0.0.2")
    for authority, shown, why in ((other, own, "certificate verify failed"), (other, elsewhere, "mismatch")):
        met, seen = asked([401, 401], shown, authority)
        assert (met.codes, met.tls, seen) == ((0, 0), "", [])
        assert why in met.why


@pytest.mark.parametrize(
    "values",
    [{"role": "endpoint"}, {"role": "registrar", "number": "1005"}, {"role": "endpoint", "number": "a"}],
)
def test_an_endpoint_has_a_number_and_a_registrar_none(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="number"):
        Params.model_validate(values)

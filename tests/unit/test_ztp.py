"""What endpoints fetch, and the server that hands it out: once, over TLS, to nobody else."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lienthong.errors import LienThongError
from lienthong.hosts.certificates import LIFE, Authority, sign
from lienthong.model.endpoint import EndpointWanted
from lienthong.model.secret import Secret
from lienthong.model.words import Zone
from lienthong.plan.endpoint import endpoint_wanted
from lienthong.ztp import remote, window
from lienthong.ztp.files import POLY_MASTER, Files, files
from lienthong.ztp.window import Guest, Place, Window
from tests.boxes import ROOT, province

TEMPLATES = ROOT / "templates"
GOLDEN = ROOT / "tests" / "golden" / "ztp"
PASSWORD = Secret("Golden-password_1")
MAC = "00:15:65:12:34:56"
PHONE = "001565123456.cfg"


def told(platform: str, **more: object) -> EndpointWanted:
    node = replace(province().nodes["loc-ninh-vc"], platform=platform, debian=False)
    wanted = replace(endpoint_wanted(province(), node), mac=MAC)
    return replace(wanted, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("platform", ["yealink", "poly"])
def test_an_endpoint_fetches_what_the_golden_files_say(platform: str) -> None:
    found = files(told(platform), PASSWORD, TEMPLATES)
    for name, text in {**found.open, **found.once}.items():
        golden = GOLDEN / f"{platform}.{name}"
        if os.environ.get("GOLDEN") == "write":
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8")


def test_yealinks_file_is_lines_of_one_key_each() -> None:
    (text,) = files(told("yealink"), PASSWORD, TEMPLATES).once.values()
    first, *rest = text.splitlines()
    assert first == "#!version:1.0.0.1"
    keys = [line.split(" = ")[0] for line in rest if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9_.]+ = \S.*", line) for line in rest if not line.startswith("#"))
    assert len(set(keys)) == len(keys)
    assert "account.1.password = Golden-password_1" in rest
    assert "account.1.auto_answer = 0" in rest
    assert not [key for key in keys if key.startswith("account.") and not key.startswith("account.1.")]


def test_polys_files_lead_from_one_to_the_next_and_only_the_last_holds_the_password() -> None:
    found = files(told("poly", display="Phòng họp"), PASSWORD, TEMPLATES)
    assert set(found.open) == {PHONE, POLY_MASTER}
    own = ElementTree.fromstring(found.open[PHONE].encode()).attrib
    everybody = ElementTree.fromstring(found.open[POLY_MASTER].encode()).attrib
    (name,) = found.once
    assert own["CONFIG_FILES"] == name
    assert everybody["CONFIG_FILES"].replace("[PHONE_MAC_ADDRESS]", "001565123456") == name
    settings = ElementTree.fromstring(found.once[name].encode()).attrib
    assert settings["reg.1.auth.password"] == "Golden-password_1"
    assert settings["reg.1.displayName"] == "Phòng họp"
    assert settings["sec.srtp.require"] == "1"
    assert "Golden-password_1" not in "".join(found.open.values())


@pytest.mark.parametrize("value", ['a"b', "a\nb", "a b", "<x>", "ä", "%NULL%"])
def test_a_password_that_would_end_a_value_is_refused_by_name(value: str) -> None:
    with pytest.raises(LienThongError, match="sip/loc-ninh-vc: no file"):
        files(told("yealink"), Secret(value), TEMPLATES)


def test_no_file_without_an_ethernet_address_or_for_another_platform() -> None:
    with pytest.raises(LienThongError, match="not in the inventory"):
        files(told("poly", mac=None), PASSWORD, TEMPLATES)
    with pytest.raises(LienThongError, match="fetches no files"):
        files(told("cisco-roomos"), PASSWORD, TEMPLATES)


def test_the_window_is_where_a_debian_system_has_a_leg() -> None:
    plan = province()
    room = next(s for s in plan.sites["loc-ninh"].segments.values() if s.zone is Zone.CONFERENCE)
    place = window.place(plan, "loc-ninh", room)
    assert (place.node.name, str(place.address), place.interface) == (
        "loc-ninh-gw-wan",
        "10.0.42.1",
        "vlan30",
    )
    nodes = dict(plan.sites["loc-ninh"].nodes)
    nodes["loc-ninh-gw-wan"] = replace(nodes["loc-ninh-gw-wan"], debian=False)
    gear = replace(plan, sites={**plan.sites, "loc-ninh": replace(plan.sites["loc-ninh"], nodes=nodes)})
    assert window.place(gear, "loc-ninh", room).node.name == "loc-ninh-vc"
    nodes["loc-ninh-vc"] = replace(nodes["loc-ninh-vc"], debian=False)
    with pytest.raises(LienThongError, match="no Debian system has a leg in conference"):
        window.place(gear, "loc-ninh", room)


def test_endpoints_are_chosen_by_short_or_full_name() -> None:
    one, two = told("yealink"), replace(told("poly"), node="loc-ninh-vc2")
    assert window.chosen([one, two], "loc-ninh", []) == [one, two]
    assert window.chosen([one, two], "loc-ninh", ["loc-ninh-vc2", "vc"]) == [two, one]
    with pytest.raises(LienThongError, match="srv is no endpoint"):
        window.chosen([one], "loc-ninh", ["srv"])
    with pytest.raises(LienThongError, match="has no endpoint"):
        window.chosen([], "loc-ninh", [])


def test_tokens_are_typed_and_never_alike() -> None:
    made = {window.token() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch("[a-hjkmnp-z2-9]{20}", one) for one in made)
    assert re.fullmatch("[a-z2-9]{20}", next(iter(made)))


# -- the server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ztp_server", TEMPLATES / "ztp" / "server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "side wan")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - LIFE)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(made, key)


class Served:
    """The program as it runs on a node, on loopback."""

    def __init__(self, program: ModuleType, folder: Path, authority: Authority, **more: Any) -> None:
        loopback = replace(
            province().sites["loc-ninh"].segments["conference"], prefix=IPv4Network("127.0.0.0/24")
        )
        node = province().nodes["loc-ninh-gw-wan"]
        place = Place(node, loopback, IPv4Address("127.0.0.1"), "lo")
        self.guests = tuple(
            Guest(one, files(one, PASSWORD, TEMPLATES), window.token())
            for one in (told("yealink"), replace(told("poly"), node="loc-ninh-vc2", mac="64:16:7f:00:00:02"))
        )
        until = int(time.time()) + more.pop("seconds", 30)
        data = json.loads(window.told(Window("loc-ninh", place, self.guests, until, port=0), None)) | more
        (folder / "window").write_text(json.dumps(data), encoding="utf-8")
        self._certify(folder, authority, place)
        self.trust = ssl.create_default_context(cadata=authority.pem)
        self.server = program.Server(program.Window(data, folder))
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def _certify(self, folder: Path, authority: Authority, place: Place) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, place.node.name)])
        asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        pem = asked.public_bytes(serialization.Encoding.PEM).decode()
        node = replace(place.node, address=place.address)
        (folder / "certificate").write_text(sign(pem, node, authority, datetime.now(UTC)), encoding="ascii")
        (folder / "key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def get(self, path: str, method: str = "GET", source: str = "127.0.0.1") -> tuple[int, str]:
        """As an endpoint does it: the certificate is verified, with its address."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=5, context=self.trust, source_address=(source, 0)
        )
        try:
            connection.request(method, path, headers={"User-Agent": "Yealink\x1b[2J " + "x" * 200})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()


@pytest.fixture
def served(program: ModuleType, tmp_path: Path, authority: Authority) -> Iterator[Served]:
    found = Served(program, tmp_path, authority)
    yield found
    found.end()


def said(capfd: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_each_endpoint_gets_its_file_once_and_then_the_window_is_over(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    one, two = served.guests
    status, text = served.get(f"/{one.token}/{PHONE}")
    assert (status, text) == (200, one.files.once[PHONE])
    assert served.get(f"/{one.token}/{PHONE}") == (404, "")
    assert served.get(f"/{two.token}/64167f000002.cfg")[0] == 200
    assert served.get(f"/{two.token}//64167f000002.cfg")[0] == 200  # holds no password
    assert served.get(f"/{two.token}/{POLY_MASTER}")[0] == 200
    assert served.thread.is_alive()
    assert served.get(f"/{two.token}/64167F000002-endpoint.cfg")[0] == 200
    served.thread.join(5)
    assert not served.thread.is_alive()
    told = said(capfd)
    assert [event["event"] for event in told] == [
        "granted", "refused", "granted", "granted", "granted", "granted", "closed",
    ]  # fmt: skip
    assert {key: told[0][key] for key in ("source", "node", "mac", "file")} == {
        "source": "127.0.0.1",
        "node": "loc-ninh-vc",
        "mac": MAC,
        "file": PHONE,
    }
    assert told[1]["why"] == "fetched before"


def test_no_line_of_the_journal_holds_a_token_a_password_or_a_control(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    one, _ = served.guests
    served.get(f"/{one.token}/{PHONE}")
    served.get(f"/{one.token}/nothing.cfg")
    served.get(f"/{one.token}")
    served.get(f"/{one.token[:-1]}/{PHONE}")
    text = capfd.readouterr().out
    assert one.token[:-1] not in text
    assert PASSWORD.reveal() not in text
    assert text.replace("\n", "").isprintable()
    assert text.isascii()


@pytest.mark.parametrize(
    "path",
    [
        "/", "/{other}", "/{token}", "/{token}/", "/{token}/../window", "/{token}/%2e%2e/key", "x",
        "/{token}/key", "/{token}//etc/passwd", "/{token}/..%2fkey.cfg", "/../{token}/key",
        "/{token}/{phone}/",
        "/{token}/{phone}?x", "/{token}/x/{phone}", "/{other}/{phone}", "/{TOKEN}/{phone}",
        "/{token}/\udc80.cfg", "/{token}/" + "a" * 60000, "/{token}///{phone}",
        "/{token}/64167f000002-endpoint.cfg", "/{token}/001565123457.cfg",
    ],
)  # fmt: skip
def test_anything_else_hears_nothing_and_uses_nothing_up(served: Served, path: str) -> None:
    one, _ = served.guests
    full = (
        path.replace("{token}", one.token)
        .replace("{TOKEN}", one.token.upper())
        .replace("{other}", window.token())
        .replace("{phone}", PHONE)
    )
    with served.trust.wrap_socket(
        socket.create_connection(("127.0.0.1", served.port), 5), server_hostname="127.0.0.1"
    ) as connection:
        connection.sendall(f"GET {full} HTTP/1.0\r\n\r\n".encode("utf-8", "surrogateescape"))
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert answer.startswith((b"HTTP/1.0 404 ", b"HTTP/1.0 400 ", b"HTTP/1.0 414 "))
    assert answer.endswith(b"\r\n\r\n")
    assert served.get(f"/{one.token}/{PHONE}")[0] == 200


def test_a_wrong_token_is_refused_and_logged(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    assert served.get(f"/{window.token()}/{PHONE}") == (404, "")
    (event,) = said(capfd)
    assert (event["event"], event["why"], event["node"], event["file"]) == ("refused", "wrong token", "", "")


def test_one_endpoints_token_opens_no_other_ones_file(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    _, two = served.guests
    assert served.get(f"/{two.token}/{PHONE}")[0] == 404
    (event,) = said(capfd)
    assert (event["why"], event["node"]) == ("no such file", "loc-ninh-vc2")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "POST", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_only_get_is_answered(served: Served, method: str, capfd: pytest.CaptureFixture[str]) -> None:
    one, _ = served.guests
    assert served.get(f"/{one.token}/{PHONE}", method)[0] in {405, 501}
    assert said(capfd)[0]["event"] == "refused"
    assert served.get(f"/{one.token}/{PHONE}")[0] == 200


def test_a_window_that_is_over_hands_nothing_out(
    program: ModuleType, tmp_path: Path, authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    served = Served(program, tmp_path, authority, seconds=-1)
    try:
        assert served.get(f"/{served.guests[0].token}/{PHONE}")[0] == 404
    finally:
        served.end()
    assert said(capfd)[0]["why"] == "the window is over"


def test_another_network_is_cut_off_before_tls(
    program: ModuleType, tmp_path: Path, authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    served = Served(program, tmp_path, authority)
    try:
        with pytest.raises((ssl.SSLError, OSError)):
            served.get(f"/{served.guests[0].token}/{PHONE}", source="127.0.1.7")
    finally:
        served.end()
    (event,) = said(capfd)
    assert (event["event"], event["source"], event["why"]) == ("refused", "127.0.1.7", "another network")


def test_another_ethernet_address_is_refused(
    program: ModuleType, tmp_path: Path, authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "arp"
    head = "IP address       HW type     Flags       HW address            Mask     Device\n"
    table.write_text(f"{head}127.0.0.1  0x1  0x2  52:54:00:00:00:99  *  vlan30\n", encoding="ascii")
    served = Served(program, tmp_path, authority, neighbours=str(table))
    try:
        path = f"/{served.guests[0].token}/{PHONE}"
        assert served.get(path)[0] == 404
        table.write_text(f"{head}127.0.0.1  0x1  0x2  {MAC.upper()}  *  vlan30\n", encoding="ascii")
        assert served.get(path)[0] == 200
    finally:
        served.end()
    told = said(capfd)
    assert [event["why"] for event in told] == ["another Ethernet address", ""]


def test_nothing_without_tls(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    one, _ = served.guests
    with socket.create_connection(("127.0.0.1", served.port), 5) as connection:
        connection.sendall(f"GET /{one.token}/{PHONE} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        try:
            while part := connection.recv(4096):
                answer += part
        except ConnectionResetError:
            pass
    assert b"HTTP/" not in answer
    assert PASSWORD.reveal().encode() not in answer
    assert served.get(f"/{one.token}/{PHONE}")[0] == 200
    assert said(capfd)[0]["why"].startswith("no TLS")


def test_old_tls_is_refused(served: Served) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(socket.create_connection(("127.0.0.1", served.port), 5))


def test_a_client_that_says_nothing_holds_up_nobody(served: Served) -> None:
    silent = [socket.create_connection(("127.0.0.1", served.port), 5) for _ in range(5)]
    began = time.monotonic()
    assert served.get(f"/{served.guests[0].token}/{PHONE}")[0] == 200
    assert time.monotonic() - began < 3
    for one in silent:
        one.close()


def test_who_guesses_is_not_listened_to_any_more(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        served.get(f"/{window.token()}/{PHONE}", source="127.0.0.9")
    with pytest.raises((ssl.SSLError, OSError)):
        served.get(f"/{served.guests[0].token}/{PHONE}", source="127.0.0.9")
    assert len(said(capfd)) == 20
    assert served.get(f"/{served.guests[0].token}/{PHONE}")[0] == 200


class Slow(set[Any]):
    """Between the look and the taking there is time for another."""

    def __contains__(self, item: object) -> bool:
        found = super().__contains__(item)
        time.sleep(0.05)
        return found


def test_two_at_once_get_one_file(served: Served) -> None:
    path = f"/{served.guests[0].token}/{PHONE}"
    served.server.window.waiting = Slow(served.server.window.waiting)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(served.get(path)[0])) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert sorted(found) == [200, *[404] * 5]


def test_the_program_ends_by_itself_when_its_time_is_over(
    program: ModuleType, tmp_path: Path, authority: Authority
) -> None:
    Served(program, tmp_path, authority, seconds=1).end()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(TEMPLATES / "ztp" / "server.py"), str(tmp_path / "window")],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 10
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event["event"], event["why"]) for event in events] == [
        ("opened", "loc-ninh-vc, loc-ninh-vc2"),
        ("closed", "by time"),
    ]


# -- on the node --------------------------------------------------------------------------------------------


def test_what_the_server_is_told_holds_no_token() -> None:
    guest = Guest(told("yealink"), Files({}, {PHONE: "x"}), window.token())
    room = province().sites["loc-ninh"].segments["conference"]
    node = province().nodes["loc-ninh-gw-wan"]
    opened = Window("loc-ninh", Place(node, room, room.gateway, room.interface), (guest,), 2_000_000_000)
    text = window.told(opened)
    assert guest.token not in text
    assert json.loads(text)["source"] == "10.0.42.0/24"
    assert guest.url(opened.address, opened.port) == f"https://10.0.42.1:8443/{guest.token}/"
    assert guest.token not in repr(opened)
    assert PASSWORD.reveal() not in repr(Guest(told("poly"), files(told("poly"), PASSWORD, TEMPLATES), "x"))


def test_secrets_go_to_the_node_by_standard_input_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], str]] = []

    def run(command: list[str], *, input: str, **_: object) -> subprocess.CompletedProcess[str]:
        seen.append((command, input))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    from lienthong.model.words import Target
    from lienthong.target import Access

    access = Access(Target.LIVE, ROOT, "lienthong", "netadm", Path("/k"), Path("/h"), {}, Path("/s"))
    guest = Guest(told("yealink"), files(told("yealink"), PASSWORD, TEMPLATES), window.token())
    room = province().sites["loc-ninh"].segments["conference"]
    node = province().nodes["loc-ninh-gw-wan"]
    opened = Window(
        "loc-ninh", Place(node, room, room.gateway, room.interface), (guest,), int(time.time()) + 600
    )
    remote.open_(access, opened, "certificate\n", TEMPLATES)
    ((command, stdin),) = seen
    import base64

    placed = {line.split()[0]: base64.b64decode(line.split()[1]).decode() for line in stdin.splitlines()}
    assert next(iter(placed)) == "/run/lienthong-ztp/shut.sh"
    assert PASSWORD.reveal() in placed["/run/lienthong-ztp/window"]
    text = " ".join(command)
    assert "systemctl start" in text
    for secret in (PASSWORD.reveal(), guest.token, *stdin.split()[1::2]):
        assert secret not in text
    assert (
        'iifname "vlan30" ip saddr 10.0.42.0/24 ip daddr 10.0.42.1 tcp dport 8443'
        in placed["/run/lienthong-ztp/open.nft"]
    )
    seconds = int(re.findall(r"RuntimeMaxSec=(\d+)", placed["/run/systemd/system/lienthong-ztp.service"])[0])
    assert 620 <= seconds <= 630
    assert not [path for path in placed if path.startswith("/etc/") and path != "/etc/nftables.d/70-ztp.nft"]


def test_the_journal_of_a_node_is_read_as_hostile() -> None:
    assert remote._event(
        '{"event": "granted", "at": 1, "node": "x", "why": "' + "y" * 500 + '"}'
    ) == remote.Event("granted", 1, node="x", why="y" * 100)
    for line in ("", "Started lienthong-ztp.service", "[]", '{"at": 1}', '{"event": "x", "at": "y"}', "{"):
        assert remote._event(line) is None


def test_of_what_a_node_says_the_line_with_the_reason_is_told() -> None:
    nft = "/etc/nftables.d/x.nft:1:4-4: Error: syntax error\nbad\n   ^\n"
    assert remote._reason(nft) == "/etc/nftables.d/x.nft:1:4-4: Error: syntax error"
    assert remote._reason("one\n\x1b[2Jtwo\n") == "·[2Jtwo"
    assert remote._reason(" \n") == "no reason given"
    assert len(remote._reason("error" * 100)) == 300


def test_scripts_are_shell(tmp_path: Path) -> None:
    for name, script in {
        "key": remote._KEY,
        "open": remote._OPEN,
        "close": remote._CLOSE,
        "s": remote._STATUS,
    }.items():
        path = tmp_path / name
        path.write_text(script, encoding="utf-8")
        assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0, name
    assert subprocess.run(["sh", "-n", str(TEMPLATES / "ztp" / "shut.sh")], check=False).returncode == 0

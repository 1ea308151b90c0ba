"""The issuing service and the renewal, as they are, with each other over TLS: who gets a certificate."""

from __future__ import annotations

import importlib.util
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
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
from lienthong.hosts.certificates import Authority, sign, why_new
from lienthong.hosts.deploying import render
from lienthong.hosts.issuing import believed, sign_issuing
from lienthong.inventory import load
from lienthong.model.intent import Node
from lienthong.model.secret import Secret
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.secrets.authority import certificate, new_key

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "templates" / "hosts" / "ca"
NOW = datetime.now(UTC)
LOOPBACK = [IPv4Network("127.0.0.0/8")]
Key = ec.EllipticCurvePrivateKey


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ca_{name}", PROGRAMS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pem_of(key: Key) -> bytes:
    form = serialization
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def request(key: Key, name: str = "any") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return asked.public_bytes(serialization.Encoding.PEM).decode()


def root_of(side: Side = Side.WAN) -> Authority:
    pem = new_key()
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Authority(x509.load_pem_x509_certificate(certificate(Secret(pem), side, "p", NOW).encode()), key)


@pytest.fixture(scope="module")
def node() -> Node:
    found = build(load(ROOT / "inventory")).nodes["loc-ninh-srv"]
    return replace(found, address=IPv4Address("127.0.0.1"))


class Ground:
    """One issuing service on loopback and one system that renews there."""

    def __init__(self, folder: Path, node: Node) -> None:
        self.node, self.root, self.key = node, root_of(), ec.generate_private_key(ec.SECP256R1())
        self.serve, self.renew = program("serve"), program("renew")
        self.conf, self.state, self.pki, self.owned = (folder / n for n in ("conf", "state", "pki", "owned"))
        for path in (self.conf, self.state, self.pki, self.owned):
            path.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        domain = node.fqdn.split(".", 2)[2]
        self.issuing = sign_issuing(request(key), "svc", domain, LOOPBACK, self.root, NOW)
        (self.conf / "issuing.key").write_bytes(pem_of(key))
        (self.conf / "issuing.crt").write_text(self.issuing)
        where = {
            "certificate": self.conf / "issuing.crt",
            "key": self.conf / "issuing.key",
            "state": self.state,
        }
        (self.conf / "openssl.cnf").write_text(render("ca/openssl.cnf.j2", **where))
        (self.pki / "ca.crt").write_text(self.root.pem + self.issuing)
        (self.pki / "issuing.crt").write_text(self.issuing)
        self.put(sign(request(self.key), node, self.root, NOW))
        self.serve.CONF, self.serve.PKI, self.serve.STATE = self.conf, self.pki, self.state  # type: ignore[attr-defined]
        self.renew.CERTIFICATE, self.renew.KEY = self.pki / "node.crt", self.pki / "node.key"  # type: ignore[attr-defined]
        self.renew.AUTHORITY, self.renew.PKI = self.pki / "ca.crt", self.pki  # type: ignore[attr-defined]
        self.renew.OWNED = self.owned  # type: ignore[attr-defined]
        (self.state / "index.txt").touch()
        (self.state / "issued").mkdir()
        self.say()

    def put(self, pem: str, key: Key | None = None) -> None:
        (self.pki / "node.key").write_bytes(pem_of(key or self.key))
        (self.pki / "node.crt").write_text(pem)

    def say(self, life_s: int = 3600, **more: Any) -> None:
        """What the service is told: by default that the node may renew."""
        node = {
            "fqdn": self.node.fqdn,
            "names": [self.node.fqdn, "app.x.wan." + self.domain],
            "address": "127.0.0.1",
        }
        said = {"life_s": life_s, "revoked": [], "nodes": {self.node.name: node}, **more}
        (self.conf / "job.json").write_text(json.dumps(said))

    @property
    def domain(self) -> str:
        return self.node.fqdn.split(".", 3)[3]

    def ask(self, port: int) -> x509.Certificate:
        """As lienthong-renew does it; what is in place afterwards."""
        conf = {"name": self.node.name, "fqdn": self.node.fqdn, "server": "127.0.0.1", "port": str(port)}
        self.renew.put(self.renew.ask(conf), conf)
        return x509.load_pem_x509_certificate((self.pki / "node.crt").read_bytes())

    def refused(self, port: int) -> str:
        before = (self.pki / "node.crt").read_bytes()
        with pytest.raises(self.renew.Failed) as caught:
            self.ask(port)
        assert (self.pki / "node.crt").read_bytes() == before
        return str(caught.value)


@pytest.fixture
def ground(tmp_path: Path, node: Node) -> Ground:
    return Ground(tmp_path, node)


@pytest.fixture
def port(ground: Ground) -> Iterator[int]:
    server = ground.serve.Server(("127.0.0.1", 0), ground.serve.Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_system_gets_a_new_certificate_for_its_key_and_its_names(
    ground: Ground, port: int, node: Node
) -> None:
    new = ground.ask(port)
    assert new.public_key() == ground.key.public_key()
    names = new.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert node.fqdn in names.get_values_for_type(x509.DNSName)
    assert new.not_valid_after_utc - datetime.now(UTC) <= timedelta(seconds=3600)
    new.verify_directly_issued_by(x509.load_pem_x509_certificate(ground.issuing.encode()))
    assert len((ground.state / "index.txt").read_text().splitlines()) == 1
    assert ground.ask(port).serial_number != new.serial_number, "a renewed one renews again"


def test_who_believes_the_root_only_believes_a_renewed_one_too(ground: Ground, port: int) -> None:
    """Clients of time and browsers are given the root; what a server shows must lead there."""
    ground.ask(port)
    root, shown = ground.pki / "root.crt", ground.pki / "node.crt"
    root.write_text(ground.root.pem)
    words = ["openssl", "verify", "-x509_strict", "-CAfile", str(root), "-untrusted", str(shown), str(shown)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_apply_is_content_with_what_the_issuing_authority_gave(ground: Ground, port: int) -> None:
    node = replace(ground.node, names=("app.x.wan." + ground.domain,))
    ground.say(life_s=86400)
    ground.ask(port)
    pem = (ground.pki / "node.crt").read_text()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    mine = ground.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    assert why_new(pem, mine, node, ground.root, datetime.now(UTC), ground.issuing) == ""
    assert why_new(pem, mine, node, ground.root, datetime.now(UTC)) == "another authority"


def test_a_retired_system_gets_none(ground: Ground, port: int) -> None:
    ground.say(nodes={})
    assert "is not in the inventory" in ground.refused(port)


def test_a_revoked_key_gets_none(ground: Ground, port: int) -> None:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = ground.key.public_key().public_bytes(serialization.Encoding.DER, form)
    ground.say(revoked=[sha256(der).hexdigest()])
    assert "is revoked" in ground.refused(port)


def test_a_name_that_passed_to_another_is_not_renewed(ground: Ground, port: int) -> None:
    ground.say(nodes={ground.node.name: {"fqdn": "other.wan.x", "names": [], "address": "127.0.0.1"}})
    assert "another name" in ground.refused(port)


def test_names_of_the_request_are_not_believed(ground: Ground, port: int) -> None:
    answer = ground.renew.ask(
        {"name": "tinh-uy-svc-wan", "fqdn": "", "server": "127.0.0.1", "port": str(port)}
    )
    got = x509.load_pem_x509_certificate(answer)
    assert got.subject.rfc4514_string() == f"CN={ground.node.name}"


def test_another_key_is_not_certified(ground: Ground) -> None:
    with pytest.raises(ground.serve.Refused, match="another key"):
        shown = {
            "subject": ((("commonName", ground.node.name),),),
            "subjectAltName": (("DNS", ground.node.fqdn),),
        }
        mine = x509.load_pem_x509_certificate((ground.pki / "node.crt").read_bytes())
        other = request(ec.generate_private_key(ec.SECP256R1()))
        asked = x509.load_pem_x509_csr(other.encode()).public_bytes(serialization.Encoding.DER)
        said = json.loads((ground.conf / "job.json").read_text())
        ground.serve.admitted(shown, mine.public_bytes(serialization.Encoding.DER), asked, said)


@pytest.mark.parametrize("what", ["another side", "expired", "none"])
def test_without_a_valid_certificate_of_the_side_nobody_is_heard(
    ground: Ground, port: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "another side":
        ground.put(sign(request(ground.key), ground.node, root_of(Side.NET), NOW))
    elif what == "expired":
        ground.put(sign(request(ground.key), ground.node, ground.root, NOW - timedelta(days=40)))
    elif what == "none":
        context = ssl.create_default_context(cafile=str(ground.pki / "ca.crt"))
        monkeypatch.setattr(context, "load_cert_chain", lambda *_: None)
        monkeypatch.setattr(ground.renew.ssl, "create_default_context", lambda **_: context)
    said = ground.refused(port)
    assert "127.0.0.1" in said and "refuses with" not in said, "TLS itself ends it, before a word is read"
    assert (ground.state / "index.txt").read_text() == ""


def test_rubbish_is_answered_and_the_service_goes_on(ground: Ground, port: int) -> None:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", str(ground.pki / "ca.crt"),
               "--cert", str(ground.pki / "node.crt"), "--key", str(ground.pki / "node.key")]  # fmt: skip
    base = f"https://127.0.0.1:{port}"
    path = "/.well-known/est/simplereenroll"
    for words, status in (
        (["--data", "AAAA", base + path], "403"),
        (["--data", "A" * 9000, base + path], "404"),
        (["--data", "AAAA", base + "/other"], "404"),
        ([base + path], "501"),
    ):
        assert subprocess.run([*command, *words], capture_output=True, text=True).stdout == status, words
    ground.ask(port)


def test_renewal_begins_when_two_thirds_of_the_life_are_over(ground: Ground) -> None:
    begin, end = ground.renew.dates(ground.pki / "node.crt")
    assert not ground.renew.due(begin + (end - begin) * 0.66)
    assert ground.renew.due(begin + (end - begin) * 0.67)
    with pytest.raises(ground.renew.Failed, match="expired"):
        ground.renew.due(end)


def test_an_answer_for_another_name_or_key_is_not_put_in_place(ground: Ground, node: Node) -> None:
    before = (ground.pki / "node.crt").read_bytes()
    other = ec.generate_private_key(ec.SECP256R1())
    strange = sign(request(other), node, ground.root, NOW)
    elsewhere = sign(request(ground.key), replace(node, fqdn="x.wan.y", names=()), ground.root, NOW)
    of_others = sign(request(ground.key), node, root_of(), NOW)
    for pem in (strange, elsewhere, of_others, "rubbish"):
        with pytest.raises(ground.renew.Failed):
            ground.renew.put(pem.encode(), {"fqdn": node.fqdn})
        assert (ground.pki / "node.crt").read_bytes() == before


def test_who_keeps_the_certificate_is_told_by_the_notes_of_deploys(ground: Ground) -> None:
    (ground.owned / "app").write_text("file /etc/nginx/nginx.conf\nuses nginx.service reload\n")
    (ground.owned / "logs").write_text("uses rsyslog.service restart\n")
    assert ground.renew.users() == [("reload", "nginx.service"), ("restart", "rsyslog.service")]


def test_an_issuing_authority_speaks_for_its_side_only(node: Node, tmp_path: Path) -> None:
    root, key = root_of(), ec.generate_private_key(ec.SECP256R1())
    pem = sign_issuing(request(key), "svc", "net.other", LOOPBACK, root, NOW)
    wrong = Authority(x509.load_pem_x509_certificate(pem.encode()), key)
    (tmp_path / "ca").write_text(root.pem + pem)
    (tmp_path / "leaf").write_text(sign(request(key), node, wrong, NOW))
    said = subprocess.run(
        ["openssl", "verify", "-CAfile", tmp_path / "ca", tmp_path / "leaf"], capture_output=True, text=True
    )
    assert "permitted subtree violation" in said.stderr + said.stdout


def test_which_issuing_authority_is_believed() -> None:
    root, key = root_of(), ec.generate_private_key(ec.SECP256R1())
    pem = sign_issuing(request(key), "svc", "wan.x", LOOPBACK, root, NOW)
    assert believed(root.pem + pem, root, NOW) == pem
    assert believed(root.pem, root, NOW) == ""
    assert believed("rubbish", root, NOW) == ""
    assert believed(pem, root_of(), NOW) == ""
    assert believed(pem, root, NOW + timedelta(days=300)) == "", "it is made anew in time"


def test_a_root_that_may_not_certify_authorities_says_so() -> None:
    root, key = root_of(), ec.generate_private_key(ec.SECP256R1())
    old = (
        x509.CertificateBuilder()
        .subject_name(root.certificate.subject)
        .issuer_name(root.certificate.subject)
        .public_key(root.key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root.key, hashes.SHA256())
    )
    with pytest.raises(LienThongError, match="no other authority"):
        sign_issuing(request(key), "svc", "wan.x", LOOPBACK, Authority(old, root.key), NOW)

"""Signs a node's certificate with its side's authority, and says when a node needs a new one.

The private key never leaves the node: what comes here is a request, of which only the public key is
believed; names come from the plan.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.model.secret import SecretRef, SecretStore
from lienthong.model.words import Side, Target
from lienthong.target import Access, lab_dir

#: What renews itself (service `ca`) needs no longer one; where nothing renews, each apply does.
LIFE = timedelta(days=30)
#: Clocks of nodes may be a little behind.
SKEW = timedelta(hours=1)


@dataclass(frozen=True)
class Authority:
    """The certificate authority of one side."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def authority_file(access: Access, side: Side) -> Path:
    """Where the controller keeps the certificate of a side's authority."""
    if access.target is Target.LAB:
        return lab_dir(access.root) / "pki" / side / "ca.crt"
    folder = os.environ.get("LIENTHONG_PKI")
    return (Path(folder) if folder else access.root / "inventory" / "pki") / side / "ca.crt"


def authority(access: Access, side: Side, store: SecretStore) -> Authority:
    """The authority of a side; its key lies beside its certificate or is the secret `pki/<side>`.

    Raises:
        LienThongError: certificate or key is missing or unreadable.
    """
    path = authority_file(access, side)
    key_file = path.with_suffix(".key")
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if key_file.exists():
            pem = key_file.read_bytes()
        else:
            pem = store.get(SecretRef(f"pki/{side}")).reveal().encode()
        key = serialization.load_pem_private_key(pem, password=None)
    except (OSError, ValueError) as error:
        raise LienThongError(
            f"{path}: the authority of side {side} cannot be used: {type(error).__name__}",
            hint="lienthong lab up makes one; live, put it under inventory/pki or set LIENTHONG_PKI",
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise LienThongError(f"{path}: the authority's key must be an elliptic curve key")
    return Authority(certificate, key)


def central_authority(access: Access, side: Side) -> str:
    """PEM of the authority that signs Central's collector on this side.

    Raises:
        LienThongError: nobody has put it there.
    """
    if access.target is Target.LAB:
        path = lab_dir(access.root) / "central" / side / "ca.crt"
    else:
        path = access.root / "inventory" / "pki" / f"central-{side}.crt"
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise LienThongError(
            f"{path}: {error.strerror}", hint="the certificate of Central's authority belongs there"
        ) from None


def why_new(found: str, public_key: str, node: Node, by: Authority, now: datetime, issuing: str = "") -> str:
    """Why the node needs a new certificate; empty when the one it has (PEM) will do.

    Args:
        issuing: the side's issuing authority (PEM), whose certificates are as good; empty when there is none.
    """
    if not public_key:
        return "no key"
    try:
        certificate = x509.load_pem_x509_certificate(found.encode())
        key = serialization.load_pem_public_key(public_key.encode())
    except ValueError:
        return "no certificate"
    if certificate.public_key() != key:
        return "another key"
    issuers = [by.certificate, *([x509.load_pem_x509_certificate(issuing.encode())] if issuing else [])]
    if not any(_issued(certificate, issuer) for issuer in issuers):
        return "another authority"
    if _names(certificate) != _wanted(node):
        return "another name"
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begin or end - now < (end - begin) / 3:
        return "less than a third of its life is left"
    return ""


def sign(request: str, node: Node, by: Authority, now: datetime) -> str:
    """The certificate (PEM) for the key of a request (PEM).

    Raises:
        LienThongError: that is no request, or it is not signed by its own key.
    """
    try:
        asked = x509.load_pem_x509_csr(request.encode())
    except ValueError:
        raise LienThongError(f"{node.name}: sent no certificate request") from None
    if not asked.is_signature_valid:
        raise LienThongError(f"{node.name}: its request is not signed by its own key")
    public = asked.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise LienThongError(f"{node.name}: its key is not an elliptic curve key")
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted({node.fqdn, *node.names})]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node.name)]))
        .issuer_name(by.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([*names, x509.IPAddress(node.address)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
        .sign(by.key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def utc_now() -> datetime:
    """The clock of the controller."""
    return datetime.now(UTC)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _wanted(node: Node) -> set[str]:
    return {node.fqdn, *node.names, str(node.address)}


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = found.get_values_for_type(x509.IPAddress)
    return {*found.get_values_for_type(x509.DNSName), *map(str, addresses)}

"""The issuing authority of a side: a second key, on one host, that the side's root has certified.

The root signs it at apply and stays with the controller; systems believe both, so that no server has to send
a chain. It can only speak for names and addresses of its side (RFC 5280, 4.2.1.10).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import IPv4Network

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lienthong.errors import LienThongError
from lienthong.hosts.certificates import SKEW, Authority

LIFE = timedelta(days=366)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?")

#: What a certificate says that its key is for, RFC 5280, 4.2.1.3.
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def sign_issuing(
    request: str, name: str, domain: str, networks: Iterable[IPv4Network], by: Authority, now: datetime
) -> str:
    """The certificate (PEM) of the issuing authority for the key of a request (PEM).

    Args:
        name: of the host where the key lies.
        domain: every name it may speak for ends so.
        networks: every address it may speak for lies there.

    Raises:
        LienThongError: that is no request signed by its own elliptic curve key, or the root may not certify
            another authority.
    """
    try:
        asked = x509.load_pem_x509_csr(request.encode())
        public = asked.public_key()
    except ValueError:
        raise LienThongError(f"{name}: sent no certificate request") from None
    if not asked.is_signature_valid or not isinstance(public, ec.EllipticCurvePublicKey):
        raise LienThongError(f"{name}: its request is not signed by an elliptic curve key of its own")
    if may_certify(by.certificate) is False:
        raise LienThongError(
            f"the authority of {name}'s side may certify no other authority (its path length is 0)",
            hint="make the authority a new certificate, or take the service `ca` out of the inventory",
        )
    usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    allowed: list[x509.GeneralName] = [
        x509.DNSName(domain),
        *(x509.IPAddress(net) for net in sorted(networks)),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} issuing authority")]))
        .issuer_name(by.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(min(now + LIFE, by.certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.NameConstraints(allowed, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
        .sign(by.key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def may_certify(root: x509.Certificate) -> bool:
    """Whether a root may have another authority under it."""
    length = root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    return length is None or length > 0


def believed(bundle: str, by: Authority, now: datetime) -> str:
    """Of some certificates (PEM, one after the other) the first that is an issuing authority of this root.

    Returns:
        PEM with a newline at its end; empty when none is, or less than a third of its life is left.
    """
    for pem in map(str, _PEM.findall(bundle)):
        try:
            found = x509.load_pem_x509_certificate(pem.encode())
            basic = found.extensions.get_extension_for_class(x509.BasicConstraints).value
            if found.subject == by.certificate.subject:
                continue
            found.verify_directly_issued_by(by.certificate)
        except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            continue
        begin, end = found.not_valid_before_utc, found.not_valid_after_utc
        if basic.ca and begin <= now and end - now >= (end - begin) / 3:
            return pem.rstrip("\n") + "\n"
    return ""

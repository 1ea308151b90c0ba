"""The key of a side's certificate authority, and the certificate that goes with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from lienthong.model.secret import Secret
from lienthong.model.words import Side

LIFE = timedelta(days=3650)
#: Clocks of nodes may be a little behind.
SKEW = timedelta(days=1)


def new_key() -> str:
    """A new P-256 key (PEM, PKCS 8)."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()


def is_key(value: str) -> bool:
    """Whether that is an elliptic curve key (PEM) that needs no password."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return isinstance(load_pem_private_key(value.encode(), password=None), ec.EllipticCurvePrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def belongs(certificate_pem: bytes, key_pem: Secret) -> bool:
    """Whether a certificate (PEM) is of that key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certified = x509.load_pem_x509_certificate(certificate_pem).public_key()
    except ValueError:
        return False
    return certified == load_pem_private_key(key_pem.reveal().encode(), password=None).public_key()


def certificate(key_pem: Secret, side: Side, province: str, now: datetime) -> str:
    """A certificate (PEM) of that key for the authority of a side: ten years, one more authority under it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = serialization.load_pem_private_key(key_pem.reveal().encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{province} {side} authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()

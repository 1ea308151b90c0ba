"""Who signs and who opens: `inventory/bundle.signers`, `inventory/bundle.recipients`, and the private halves.

Signatures are `ssh-keygen -Y`, as those of plans are: the private half may lie on a token, be locked by a
passphrase or in an agent, and never comes into this process. The signers' file has ssh-keygen's own form, and
the principal is the stream (`tinh-uy/net-wan namespaces="lienthong-bundle" ssh-ed25519 AAAA…`), so a key
signs only the streams that its line names. The recipients' file has a line for each stream: `STREAM age1…`.
"""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import tempfile
from pathlib import Path

from lienthong.bundle.header import RECIPIENT
from lienthong.bundle.words import BundleRefused, Reason, Stream, stream
from lienthong.errors import LienThongError, Unreachable

NAMESPACE = "lienthong-bundle"
SIGNERS = "inventory/bundle.signers"
RECIPIENTS = "inventory/bundle.recipients"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def recipients(root: Path) -> dict[Stream, str]:
    """The age recipient of every stream.

    Raises:
        LienThongError: the file is missing or a line of it is wrong.
    """
    path, found = root / RECIPIENTS, {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise LienThongError(
            f"{RECIPIENTS} cannot be read: nobody may receive",
            hint="a line a stream: SITE/net-wan age1…, as age-keygen -y FILE prints it",
        ) from None
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not RECIPIENT.fullmatch(words[1]):
            raise LienThongError(f"{RECIPIENTS}:{number}: a stream and its age recipient are expected")
        way = stream(words[0])
        if way in found:
            raise LienThongError(f"{RECIPIENTS}:{number}: {way} stands there twice")
        found[way] = words[1]
    return found


def recipient(root: Path, way: Stream) -> str:
    """The age recipient of one stream.

    Raises:
        BundleRefused: it has none.
    """
    try:
        return recipients(root)[way]
    except KeyError:
        raise BundleRefused(
            Reason.STREAM, f"{way} is no stream of this province", hint=f"streams stand in {RECIPIENTS}"
        ) from None


def private(path: Path, root: Path, what: str) -> Path:
    """Refuse a private half that others can read or that lies in the checkout.

    Raises:
        LienThongError: saying which.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise LienThongError(f"{what} {path}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise LienThongError(f"{what} {path} is no file")
    if found.st_mode & 0o077 or found.st_uid not in {os.geteuid(), 0}:
        raise LienThongError(f"{what} {path} can be read by others", hint=f"chown and chmod 600 {path}")
    # Neither by its name nor by where a link leads; `..` is no part of a name.
    named = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps `..`, resolve() follows links
    if named.is_relative_to(root.resolve()) or path.resolve().is_relative_to(root.resolve()):
        raise LienThongError(f"{what} {path} must not lie inside the checkout")
    return path


def own_recipients(identity: Path) -> set[str]:
    """The public halves of a file of age identities.

    Raises:
        LienThongError: it holds none that age can read.
    """
    done = _run("age-keygen", "-y", str(identity))
    found = {line for line in done.stdout.decode("ascii", "replace").split() if RECIPIENT.fullmatch(line)}
    if done.returncode or not found:
        raise LienThongError(f"{identity} is no file of age identities", hint="make one: age-keygen -o FILE")
    return found


def sign(key: Path, message: bytes) -> bytes:
    """An SSHSIG blob over the message; asks for a passphrase or a touch, if the key wants it.

    Raises:
        LienThongError: the key does not sign.
    """
    done = _run("ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), message=message)
    lines = done.stdout.decode("ascii", "replace").split("\n")
    if done.returncode or lines[0] != _BEGIN or _END not in lines:
        raise LienThongError(
            f"{key} does not sign: {_last(done.stderr)}", hint="ssh-keygen -t ed25519 -f FILE"
        )
    return base64.b64decode("".join(lines[1 : lines.index(_END)]), validate=True)


def verify(root: Path, way: Stream, message: bytes, blob: bytes) -> str:
    """Who signed the message for that stream: the fingerprint of the key.

    Raises:
        BundleRefused: nobody who may, or the signature was altered.
        LienThongError: there is no file of signers.
    """
    signers = root / SIGNERS
    if not signers.is_file():
        raise LienThongError(
            f"{SIGNERS} is not there: nobody may sign",
            hint=f'a line a key: SITE/net-wan namespaces="{NAMESPACE}" ssh-ed25519 AAAA…',
        )
    armoured = f"{_BEGIN}\n{base64.encodebytes(blob).decode()}{_END}\n"
    with tempfile.NamedTemporaryFile("w", encoding="ascii", prefix="lienthong-", suffix=".sig") as file:
        file.write(armoured)
        file.flush()
        form = ("-n", NAMESPACE, "-s", file.name)
        if _run("ssh-keygen", "-Y", "check-novalidate", *form, message=message).returncode:
            raise BundleRefused(
                Reason.SIGNATURE, "its signature does not fit its header: altered, damaged or not a bundle's"
            )
        good = _run("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", str(way), *form, message=message)
    if good.returncode:
        raise BundleRefused(
            Reason.SIGNER,
            f"its key may not sign for {way}: unknown, of another stream, or no longer valid",
            hint=f"who may sign stands in {SIGNERS}",
        )
    # "Good "lienthong-bundle" signature for … with ED25519 key SHA256:…"
    return good.stdout.decode("ascii", "replace").rstrip().rpartition(" ")[2]


def _run(*words: str, message: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(words, input=message, capture_output=True, check=False)
    except FileNotFoundError:
        raise Unreachable(
            f"{words[0]} is not on this machine", hint="apt-get install age openssh-client"
        ) from None


def _last(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"

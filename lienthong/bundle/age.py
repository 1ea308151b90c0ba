"""A stream through Debian's `age`: encrypted to a recipient, or opened with an identity, in bounded memory.

age seals 64 KiB at a time (ChaCha20-Poly1305, the STREAM construction) and gives out only what it has
authenticated; a stream that ends early is an error. Keys reach it as a public recipient or a file's name.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path

from lienthong.bundle.words import BundleRefused, Reason
from lienthong.errors import Unreachable

BLOCK = 1 << 20


def sealed(recipient: str, plain: Iterable[bytes], *others: str) -> Generator[bytes]:
    """The ciphertext of blocks, which each of the recipients can open.

    Raises:
        Unreachable: age is not on this machine.
        BundleRefused: age failed.
    """
    to = [word for one in (recipient, *others) for word in ("--recipient", one)]
    return _through(("age", "--encrypt", *to), plain)


def opened(identity: Path, cipher: Iterable[bytes]) -> Generator[bytes]:
    """The plaintext of blocks, each authenticated; complete only when the iterator has ended by itself.

    Raises:
        BundleRefused: no identity opens it, or it is not what was sealed.
    """
    return _through(("age", "--decrypt", "--identity", str(identity)), cipher)


def _through(words: tuple[str, ...], blocks: Iterable[bytes]) -> Generator[bytes]:
    failed: list[BaseException] = []
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        except FileNotFoundError:
            raise Unreachable("age is not on this machine", hint="apt-get install age") from None
        assert process.stdin is not None and process.stdout is not None

        def feed() -> None:
            assert process.stdin is not None
            try:
                for block in blocks:
                    process.stdin.write(block)
            except BrokenPipeError:
                pass  # age has given up and says why itself
            except BaseException as error:  # noqa: BLE001 - told by the thread that waits for this one
                failed.append(error)
                process.kill()  # half of a source must not look like a whole one
            finally:
                with suppress(BrokenPipeError):
                    process.stdin.close()

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        try:
            while block := process.stdout.read(BLOCK):
                yield block
            process.wait()
            feeder.join()
        finally:
            process.kill()
            process.wait()
            feeder.join()
            process.stdout.close()
        if failed:
            raise failed[0]
        if process.returncode:
            said.seek(0)
            raise _refused(said.read(4000).decode("utf-8", "replace"))


def _refused(said: str) -> BundleRefused:
    if "no identity matched" in said:
        return BundleRefused(Reason.RECIPIENT, "it is sealed to another key than this side's")
    line = said.strip().splitlines()[0] if said.strip() else "age ended without a word"
    return BundleRefused(Reason.CONTENT, f"it cannot be opened: {line}")

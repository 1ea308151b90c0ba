"""Both sides of a site in folders: keys, a checkout, memories; bundles made between them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from lienthong.bundle import keys, seal, take
from lienthong.bundle.chain import Link
from lienthong.bundle.judge import introduce, opened
from lienthong.bundle.take import Imported, Looked, Side
from lienthong.bundle.words import Content, Stream

WAY = Stream("tinh-uy", "net-wan")
BACK = Stream("tinh-uy", "wan-net")
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@cache
def made_keys() -> Path:
    """Signing keys `net`, `wan`, `stranger`; identities `wan.age`, `net.age`, `other.age`."""
    folder = Path(mkdtemp(prefix="lienthong-bundle-keys-"))
    for name in ("net", "wan", "stranger"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    for name in ("wan.age", "net.age", "other.age"):
        subprocess.run(["age-keygen", "-o", str(folder / name)], check=True, capture_output=True)
    return folder


def public(name: str) -> str:
    return " ".join((made_keys() / f"{name}.pub").read_text().split()[:2])


def recipient(name: str) -> str:
    (found,) = keys.own_recipients(made_keys() / name)
    return found


@dataclass
class Sides:
    """A checkout and the memories of both sides under one folder."""

    base: Path

    def __post_init__(self) -> None:
        inventory = self.root / "inventory"
        (inventory / "sites").mkdir(parents=True)
        (inventory / "sites" / "tinh-uy.yaml").touch()
        signers = f'{WAY} namespaces="lienthong-bundle" {public("net")}\n'
        signers += f'{BACK} namespaces="lienthong-bundle" {public("wan")}\n'
        (self.root / keys.SIGNERS).write_text(signers)
        (self.root / keys.RECIPIENTS).write_text(
            f"# who opens\n{WAY} {recipient('wan.age')}\n{BACK} {recipient('net.age')}\n"
        )
        self.into.mkdir()
        self.files()

    @property
    def root(self) -> Path:
        return self.base / "checkout"

    @property
    def into(self) -> Path:
        return self.base / "into"

    @property
    def source(self) -> Path:
        return self.base / "source"

    @property
    def out_state(self) -> Path:
        return self.base / "state-net"

    @property
    def in_state(self) -> Path:
        return self.base / "state-wan"

    def files(self, **more: str) -> None:
        (self.source / "công văn").mkdir(parents=True, exist_ok=True)
        (self.source / "công văn" / "số 1.txt").write_text("nội dung")
        (self.source / "rỗng").write_text("")
        for name, text in more.items():
            (self.source / name).write_text(text)

    def export(
        self,
        way: Stream = WAY,
        content: Content = Content.DOCUMENTS,
        key: str = "net",
        state: Path | None = None,
        now: datetime = NOW,
        days: int = 7,
        after: Link | None = None,
    ) -> seal.Exported:
        return seal.export(
            self.source,
            way,
            content,
            root=self.root,
            key=made_keys() / key,
            state=state or self.out_state,
            now=now,
            valid=timedelta(days=days),
            say=lambda _: None,
            after=after,
        )

    def side(self, now: datetime = NOW, identity: str = "wan.age", own: str | None = None) -> Side:
        return Side(self.root, self.in_state, made_keys() / identity, own, now, lambda _: None)

    def take(self, path: Path, side: Side | None = None, after: Link | None = None) -> Imported:
        return take.take(path, self.into, side or self.side(), after=after)

    def verify(self, path: Path, side: Side | None = None) -> Looked:
        side = side or self.side()
        with opened(path) as file:
            return take.verify(file, introduce(file, side.root), side)

    def tree(self) -> dict[str, bytes]:
        """Everything under `into`."""
        return {
            str(path.relative_to(self.into)): path.read_bytes() if path.is_file() else b"/"
            for path in sorted(self.into.rglob("*"))
        }


__all__ = ["BACK", "NOW", "WAY", "Sides", "made_keys", "public", "recipient"]

"""The words of a bundle: its stream, what it may hold, and every reason for which it is refused. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from lienthong.errors import LienThongError, Refused
from lienthong.model.words import Side

_STREAM = re.compile(r"([a-z0-9][a-z0-9-]{0,62})/(net-wan|wan-net)")


class Content(StrEnum):
    """What a bundle is said to hold."""

    DOCUMENTS = "documents"
    PACKAGES = "packages"
    INVENTORY = "inventory"


class Reason(StrEnum):
    """Why a bundle is not taken."""

    NO_BUNDLE = "no-bundle"
    FUTURE_FORMAT = "future-format"
    TRUNCATED = "truncated"
    TRAILING = "trailing-bytes"
    HEADER = "altered-header"
    SIGNATURE = "altered-signature"
    BODY = "altered-body"
    SIGNER = "unknown-signer"
    RECIPIENT = "wrong-recipient"
    STREAM = "other-stream"
    DIRECTION = "wrong-direction"
    STALE = "stale"
    CLOCK = "clock"
    REPLAYED = "replayed"
    ORDER = "out-of-order"
    FORKED = "forked"
    CONTENT = "bad-content"
    TOO_LARGE = "too-large"


class BundleRefused(Refused):
    """A bundle is not taken, for a reason that has a name; nothing was imported."""

    def __init__(self, reason: Reason, what: str, *, hint: str = "") -> None:
        super().__init__(f"{reason}: {what}", hint=hint)
        self.reason = reason


@dataclass(frozen=True, order=True)
class Stream:
    """One way across at one site, e.g. `tinh-uy/net-wan`."""

    site: str
    way: str

    def __str__(self) -> str:
        return f"{self.site}/{self.way}"

    @property
    def start(self) -> Side:
        """The side that exports."""
        return Side(self.way[:3])

    @property
    def end(self) -> Side:
        """The side that imports."""
        return Side(self.way[-3:])

    @property
    def flat(self) -> str:
        """The stream as a part of a file's name."""
        return f"{self.site}-{self.way}"

    def name(self, sequence: int) -> str:
        """What a bundle of this stream is called, without its suffix."""
        return f"{self.flat}-{sequence}"


def stream(text: str) -> Stream:
    """The stream of that name.

    Raises:
        LienThongError: it is none.
    """
    found = _STREAM.fullmatch(text)
    if not found:
        raise LienThongError(
            f"{text!r} is no stream", hint="SITE/net-wan or SITE/wan-net, e.g. tinh-uy/net-wan"
        )
    return Stream(found[1], found[2])


def permitted(way: Stream, content: Content) -> None:
    """Refuse what may not go that way: documents leave the closed side never.

    Raises:
        BundleRefused: it may not.
    """
    if content is Content.DOCUMENTS and way.start is Side.WAN:
        raise BundleRefused(
            Reason.DIRECTION,
            f"documents go from the Internet side to the closed side only, not by {way}",
            hint="there is no switch for that",
        )


def own_side(way: Side, doing: str, own: str | None) -> None:
    """Refuse what belongs to the other side's controller.

    Args:
        way: the side that may do it.
        doing: `export` or `import`.
        own: `LIENTHONG_SIDE`; None where it was not said.

    Raises:
        BundleRefused: this controller is of the other side.
    """
    if own is not None and own != way:
        raise BundleRefused(
            Reason.DIRECTION, f"this controller is of side {own}, and side {way} does the {doing}"
        )

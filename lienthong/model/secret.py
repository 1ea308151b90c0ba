"""A secret is a type: it can be named and handed on, never formatted, logged, compared or stored.

`SecretRef` names a secret; a `SecretStore` turns the name into a `Secret` at the transport and
nowhere before; `Secret.reveal()` is the only way to the value, so that every use can be found.
"""

from __future__ import annotations

import hmac
import re
from typing import NoReturn, Protocol, Self, final

_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]*")


class SecretRef(str):
    """The name of a secret, `family/owner`. Safe to print; says nothing about the value.

    Raises:
        ValueError: what is named so could not stand in a line (`<secret NAME>`).
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        if not _NAME.fullmatch(name):
            raise ValueError(
                "the name of a secret is of small letters, digits and `. _ / -`, e.g. ospf/loc-ninh"
            )
        return super().__new__(cls, name)


@final
class Secret:
    """A value that refuses to be seen by accident.

    The value is not an attribute, not even a hidden one: what walks over attributes or slots
    (`inspect.getmembers`, `"{0._value}".format`, serialisers) meets a function.
    """

    __slots__ = ("_tell",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a secret is made of a text, not of {type(value).__name__}")
        object.__setattr__(self, "_tell", lambda: value)

    def reveal(self) -> str:
        """The value. Call it only where it leaves for the device it belongs to."""
        value: str = object.__getattribute__(self, "_tell")()
        return value

    def matches(self, other: str) -> bool:
        """Compare without telling where the difference is."""
        mine, theirs = (text.encode("utf-8", "surrogatepass") for text in (self.reveal(), other))
        return hmac.compare_digest(mine, theirs)

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("a secret cannot be printed, compared, pickled or stored")

    def __init_subclass__(cls, **_: object) -> NoReturn:
        raise TypeError("a secret has no kinds: a subclass could show what this class hides")

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = _refuse
    __format__ = _refuse
    __bytes__ = _refuse
    __eq__ = _refuse
    __ne__ = _refuse
    __lt__ = _refuse
    __le__ = _refuse
    __gt__ = _refuse
    __ge__ = _refuse
    __hash__ = _refuse
    __bool__ = _refuse
    __len__ = _refuse
    __iter__ = _refuse
    __contains__ = _refuse
    __getitem__ = _refuse
    __add__ = _refuse
    __radd__ = _refuse
    __copy__ = _refuse
    __deepcopy__ = _refuse
    __reduce__ = _refuse
    __reduce_ex__ = _refuse
    __getstate__ = _refuse
    __setstate__ = _refuse
    __setattr__ = _refuse
    __delattr__ = _refuse


class SecretStore(Protocol):
    """Where secrets come from: the lab makes its own, live reads the vault."""

    def get(self, ref: SecretRef) -> Secret:
        """The secret of that name.

        Raises:
            lienthong.errors.LienThongError: there is none.
        """
        ...


class KeyStore(SecretStore, Protocol):
    """A store that also tells public halves, which are no secret, without opening the private ones."""

    def public(self, ref: SecretRef) -> str:
        """The public half (base64) of a WireGuard key.

        Raises:
            lienthong.errors.LienThongError: it is not known here.
        """
        ...

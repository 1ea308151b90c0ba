"""A secret is a type: it can be named and handed on, never formatted, logged, compared or stored.

`SecretRef` names a secret; a `SecretStore` turns the name into a `Secret` at the transport and
nowhere before; `Secret.reveal()` is the only way to the value, so that every use can be found.
"""

from __future__ import annotations

import hmac
from typing import NoReturn, Protocol


class SecretRef(str):
    """The name of a secret. Safe to print; says nothing about the value."""

    __slots__ = ()


class Secret:
    """A value that refuses to be seen by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        """The value. Call it only where it leaves for the device it belongs to."""
        value: str = object.__getattribute__(self, "_value")
        return value

    def matches(self, other: str) -> bool:
        """Compare without telling where the difference is."""
        return hmac.compare_digest(self.reveal().encode(), other.encode())

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("a secret cannot be printed, compared, pickled or stored")

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = _refuse
    __format__ = _refuse
    __eq__ = _refuse
    __hash__ = _refuse
    __reduce__ = _refuse
    __getstate__ = _refuse
    __iter__ = _refuse
    __len__ = _refuse
    __add__ = _refuse
    __setattr__ = _refuse
    __bytes__ = _refuse


class SecretStore(Protocol):
    """Where secrets come from: the lab makes its own, live reads the vault."""

    def get(self, ref: SecretRef) -> Secret:
        """The secret of that name.

        Raises:
            lienthong.errors.LienThongError: there is none.
        """
        ...

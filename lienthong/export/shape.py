"""What NetBox 4 asks of each object of its bulk import: a table, with where it was read.

Read from NetBox's own source (github.com/netbox-community/netbox), the import forms of v4.4 to v4.6
`netbox/{tenancy,dcim,ipam,circuits}/forms/bulk_import.py` for fields, which are required and by what they
refer to others; `netbox/{dcim,ipam,circuits}/choices.py` for choices; the models for lengths. A field that
a form derives from a model with a default is still required of a file. NetBox itself does not run here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SLUG = re.compile(r"[-a-zA-Z0-9_]+")
COLOUR = re.compile(r"[0-9a-f]{6}")
#: ipam/validators.py: DNSValidator.
DNS = re.compile(r"([0-9A-Za-z_-]+|\*)(\.[0-9A-Za-z_-]+)*\.?")

STATUS_SITE = frozenset({"planned", "staging", "active", "decommissioning", "retired"})
STATUS_DEVICE = frozenset(
    {"offline", "active", "planned", "staged", "failed", "inventory", "decommissioning"}
)
STATUS_PREFIX = frozenset({"container", "active", "reserved", "deprecated"})
STATUS_ADDRESS = frozenset({"active", "reserved", "deprecated", "dhcp", "slaac"})
STATUS_VLAN = frozenset({"active", "reserved", "deprecated"})
STATUS_CIRCUIT = frozenset(
    {"planned", "provisioning", "active", "offline", "deprovisioning", "decommissioned"}
)
STATUS_LINK = frozenset({"connected", "planned", "decommissioning"})
ROLE_ADDRESS = frozenset({"loopback", "secondary", "anycast", "vip", "vrrp", "hsrp", "glbp", "carp"})
#: Of many: the ones used here. A medium that the inventory does not know is `other`, which takes a cable.
INTERFACE = frozenset({"virtual", "bridge", "other"})
MODE = frozenset({"access", "tagged", "tagged-all", "q-in-q"})


@dataclass(frozen=True)
class Refers:
    """A field that names an object of another kind: their field → mine, enough to find exactly one."""

    kind: str
    by: Mapping[str, str]
    many: bool = False
    """Several of them with commas; `by` then ends with the field that is a list."""


@dataclass(frozen=True)
class Field:
    """What is asked of one field, and where its value comes from."""

    source: str
    required: bool = False
    limit: int | None = None
    choices: frozenset[str] | None = None
    pattern: re.Pattern[str] | None = None
    number: tuple[int, int] | None = None
    boolean: bool = False
    refers: Refers | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of object."""

    name: str
    path: str
    """where its import form is: `/<path>/import/`; the REST endpoint is `/api/<path>/`"""
    form: str
    """the form that was read"""
    keys: tuple[tuple[str, ...], ...]
    """sets of fields that no two objects share"""
    fields: Mapping[str, Field]
    last: tuple[str, ...] = ()
    """Booleans that only some objects have; those come last, since false takes away what true set."""
    by_id: bool = False
    """NetBox takes a number that it gave itself, so a program has to fill that in"""


def named(kind: str, mine: str) -> Refers:
    """A reference by name."""
    return Refers(kind, {"name": mine})


def text(source: str, limit: int = 100, required: bool = False) -> Field:
    """A text of at most so many characters."""
    return Field(source, required, limit)


def slug(source: str) -> Field:
    """A slug, as Django checks it."""
    return Field(source, True, 100, pattern=SLUG)


def ref(source: str, kind: str, mine: str, required: bool = False) -> Field:
    """A reference by name."""
    return Field(source, required, refers=named(kind, mine))


def one_of(source: str, choices: frozenset[str], required: bool = True) -> Field:
    """A choice by its value."""
    return Field(source, required, choices=choices)

"""Holds an export against the table: what NetBox would refuse is said here first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lienthong.export.kinds import KINDS
from lienthong.export.shape import Field, Kind, Refers

Value = str | int | bool
Record = Mapping[str, Value]
#: Objects by kind, each kind in the order in which its objects must be created.
Objects = Mapping[str, Sequence[Record]]


def problems(objects: Objects) -> list[str]:
    """Everything NetBox would refuse; each with the kind, the object and the field."""
    found: list[str] = []
    seen: dict[tuple[str, tuple[str, ...]], set[tuple[tuple[str, Value], ...]]] = {}
    wanted = {
        (f.refers.kind, tuple(sorted(f.refers.by))) for k in KINDS for f in k.fields.values() if f.refers
    }
    for kind in KINDS:
        taken: dict[tuple[str, ...], set[tuple[Value, ...]]] = {keys: set() for keys in kind.keys}
        for record in objects.get(kind.name, ()):
            label = f"{kind.name} {_label(kind, record)}"
            found += (f"{label}: {what}" for what in _record(kind, record))
            for name, field in kind.fields.items():
                if field.refers is not None and name in record:
                    found += (f"{label}: {name}: {what}" for what in _reference(field.refers, record, seen))
            for keys, known in taken.items():
                if all(key in record for key in keys):
                    mine = tuple(_folded(record[key]) for key in keys)
                    if mine in known:
                        found.append(f"{label}: another has {', '.join(keys)} {mine} already")
                    known.add(mine)
            for target, by in wanted:
                if target == kind.name:
                    index = tuple((key, record[key]) for key in by if key in record)
                    seen.setdefault((target, by), set()).add(index)
    return [*found, *(f"{name}: no such kind" for name in objects if name not in {k.name for k in KINDS})]


def _label(kind: Kind, record: Record) -> str:
    return "/".join(str(record.get(key, "?")) for key in kind.keys[0])


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _record(kind: Kind, record: Record) -> Iterator[str]:
    for name in record:
        if name not in kind.fields:
            yield f"{name} is no field of {kind.form}"
    for name, field in kind.fields.items():
        if name in record:
            yield from (f"{name}: {what}" for what in _field(field, record[name]))
        elif field.required:
            yield f"{name} is required"
        elif field.boolean and name not in kind.last:
            yield f"{name} is missing, and an empty cell of a table says false"


def _field(field: Field, value: Value) -> Iterator[str]:
    if field.boolean or isinstance(value, bool):
        if not (field.boolean and isinstance(value, bool)):
            yield f"{value!r} and whether it is true or false do not go together"
        return
    if field.number is not None:
        if not isinstance(value, int) or not field.number[0] <= value <= field.number[1]:
            yield f"{value!r} is not within {field.number}"
    elif isinstance(value, str):
        if not value:
            yield "is empty"
        if field.limit is not None and len(value) > field.limit:
            yield f"has {len(value)} characters, {field.limit} fit"
        if field.choices is not None and value not in field.choices:
            yield f"{value!r} is none of {', '.join(sorted(field.choices))}"
        if field.pattern is not None and not field.pattern.fullmatch(value):
            yield f"{value!r} does not look like {field.pattern.pattern}"


def _reference(
    refers: Refers,
    record: Record,
    seen: Mapping[tuple[str, tuple[str, ...]], set[tuple[tuple[str, Value], ...]]],
) -> Iterator[str]:
    """A reference must find an object that stands before it in the order of import."""
    by = tuple(sorted(refers.by))
    known = seen.get((refers.kind, by), set())
    last = list(refers.by)[-1]
    mine = record.get(refers.by[last])
    several: list[Value] = [int(part) for part in str(mine).split(",")] if refers.many else [mine or ""]
    for value in several:
        wanted = {theirs: record.get(own, "") for theirs, own in refers.by.items()} | {last: value}
        if tuple((key, wanted[key]) for key in by) not in known:
            yield f"no {refers.kind} with {wanted} before it"

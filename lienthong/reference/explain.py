"""Where a value of a site comes from: every layer that says something of it, and what is derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lienthong.errors import LienThongError
from lienthong.inventory.yamlfile import Document, Path_, read
from lienthong.model.intent import SitePlan
from lienthong.model.site import Site
from lienthong.reference.pages import default_of, type_name
from lienthong.services import discover


@dataclass(frozen=True)
class Said:
    """One layer's word on a path: `null` takes away what a lower layer said."""

    where: str
    value: Any


@dataclass(frozen=True)
class Leaf:
    """A single value at or below the path asked for, with every layer that speaks of it, lowest first."""

    path: str
    said: tuple[Said, ...]

    @property
    def value(self) -> Any:
        """What holds: the word of the last layer."""
        return self.said[-1].value


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of a path of a site."""

    path: str
    leaves: tuple[Leaf, ...]
    default: str
    kind: str
    meaning: str
    derived: tuple[tuple[str, str], ...]


def parse_path(text: str) -> Path_:
    """`devices.gw-wan.ports.e1` or `systems.meeting.reached_by.0` as a path."""
    return tuple(int(part) if part.isdecimal() else part for part in text.split(".") if part)


def explain(folder: Path, slug: str, text: str, plan: SitePlan | None = None) -> Explanation:
    """Everything that is known of a path of a site; `plan` adds what is derived.

    Raises:
        LienThongError: there is no such site, or nothing is known under that path.
        InventoryError: a file cannot be read.
    """
    path = parse_path(text)
    documents = _layers(folder, slug)
    model, field, name = _field(path)
    found: dict[Path_, tuple[Said, ...]] = {}
    for document, prefix in documents:
        value = _at(document.value, (*prefix, *path))
        for below, leaf in _leaves(value) if value is not _ABSENT else ():
            full = (*path, *below)
            found = _over(found, full, Said(document.where((*prefix, *full)), leaf))
    leaves = tuple(Leaf(".".join(map(str, at)), said) for at, said in found.items())
    if not leaves and field is None and model is None:
        raise LienThongError(f"{slug} has no {text}", hint=_hint(path, documents))
    return Explanation(
        path=text,
        leaves=leaves,
        default=default_of(field) if field else "–",
        kind=type_name(model, name, field) if field and model else "",
        meaning=(field.description or "") if field else (model.__doc__ or "").split("\n")[0] if model else "",
        derived=_derived(path, plan) if plan else (),
    )


def _layers(folder: Path, slug: str) -> list[tuple[Document, Path_]]:
    """The files that speak of a site, lowest first, each with the path under which they do."""
    file = folder / "sites" / f"{slug}.yaml"
    if not file.is_file():
        known = sorted(path.stem for path in (folder / "sites").glob("*.yaml"))
        close = get_close_matches(slug, known, 1)
        raise LienThongError(
            f"no site {slug!r} in the inventory",
            hint=f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}",
        )
    site = read(file, f"inventory/sites/{slug}.yaml")
    names = ["country.yaml", "province.yaml"]
    kind = site.value.get("kind") if isinstance(site.value, dict) else None
    if isinstance(kind, str) and (folder / "layers/kinds" / f"{kind}.yaml").is_file():
        names.append(f"kinds/{kind}.yaml")
    below = [(read(folder / "layers" / name, f"inventory/layers/{name}"), ("site",)) for name in names]
    return [*below, (site, ())]


_ABSENT = object()


def _at(value: Any, path: Path_) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, dict) and isinstance(part, int) and str(part) in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return _ABSENT
    return value


def _leaves(value: Any) -> list[tuple[Path_, Any]]:
    """Values that layers replace as a whole: scalars, lists, and empty mappings."""
    if isinstance(value, dict) and value:
        return [((key, *path), leaf) for key, item in value.items() for path, leaf in _leaves(item)]
    return [((), value)]


def _over(found: dict[Path_, tuple[Said, ...]], path: Path_, said: Said) -> dict[Path_, tuple[Said, ...]]:
    """One more word over those before: it ends what stood above its path, and unless it is `{}`, below it."""

    def ends(other: Path_) -> bool:
        above = len(other) < len(path) and path[: len(other)] == other
        below = len(other) > len(path) and other[: len(path)] == path and said.value != {}
        return above or below

    kept = {other: words for other, words in found.items() if not ends(other)}
    if said.value == {} and any(len(o) > len(path) and o[: len(path)] == path for o in kept):
        return kept  # an empty mapping adds nothing to keys that are there
    return {**kept, path: (*kept.get(path, ()), said)}


def _field(path: Path_) -> tuple[type[BaseModel] | None, FieldInfo | None, str]:
    """The model and field that a path leads to, as far as the models know it."""
    here: Any = Site
    owner: type[BaseModel] | None = None
    field: FieldInfo | None = None
    name = ""
    service = None
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            name = next((n for n, f in here.model_fields.items() if part in (n, f.alias)), "")
            if not name:
                return None, None, ""
            owner, field = here, here.model_fields[name]
            service = name == "runs"
            here = _strip(get_type_hints(here)[name])
        elif get_origin(here) is dict:
            known = discover().get(str(part)) if service else None
            here, service = (known.params if known else _strip(get_args(here)[1])), False
            owner, field, name = (here if isinstance(here, type) else owner), None, str(part)
        elif get_origin(here) is tuple:
            here = _strip(get_args(here)[0])
            owner, field, name = (here if isinstance(here, type) else owner), None, str(part)
        else:
            return None, None, ""
    return owner, field, name


def _strip(hint: Any) -> Any:
    """A hint without `| None`."""
    rest = [argument for argument in get_args(hint) if argument is not type(None)]
    return rest[0] if len(rest) == 1 and type(None) in get_args(hint) else hint


def _hint(path: Path_, documents: list[tuple[Document, Path_]]) -> str:
    """Names that are known beside the first part that is not."""
    for length in range(len(path)):
        known = sorted(
            {
                str(key)
                for document, prefix in documents
                for value in [_at(document.value, (*prefix, *path[:length]))]
                if isinstance(value, dict)
                for key in value
            }
        )
        if str(path[length]) not in known:
            model, _, _ = _field(path[:length])
            known += sorted(model.model_fields) if model else []
            close = get_close_matches(str(path[length]), known, 1)
            return f"did you mean {close[0]}?" if close else f"known here: {', '.join(dict.fromkeys(known))}"
    return ""


def _derived(path: Path_, plan: SitePlan) -> tuple[tuple[str, str], ...]:
    """What the plan makes of a segment, a line, a device or a host."""
    group, name = (str(path[0]), str(path[1])) if len(path) == 2 else ("", "")
    if group == "segments" and name in plan.segments:
        segment = plan.segments[name]
        first, last = segment.dhcp_range
        rows = [("VLAN", segment.vlan), ("prefix", segment.prefix), ("IPv6 prefix", segment.prefix6)]
        rows += [("gateway", segment.gateway)]
        rows += [("leases", f"{first} to {last}")] if segment.dhcp else []
    elif group == "uplinks":
        rows = [
            row
            for line in plan.uplinks
            if line.name == name
            for row in (("address", line.address), ("far end", line.peer), ("hand-off VLAN", line.vlan))
        ]
    elif group in {"devices", "hosts"} and f"{plan.site.slug}-{name}" in plan.nodes:
        node = plan.node(name)
        rows = [("node", node.name), ("address", node.address), ("IPv6 address", node.address6)]
        rows += [("DNS name", text) for text in (node.fqdn, *node.names)]
    else:
        rows = []
    return tuple((what, str(value)) for what, value in rows if value is not None)

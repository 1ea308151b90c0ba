"""The variables that the inventory gives a role, against the types that the role itself declares. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from lienthong.errors import Problem

SPECS = "meta/argument_specs.yml"
_TYPES: dict[str, type] = {"str": str, "int": int, "bool": bool, "list": list}


def mistakes(where: str, name: str, files: Mapping[str, bytes], given: Mapping[str, object]) -> list[Problem]:
    """What does not fit.

    Args:
        where: who gives the values, for the message.
        files: of the role, by path; judged before, so that they are plain YAML.
    """
    try:
        told: Any = yaml.safe_load(files[SPECS].decode("utf-8"))
        options = dict(told["argument_specs"]["main"].get("options") or {})
        specs = {str(option): dict(spec or {}) for option, spec in options.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return [
            Problem(
                f"roles/{name}/{SPECS}:1:1", "has no argument_specs.main", "Ansible: role argument validation"
            )
        ]
    return list(_mistakes(where, name, specs, given))


def _mistakes(
    where: str, name: str, specs: Mapping[str, Mapping[str, Any]], given: Mapping[str, object]
) -> Iterator[Problem]:
    for option, value in given.items():
        spec = specs.get(option)
        if spec is None:
            known = ", ".join(sorted(specs)) or "none"
            yield Problem(where, f"{name} has no variable {option}", f"it has: {known}")
            continue
        kind = str(spec.get("type", "str"))
        if not _fits(kind, value, str(spec.get("elements", "str"))):
            yield Problem(
                where,
                f"{name}: {option} is {value!r}, not of type {kind}",
                "as the role's argument_specs say",
            )
        elif spec.get("choices") and value not in spec["choices"]:
            choices = ", ".join(map(str, spec["choices"]))
            yield Problem(where, f"{name}: {option} is {value!r}", f"one of: {choices}")
    for option, spec in specs.items():
        if spec.get("required") is True and option not in given:
            yield Problem(where, f"{name}: {option} is needed", "give it under handed_over")


def _fits(kind: str, value: object, elements: str) -> bool:
    if kind == "list":
        return isinstance(value, list | tuple) and all(_fits(elements, item, "str") for item in value)
    wanted = _TYPES.get(kind)
    return wanted is not None and type(value) is wanted

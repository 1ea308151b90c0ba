"""One owner for each path: no file is written by two of Ansible, pyinfra and Netmiko."""

from __future__ import annotations

import ast
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def of_roles(folder: Path) -> set[str]:
    """Files (not folders) that the roles want."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("path"), str) and not value.get("directory"):
                found.add(value["path"])
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for path in folder.glob("*/vars/*.yml"):
        walk(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


def _text(node: ast.expr, names: dict[str, str]) -> str | None:
    """A string written out, by a module's constant, or as an f-string of these; unknown parts are `*`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.JoinedStr):
        parts = [
            _text(v.value if isinstance(v, ast.FormattedValue) else v, names) or "*" for v in node.values
        ]
        return "".join(parts)
    return None


def _constants(tree: ast.Module, names: dict[str, str]) -> dict[str, str]:
    """The strings that a module's top level gives names to, added to those it imports."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, names)
            if text is not None:
                names[node.targets[0].id] = text
    return names


def of_python(files: list[Path]) -> set[str]:
    """Paths given to `File(...)`, and the constants of a module that are paths."""
    found: set[str] = set()
    shared: dict[str, str] = {}
    for name in ("nodestate", "deploying"):
        text = (ROOT / "lienthong" / "hosts" / f"{name}.py").read_text(encoding="utf-8")
        shared = _constants(ast.parse(text), shared)
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = _constants(tree, dict(shared))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "File":
                written = _text(node.args[0], names) if node.args else None
                assert written is not None, f"{path.name}:{node.lineno}: a path this test cannot read"
                found.add(written)
        if path.parent.name == "undo":
            found |= {text for text in _constants(tree, {}).values() if text.startswith(("/etc/", "/usr/"))}
    return found


def owners(root: Path) -> dict[str, set[str]]:
    return {
        "Ansible": of_roles(root / "roles"),
        "pyinfra": of_python(sorted((root / "deploys").glob("*.py"))),
        "Netmiko": of_python(sorted((root / "lienthong" / "platforms" / "undo").glob("*.py"))),
    }


def claimed_twice(found: dict[str, set[str]]) -> list[str]:
    """Paths two owners claim; `*` of an f-string stands for anything but a slash."""
    wrong = []
    for (one, ones), (other, others) in combinations(found.items(), 2):
        for a in ones:
            for b in others:
                if _matches(a, b) or _matches(b, a):
                    wrong.append(f"{a}: {one} and {other}")
    return sorted(wrong)


def _matches(pattern: str, path: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]+"), path) is not None


def test_no_path_has_two_owners() -> None:
    found = owners(ROOT)
    assert claimed_twice(found) == []


def test_the_paths_are_really_seen() -> None:
    found = owners(ROOT)
    assert {
        "/etc/ssh/sshd_config.d/lienthong.conf",
        "/etc/chrony/chrony.conf",
        "/etc/nftables.conf",
    } <= found["Ansible"]
    assert {"/etc/nftables.d/50-policy.nft", "/etc/kamailio/kamailio.cfg"} <= found["pyinfra"]
    assert "/usr/local/sbin/lienthong-undo" in found["Netmiko"]


def test_a_second_owner_is_seen() -> None:
    found = owners(ROOT)
    found["pyinfra"].add("/etc/nftables.conf")
    found["Netmiko"].add("/etc/wireguard/wg-net.conf")
    assert claimed_twice(found) == [
        "/etc/nftables.conf: Ansible and pyinfra",
        "/etc/wireguard/*.conf: pyinfra and Netmiko",
    ]

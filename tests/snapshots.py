"""Snapshots of tiny packages made by the real tools, in folders of a test."""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from types import ModuleType

from lienthong.mirror.snapshot import repository
from lienthong.model.secret import Secret
from lienthong.secrets.openpgp import home, new_key

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "templates" / "hosts" / "mirror" / "mirror.py"
SUITE = "bookworm"


@cache
def key(name: str = "own") -> Secret:
    """A key that is the same for the whole run, by any name."""
    return Secret(new_key() if name else "")


def public(name: str = "own") -> str:
    with home(key(name)) as found:
        return found.public()


def architecture() -> str:
    done = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def deb(folder: Path, name: str, version: str = "1.0", depends: str = "") -> Path:
    """A package with one file."""
    tree = folder / f"{name}-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share" / name).mkdir(parents=True)
    (tree / "usr/share" / name / "says").write_text(f"{name} {version}\n")
    more = f"Depends: {depends}\n" if depends else ""
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.org>\n{more}"
        f"Section: misc\nPriority: optional\nDescription: a test\n"
    )
    made = folder / f"{name}_{version}_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(made)],
        check=True,
        capture_output=True,
    )
    return made


def snapshot(folder: Path, by: str = "own", version: str = "1.0") -> Path:
    """`one`, which needs `two`, and `three`."""
    built = folder.with_name(f"{folder.name}.debs")
    built.mkdir(parents=True)
    files = [deb(built, "one", version, "two"), deb(built, "two", version), deb(built, "three", version)]
    repository(folder, files, key(by), 30, architecture(), lambda _: None)
    return folder


def resigned(folder: Path, by: str = "own", **fields: str | None) -> Path:
    """Other fields in what is signed, e.g. `Date`, by whose hand one likes; None leaves a field out."""
    dists = folder / "dists" / SUITE
    text = (dists / "Release").read_text()
    for name, value in fields.items():
        line = f"{name.replace('_', '-')}: {value}\n" if value is not None else ""
        text, count = re.subn(rf"^{name.replace('_', '-')}: .*\n", line, text, flags=re.MULTILINE)
        assert count == 1, name
    with home(key(by)) as found:
        words = ["gpg", "--homedir", str(found.path), "--batch", "--clearsign"]
        done = subprocess.run(words, input=text.encode(), capture_output=True, check=True)
    (dists / "InRelease").write_bytes(done.stdout)
    return folder


def packed(folder: Path) -> io.BytesIO:
    """As `publish` sends it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("dists", "pool"):
            archive.add(folder / name, name)
    out.seek(0)
    return out


@cache
def program() -> ModuleType:
    """The program of a mirror as a module."""
    spec = importlib.util.spec_from_file_location("mirror_program", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

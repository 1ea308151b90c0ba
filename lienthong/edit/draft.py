"""Changes to several files of an inventory that are written together, or not at all."""

from __future__ import annotations

import difflib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lienthong.edit.splice import Edit, data_of, document_of, edited
from lienthong.edit.write import Value, new_file
from lienthong.errors import InventoryError, LienThongError, Problem
from lienthong.inventory import load
from lienthong.inventory.yamlfile import Document
from lienthong.model.intent import ProvincePlan
from lienthong.plan.build import build


class Draft:
    """A new state of an inventory folder. Names are relative to it, e.g. `sites/loc-ninh.yaml`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}

    def text(self, name: str) -> str | None:
        """What the file says in this draft; None: there is none."""
        if name not in self._before:
            path = self.folder / name
            if path.is_symlink():
                raise LienThongError(f"inventory/{name} is a link", hint="put the file itself there")
            self._before[name] = self._after[name] = path.read_bytes() if path.exists() else None
        raw = self._after[name]
        try:
            return None if raw is None else raw.decode("utf-8")
        except UnicodeDecodeError:
            raise InventoryError([Problem(f"inventory/{name}", "is not UTF-8")]) from None

    def data(self, name: str) -> Any:
        """What the strict reader makes of the file in this draft; None: there is none."""
        text = self.text(name)
        return None if text is None else data_of(text, f"inventory/{name}")

    def document(self, name: str) -> Document:
        """The file in this draft with the places of its values."""
        return document_of(self.text(name) or "", f"inventory/{name}")

    def edit(self, name: str, *edits: Edit) -> None:
        """Edit a file that is there.

        Raises:
            LienThongError: there is none, or the edit cannot be made.
        """
        text = self.text(name)
        if text is None:
            raise LienThongError(f"there is no inventory/{name}")
        self.replace(name, edited(text, edits, f"inventory/{name}"))

    def create(self, name: str, value: Mapping[str, Value]) -> None:
        """Write a file that is not there.

        Raises:
            LienThongError: it is.
        """
        if self.text(name) is not None:
            raise LienThongError(f"inventory/{name} is already there")
        self.replace(name, new_file(value))

    def replace(self, name: str, text: str) -> None:
        """The file says this."""
        self.text(name)
        self._after[name] = text.encode("utf-8")

    def delete(self, name: str) -> None:
        """The file goes."""
        self.text(name)
        self._after[name] = None

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the files that this draft makes, changes or takes away, sorted."""
        return tuple(name for name in sorted(self._after) if self._after[name] != self._before[name])

    def diff(self) -> str:
        """All changes as a unified diff; empty when there is none. Nothing in it steers a terminal."""
        found: list[str] = []
        for name in self.changed:
            old, new = (
                (raw or b"").decode("utf-8", "replace").splitlines()
                for raw in (self._before[name], self._after[name])
            )
            before = "/dev/null" if self._before[name] is None else f"a/inventory/{name}"
            after = "/dev/null" if self._after[name] is None else f"b/inventory/{name}"
            found += difflib.unified_diff(old, new, before, after, lineterm="")
        shown = ("".join(char if char.isprintable() else "·" for char in line) for line in found)
        return "".join(line + "\n" for line in shown)

    def check(self) -> ProvincePlan:
        """Load and plan a copy of the inventory with these changes: every rule, the plan too.

        Raises:
            InventoryError: with every problem of the result; nothing was written.
        """
        with tempfile.TemporaryDirectory(prefix="lienthong-edit-") as temporary:
            copy = Path(temporary) / "inventory"
            for part in ("sites", "layers"):
                shutil.copytree(self.folder / part, copy / part)
            for name in self.changed:
                raw, path = self._after[name], copy / name
                if raw is None:
                    path.unlink(missing_ok=True)
                else:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(raw)
            return build(load(copy))

    def commit(self) -> ProvincePlan:
        """Check, then write every file at once; after an error none of them is changed. The new plan.

        Raises:
            InventoryError: the result would not validate.
            LienThongError: a file was changed by somebody else meanwhile, or cannot be written.
        """
        plan = self.check()
        with self._lock():
            for name in self.changed:
                path = self.folder / name
                if (path.read_bytes() if path.is_file() else None) != self._before[name]:
                    raise LienThongError(
                        f"inventory/{name} was changed meanwhile", hint="nothing was written; start again"
                    )
            self._write()
        self._before = dict(self._after)
        return plan

    @contextmanager
    def _lock(self) -> Iterator[None]:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self) -> None:
        fresh: dict[str, Path] = {}
        done: list[str] = []
        try:
            for name in self.changed:
                raw = self._after[name]
                if raw is not None:
                    fresh[name] = self._beside(name, raw)
            for name in self.changed:
                done.append(name)
                if name in fresh:
                    fresh[name].replace(self.folder / name)
                else:
                    (self.folder / name).unlink()
        except OSError as error:
            for name in done:
                self._restore(name)
            raise LienThongError(
                f"{error.filename or self.folder}: cannot be written: {error.strerror}",
                hint="nothing was changed",
            ) from None
        finally:
            for path in fresh.values():
                path.unlink(missing_ok=True)

    def _beside(self, name: str, raw: bytes) -> Path:
        """A file in the same folder with the new bytes on disk and the old mode."""
        target = self.folder / name
        descriptor, path = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(path).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        return Path(path)

    def _restore(self, name: str) -> None:
        raw = self._before[name]
        if raw is None:
            (self.folder / name).unlink(missing_ok=True)
        else:
            self._beside(name, raw).replace(self.folder / name)

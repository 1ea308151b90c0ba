"""An export or import that is killed before any of its writes leaves the chain before it or with it."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lienthong.bundle import chain, unpack
from lienthong.bundle.chain import Chain, Role
from lienthong.bundle.words import BundleRefused
from lienthong.errors import LienThongError
from tests.bundling import WAY, Sides, made_keys

#: What changes a disk. The hook hears of each before it is done, so a kill at N is a kill after N - 1.
WRITES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime", "os.chmod", "shutil.rmtree"}


def killed_at(point: int, base: Path, act: Callable[[], object]) -> bool:
    """Run it in a process of its own that kills itself before its N-th write; whether it got so far."""
    child = os.fork()
    if child == 0:
        _die(point, base, act)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, f"it failed by itself at {point}"
    return False


def _die(point: int, base: Path, act: Callable[[], object]) -> NoReturn:
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, words: tuple[Any, ...]) -> None:
        if event in WRITES and words and str(words[0]).startswith(str(base)):
            step()

    real = os.fsync

    def fsync(handle: int) -> None:
        step()
        real(handle)

    code = 1
    try:
        os.fsync = fsync  # type: ignore[assignment]
        sys.addaudithook(hook)
        act()
        code = 0
    finally:
        os._exit(code)


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    made_keys()  # before any fork
    return Sides(tmp_path)


def points(
    make: Callable[[int], Sides], act: Callable[[Sides], object], after: Callable[[Sides], None]
) -> int:
    """Kill at every point there is; how many there were."""
    for point in range(1, 500):
        sides = make(point)
        more = killed_at(point, sides.base, lambda sides=sides: act(sides))  # type: ignore[misc]
        after(sides)
        if not more:
            return point - 1
    raise AssertionError("it does not end")


def test_an_export_that_is_killed(tmp_path: Path) -> None:
    made_keys()
    seen: set[int] = set()

    def make(point: int) -> Sides:
        (base := tmp_path / str(point)).mkdir()
        sides = Sides(base)
        sides.export()
        return sides

    def after(sides: Sides) -> None:
        link = Chain(sides.out_state, WAY, Role.EXPORT).read()
        assert link is not None and link.sequence in {1, 2}
        seen.add(link.sequence)
        made = sides.export()
        assert made.envelope.header.sequence == link.sequence + 1
        outbox = sides.out_state / "outbox"
        names = sorted(path.name for path in outbox.iterdir())
        assert names == [f"{WAY.name(number)}.ltb" for number in range(1, link.sequence + 2)]
        for name in names:
            sides.take(outbox / name)
        assert len(list(sides.into.iterdir())) == len(names)

    assert points(make, lambda sides: sides.export(), after) > 12
    assert seen == {1, 2}


def test_an_import_that_is_killed(tmp_path: Path) -> None:
    made_keys()
    seen: set[int] = set()
    whole: dict[str, bytes] = {}

    def make(point: int) -> Sides:
        (base := tmp_path / str(point)).mkdir()
        sides = Sides(base)
        sides.export()
        return sides

    def first(sides: Sides) -> Path:
        return sides.out_state / "outbox" / f"{WAY.name(1)}.ltb"

    def after(sides: Sides) -> None:
        link = Chain(sides.in_state, WAY, Role.IMPORT).read()
        seen.add(link.sequence if link else 0)
        place = sides.into / WAY.name(1)
        assert link is not None or not place.exists(), "visible, and not on record"
        if link is None:
            sides.take(first(sides))
        with pytest.raises(BundleRefused, match="replayed"):
            sides.take(first(sides))
        whole.update(whole or sides.tree())
        assert sides.tree() == whole and len(whole) == 4, "whole, in place, and nothing beside it"
        sides.take(sides.export().path)

    assert points(make, lambda sides: sides.take(first(sides)), after) > 15
    assert seen == {0, 1}


def test_ctrl_c_after_it_counts(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sides.export().path
    real = chain.Chain.write

    def write(self: Chain, link: chain.Link) -> None:
        real(self, link)
        if link.waiting:
            raise KeyboardInterrupt

    monkeypatch.setattr(chain.Chain, "write", write)
    with pytest.raises(KeyboardInterrupt):
        sides.take(path)
    monkeypatch.undo()
    assert next(iter(sides.tree())) == f".{WAY.name(1)}.part"
    with pytest.raises(BundleRefused, match="replayed"):
        sides.take(path)
    assert len(sides.tree()) == 4 and next(iter(sides.tree())) == WAY.name(1)


def test_what_was_removed_by_hand_is_said(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sides.export().path
    monkeypatch.setattr(chain.Chain, "settle", lambda self: self.read())
    sides.take(path)
    monkeypatch.undo()
    (part,) = sides.into.iterdir()
    part.rename(sides.base / "elsewhere")
    with pytest.raises(LienThongError, match="was removed before it was put in place"):
        sides.take(path)
    sides.take(sides.export().path)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_is_full_or_fails(sides: Sides, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    path = sides.export().path
    real = unpack._write

    def write(where: Path, *words: Any) -> None:
        if where.name == "rỗng":
            raise OSError(code, os.strerror(code))
        real(where, *words)

    monkeypatch.setattr(unpack, "_write", write)
    with pytest.raises(LienThongError, match=os.strerror(code)):
        sides.take(path)
    assert sides.tree() == {} and Chain(sides.in_state, WAY, Role.IMPORT).read() is None
    monkeypatch.undo()
    sides.take(path)


def test_what_a_killed_run_left_is_removed(sides: Sides) -> None:
    path = sides.export().path
    (sides.into / f".{WAY.name(1)}.part" / "old").mkdir(parents=True)
    sides.take(path)
    assert len(sides.tree()) == 4


def test_a_link_where_the_files_would_go(sides: Sides) -> None:
    path = sides.export().path
    elsewhere = sides.base / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (sides.into / f".{WAY.name(1)}.part").symlink_to(elsewhere)
    with pytest.raises(LienThongError):
        sides.take(path)
    assert [one.name for one in elsewhere.iterdir()] == ["kept"]

"""Bad inventories end in the exact message, with file, line, column and a hint.

A case is `cases/<name>.yaml`, put in place of `inventory/sites/loc-ninh.yaml`, or a folder `cases/<name>/`
whose files are laid over a copy of `inventory/`; `cases/<name>.txt` is what the user reads. A comment
`# today: 2026-11-23` in a case is the day on which it is read; without one the calendar is not looked at.
`LIENTHONG_UPDATE_GOLDENS=1 pytest tests/errors` writes the messages anew, for review as a diff.
"""

from __future__ import annotations

import os
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from lienthong.errors import InventoryError
from lienthong.inventory import load

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(p for p in (HERE / "cases").iterdir() if p.suffix != ".txt")
LEAST = 60
#: A place: file, line and column. Only what no file says (there is no office) has none.
PLACE = re.compile(r"inventory/(sites|layers)/[a-z/-]+\.yaml:[1-9][0-9]*:[1-9][0-9]*")
NOWHERE = {"no-office"}


def lay(case: Path, folder: Path) -> date | None:
    """Make `folder` the inventory of a case; the day on which it is to be read."""
    shutil.copytree(
        ROOT / "inventory", folder, ignore=shutil.ignore_patterns("*.py", "known_hosts", "__pycache__")
    )
    if case.is_dir():
        shutil.copytree(case, folder, dirs_exist_ok=True)
    else:
        shutil.copy(case, folder / "sites" / "loc-ninh.yaml")
    files = case.rglob("*.yaml") if case.is_dir() else [case]
    text = "".join(path.read_bytes().decode("utf-8", "replace") for path in files)
    said = re.search(r"^# today: (\S+)$", text, re.MULTILINE)
    return date.fromisoformat(said.group(1)) if said else None


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_message(case: Path, tmp_path: Path) -> None:
    today = lay(case, tmp_path / "inventory")
    with pytest.raises(InventoryError) as caught:
        load(tmp_path / "inventory", today)
    golden = case.with_suffix(".txt")
    if os.environ.get("LIENTHONG_UPDATE_GOLDENS") == "1":
        golden.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == golden.read_text(encoding="utf-8")
    for problem in caught.value.problems:
        assert PLACE.fullmatch(problem.where) or case.stem in NOWHERE, problem


def test_every_case_has_its_message() -> None:
    assert sorted(c.stem for c in CASES) == sorted(p.stem for p in (HERE / "cases").glob("*.txt"))
    assert len(CASES) >= LEAST


def test_all_errors_are_collected(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    shutil.copytree(ROOT / "inventory", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for slug in ("loc-ninh", "bu-dang"):
        path = folder / "sites" / f"{slug}.yaml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("kind: district", "kind: nowhere"), encoding="utf-8"
        )
    with pytest.raises(InventoryError) as caught:
        load(folder)
    assert {problem.where.split(":")[0] for problem in caught.value.problems} == {
        "inventory/sites/loc-ninh.yaml",
        "inventory/sites/bu-dang.yaml",
    }

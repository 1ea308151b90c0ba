"""Bad inventories end in the exact message, with file, line, column and a hint.

A case is `cases/<name>.yaml`, put in place of `inventory/sites/loc-ninh.yaml`; `cases/<name>.txt` is
what the user reads. `LIENTHONG_UPDATE_GOLDENS=1 pytest tests/errors` writes them anew, for review as a diff.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lienthong.errors import InventoryError
from lienthong.inventory import load
from lienthong.plan.build import build

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted((HERE / "cases").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_message(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    shutil.copytree(
        ROOT / "inventory", folder, ignore=shutil.ignore_patterns("*.py", "known_hosts", "__pycache__")
    )
    shutil.copy(case, folder / "sites" / "loc-ninh.yaml")
    with pytest.raises(InventoryError) as caught:
        build(load(folder))
    golden = case.with_suffix(".txt")
    if os.environ.get("LIENTHONG_UPDATE_GOLDENS") == "1":
        golden.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == golden.read_text(encoding="utf-8")


def test_every_case_has_its_message() -> None:
    assert [c.stem for c in CASES] == sorted(p.stem for p in (HERE / "cases").glob("*.txt"))
    assert len(CASES) >= 20


def test_the_inventory_itself_is_good() -> None:
    assert "loc-ninh" in build(load(ROOT / "inventory")).sites


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

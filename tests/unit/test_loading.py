"""A load leaves the process as it found it, and two readers of one inventory agree."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from lienthong.errors import InventoryError
from lienthong.inventory import load
from lienthong.inventory.corpus import files, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_left_as_it_was(tmp_path: Path, on: bool) -> None:
    before, frozen = gc.isenabled(), gc.get_freeze_count()
    try:
        (gc.enable if on else gc.disable)()
        load(ROOT / "inventory")
        assert gc.isenabled() is on
        with pytest.raises(InventoryError):
            load(tmp_path)
        assert gc.isenabled() is on
        assert gc.get_freeze_count() == frozen
    finally:
        (gc.enable if before else gc.disable)()


COLLECTED = """
import gc, sys
found = []
def note(phase, info):
    if "pydantic" in sys.modules and not hasattr(sys.modules["lienthong.inventory"], "Inventory"):
        found.append(phase)
gc.callbacks.append(note)
import lienthong.inventory
print(gc.isenabled(), len(found))
"""


def test_nothing_is_collected_while_the_models_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "0"]


def test_the_corpus_is_valid_and_the_same_for_a_seed(tmp_path: Path) -> None:
    write(tmp_path, 3, seed=5)
    inventory = load(tmp_path)
    assert [len(site.devices) + len(site.hosts) for site in inventory.sites.values()] == [30, 30, 30]
    assert dict(files(3, seed=5)) == dict(files(3, seed=5)) != dict(files(3, seed=6))
    lines = [text.count("\n") for name, text in files(3, seed=5) if name.startswith("sites/")]
    assert all(27 * 30 <= count <= 33 * 30 for count in lines)


def test_a_shared_layer_is_never_changed_by_a_site(tmp_path: Path) -> None:
    """Values that layers share are one object for all sites; what one site takes away, others keep."""
    write(tmp_path, 3)
    file = tmp_path / "sites" / "huyen-0001.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("  inet0:\n", "  tslcd-b: null\n  inet0:\n"), encoding="utf-8")
    inventory = load(tmp_path)
    assert "tslcd-b" not in inventory.sites["huyen-0001"].uplinks
    assert "tslcd-b" in inventory.sites["huyen-0002"].uplinks

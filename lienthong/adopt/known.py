"""What the inventory says, by its types alone: a device that is to be adopted may be what its rules miss."""

from __future__ import annotations

from pathlib import Path

from lienthong.inventory import read_province, site_files, typed
from lienthong.inventory.layers import Layers, Source
from lienthong.inventory.yamlfile import read_bytes
from lienthong.model.site import Inventory


def load_types(folder: Path) -> Inventory:
    """Every site under `folder`, layers merged, without the rules across values.

    Raises:
        InventoryError: a file that cannot be read, or a value of the wrong type.
    """
    layers = Layers(folder / "layers")
    sites = {}
    for file in site_files(folder):
        name = f"inventory/sites/{file.name}"
        sites[file.stem] = typed(Source(read_bytes(file, name), name), file.stem, layers)[0]
    return Inventory(province=read_province(layers), sites=sites)

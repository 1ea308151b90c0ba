"""From a live device to the entry that the inventory should have of it. Only `look.py` runs on the device."""

from __future__ import annotations

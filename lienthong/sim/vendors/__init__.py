"""Simulated devices of vendors, found by looking: every module or package here has `VENDOR`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from lienthong.errors import LienThongError
from lienthong.sim.box import Vendor


@cache
def discover() -> dict[str, Vendor]:
    """Every vendor, by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        vendor: Vendor = importlib.import_module(f"{__name__}.{info.name}").VENDOR
        found[vendor.name] = vendor
    return dict(sorted(found.items()))


def of_platform(platform: str) -> Vendor:
    """The simulated device of a platform.

    Raises:
        LienThongError: there is none.
    """
    for vendor in discover().values():
        if vendor.platform == platform:
            return vendor
    known = ", ".join(sorted(vendor.platform for vendor in discover().values()))
    raise LienThongError(f"no simulated device of platform {platform}", hint=f"there are: {known}")

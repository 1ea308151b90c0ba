"""Runs the checks of `checks/` over sites and gives back every finding."""

from __future__ import annotations

from lienthong.audit.catalogue import load as load_catalogue
from lienthong.audit.run import Progress, run

__all__ = ["Progress", "load_catalogue", "run"]

"""A database beside an application: on its own host only, dumped whenever the vault fetches that host."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lienthong.model.site import Model
from lienthong.services import Contribution, ServiceContext

NAME = "database"
#: Debian packages beyond the base of every system.
PACKAGES: tuple[str, ...] = ("postgresql", "mariadb-server")


class Params(Model):
    """Which engine; every database of it is kept."""

    engine: Literal["postgresql", "mariadb"] = Field(description="Debian's own version of it")


def contribute(ctx: ServiceContext) -> Contribution:
    """It listens on a socket of its host: no flow, no name."""
    return Contribution()

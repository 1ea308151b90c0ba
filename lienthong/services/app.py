"""An internal web application with documents, such as the paperless meeting room."""

from __future__ import annotations

from lienthong.model.site import Model
from lienthong.services import Contribution, ServiceContext

NAME = "app"


class Params(Model):
    """Nothing to say yet: it is reached as the matrix allows."""


def contribute(ctx: ServiceContext) -> Contribution:
    """The matrix opens 443 from users and servers; nothing is added."""
    return Contribution(names=("app",))

"""The district in a box: start it, look at it, break it."""

from lienthong.lab.commands import app

__all__ = ["app"]

"""What is true of a system now: collected in one round trip a host, parsed once, pure afterwards."""

from __future__ import annotations

from lienthong.facts.facts import Facts

__all__ = ["Facts"]

"""What became of one step on one node, whichever tool did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tool = Literal["ansible", "netmiko", "pyinfra"]
Outcome = Literal["changed", "unchanged", "failed", "unreachable", "skipped", "uncertain"]


@dataclass(frozen=True)
class StepResult:
    """The result of one step on one node. Holds no secret: it is shown and kept."""

    node: str
    step: str
    """What was applied, e.g. `baseline`, `lan`, `firewall`."""
    tool: Tool
    outcome: Outcome
    """`failed`: it is as it was, or as far as `detail` says; `uncertain`: what it holds could not be seen."""
    changes: tuple[str, ...] = ()
    """One readable line for each thing that changed, or would change."""
    seconds: float = 0.0
    detail: str = ""
    """Why it failed, or the difference that a plan shows."""
    change: dict[str, object] | None = None
    """Of gear: the whole change (:class:`lienthong.change.Change`), as data."""

    @property
    def good(self) -> bool:
        """The node is as intended after this step (or, planning, could be looked at)."""
        return self.outcome in {"changed", "unchanged"}

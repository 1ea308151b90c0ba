"""What the Netmiko scripts of `deploys/` are run with when they run alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from lienthong.errors import Exit, LienThongError
from lienthong.lab.namespace import enter
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.runners.netmiko import WINDOW_S, run
from lienthong.runners.result import StepResult
from lienthong.workspace import workspace


def main(about: str, mine: Callable[[Node], bool], argv: Sequence[str] | None = None) -> int:
    """Bring the devices of the named sites that are `mine` to their intent; returns an exit code."""
    asked = _arguments(about, argv)
    try:
        ws = workspace(target=asked.target)
        print(f"target {ws.access.target.value}", file=sys.stderr)
        plans = [ws.site(slug) for slug in asked.sites]
        devices = [node for plan in plans for node in plan.nodes.values() if node.device and mine(node)]
        devices.sort(key=lambda node: node.is_gateway)  # switches first: the gateways answer through them
        if ws.access.target is Target.LAB and not ws.access.simulated:
            enter(ws.root)
        results = run(
            ws.access, ws.secrets, ws.plan, devices, check=asked.check,
            progress=lambda text: print(text, file=sys.stderr, flush=True),
            allow=frozenset(asked.allow), window_s=asked.window, doubted=lambda _: True,
        )  # fmt: skip
    except LienThongError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return _show(results, asked.check)


def _arguments(about: str, argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("sites", nargs="+", metavar="SITE")
    parser.add_argument("--check", action="store_true", help="only say what would change")
    parser.add_argument("--target", choices=[target.value for target in Target])
    parser.add_argument("--allow", action="append", default=[], metavar="RULE@DEVICE",
                        help="override a refusal of the guard by its name")  # fmt: skip
    parser.add_argument("--window", type=int, default=WINDOW_S, metavar="SECONDS",
                        help="how long a device waits for the confirmation before it returns")  # fmt: skip
    return parser.parse_args(argv)


def _show(results: Sequence[StepResult], check: bool) -> int:
    for result in results:
        print(f"{result.node}: {result.outcome} ({result.seconds:.1f} s)")
        lines = [*result.changes, *([] if result.good else result.detail.splitlines())]
        for line in lines:
            print("  " + "".join(char if char.isprintable() else "·" for char in line))
    if not all(result.good for result in results):
        return int(Exit.UNREACHABLE)
    return int(Exit.FINDINGS if check and any(r.outcome == "changed" for r in results) else Exit.OK)

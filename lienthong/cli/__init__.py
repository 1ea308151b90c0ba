"""The command line: every module of this folder whose name does not begin with `_` is a verb.

A verb's module has either `command`, one typed function, or `app`, a typer group; its first line says
what it does and stands in the help. A verb is imported only when it is called. Data goes to stdout,
progress and the target's name to stderr. Exit codes: 0 reached or clean, 1 findings or differences,
2 bad input or refused, 3 unreachable, locked or partial, 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lienthong import __version__
from lienthong.errors import Exit, LienThongError, visible

_HERE = Path(__file__).parent


def verbs() -> dict[str, Path]:
    """The verbs by name, with their files, without importing any: `import_.py` is `import`."""
    found = {path.stem.rstrip("_").replace("_", "-"): path for path in sorted(_HERE.glob("[a-z]*.py"))}
    return dict(sorted(found.items()))


class _Verbs(TyperGroup):
    """Finds verbs by looking, so that a new one edits no existing file and a call imports only its own."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(verbs())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in self.commands:
            path = verbs().get(cmd_name)
            if path is None:
                # the names are what a misspelt verb is compared with
                self.commands = {**dict.fromkeys(verbs()), **self.commands}  # type: ignore[dict-item]
                return None
            self.add_command(_load(cmd_name, path.stem), cmd_name)
        return self.commands[cmd_name]


def _load(name: str, module_name: str) -> Any:
    module = importlib.import_module(f"{__name__}.{module_name}")
    group = getattr(module, "app", None)
    if group is None:
        group = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        group.command(name)(module.command)
    found = typer.main.get_command(group)
    found.name = name
    return found


app = typer.Typer(
    name="lienthong",
    cls=_Verbs,
    help="One typed inventory that provisions, audits and proves the networks of a province.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """One typed inventory that provisions, audits and proves the networks of a province."""


def main(run: Callable[[], Any] = app) -> None:
    """Entry point: no traceback reaches a user."""
    try:
        run()
    except LienThongError as error:
        # It may quote what a device or a stranger's server said.
        print("\n".join(map(visible, str(error).split("\n"))), file=sys.stderr)
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(int(Exit.INTERRUPTED))
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        print(
            f"this should not have happened: {type(error).__name__}: {visible(str(error))}", file=sys.stderr
        )
        print(f"hint: the details are in {_keep_traceback()}", file=sys.stderr)
        sys.exit(int(Exit.UNREACHABLE))


def _keep_traceback() -> Path:
    """Write the traceback of the current error to a file that only its owner reads."""
    handle, name = tempfile.mkstemp(prefix="lienthong-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exc(file=file)
    return Path(name)

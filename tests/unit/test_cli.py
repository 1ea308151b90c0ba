"""The command line finds its verbs by looking, and imports only the one that is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from lienthong.cli import app, verbs

ROOT = Path(__file__).resolve().parents[2]


def test_every_verb_is_listed_with_a_word_of_help() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    lines = {line.split()[0]: line.split()[1:] for line in text.split("Commands:")[1].splitlines() if line}
    for verb, path in verbs().items():
        assert lines[verb], verb
        assert path.read_text(encoding="utf-8").startswith('"""'), path


def test_every_verb_can_say_its_own_help() -> None:
    for verb in verbs():
        result = CliRunner().invoke(app, [verb, "--help"])
        assert result.exit_code == 0, (verb, result.output)


def test_a_misspelt_verb_is_answered_with_the_right_one() -> None:
    result = CliRunner().invoke(app, ["valdate"])
    assert result.exit_code == 2
    assert "validate" in result.output


def test_a_verb_imports_no_other() -> None:
    code = (
        "import sys; sys.argv = ['lienthong', 'validate']; import lienthong.cli as c; "
        "c.main(lambda: c.app(standalone_mode=False)); "
        "print([m for m in sys.modules if m.startswith('lienthong.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "lienthong.inventory" in done.stdout
    for name in ("lienthong.lab", "lienthong.provision", "lienthong.cli.plan"):
        assert name not in done.stdout

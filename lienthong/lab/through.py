"""Runs a command as root on a node that has a kernel of its own: through.py ssh OPTION... HOST -- COMMAND...

Started by nsenter inside the controller's namespace with `python3 -I -S`: it imports nothing of the engine. A
shell reads what ssh is given, so the words are quoted for it.
"""

import os
import shlex
import sys

if __name__ == "__main__":
    at = sys.argv.index("--")
    ssh, words = sys.argv[1:at], sys.argv[at + 1 :]
    terminal = ["-t"] if os.isatty(0) and os.isatty(1) else []
    os.execvp(ssh[0], [ssh[0], *terminal, *ssh[1:], f"sudo -n -- {shlex.join(words)}"])  # noqa: S606

"""Changes the repository as the account whose it is: root itself follows no path that `vault` made."""

from __future__ import annotations

import subprocess

from places import CONF, REPOSITORY, STORE, Failed

VAULT = "vault"


def as_vault(*words: str, stdin: str = "") -> None:
    """A command as `vault`.

    Raises:
        Failed: with its last line.
    """
    environment = {
        "PATH": "/usr/bin:/bin",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "HOME": str(STORE),
        "BORG_REPO": str(REPOSITORY),
        "BORG_PASSCOMMAND": f"cat {CONF / 'passphrase'}",
        "BORG_BASE_DIR": str(STORE / "base"),
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    }
    who = [
        "setpriv",
        "--reuid",
        VAULT,
        "--regid",
        VAULT,
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set",
        "-all",
    ]
    done = subprocess.run(
        [*who, *words], input=stdin, env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise Failed(f"{words[0]} as {VAULT} ended with {done.returncode}: {said[-1]}")

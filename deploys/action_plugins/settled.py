"""The system's side of `settle`: brings accounts, files and units to the wanted state. Standard library only.

Runs as root on the system, from standard input. `job` is a line of JSON `{"wants": [...], "check": bool}`; a
want has `locked`, `accounts`, `files`, `running`, `enabled`. The answer is a line of JSON as of a module.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import re
import subprocess
import tempfile
from typing import Any

#: That a file's follow-up command is due is noted here before the file changes, and struck off after it
#: succeeded, so that a run that was killed in between is made good by the next one.
PENDING = "/var/lib/lienthong/pending"
GOOD_FILE_STATES = {"enabled", "enabled-runtime", "static", "indirect", "generated", "alias"}
UNITS = "/etc/systemd/system/"
FIELDS = {"path", "content", "settings", "directory", "mode", "owner", "group", "validate", "then"}


class Wrong(Exception):
    """Something cannot be brought to its state; the message says what and why."""


def command(*words: str) -> str:
    """Output of a command.

    Raises:
        Wrong: it failed.
    """
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-400:]
        raise Wrong(f"{' '.join(words)[:120]}: {said or f'exit code {done.returncode}'}")
    return done.stdout


def difference(what: str, before: str, after: str) -> dict[str, str]:
    """A change as Ansible shows it."""
    return {"before_header": what, "after_header": what, "before": before, "after": after}


def lock(name: str, check: bool) -> dict[str, str] | None:
    """No password fits the account."""
    with open("/etc/shadow", encoding="utf-8") as handle:
        fields = next((line.split(":") for line in handle if line.startswith(f"{name}:")), None)
    if fields is None or fields[1][:1] in {"!", "*"}:
        return None
    if not check:
        command("passwd", "--quiet", "--lock", name)
    return difference(f"account {name}", "", "password locked\n")


def account(want: dict[str, Any], check: bool) -> dict[str, str] | None:
    """The account is there with its shell and groups; it has no password."""
    name, shell, groups = want["name"], want["shell"], set(want["groups"])
    after = f"shell {shell}, groups {','.join(sorted(groups))}\n"
    options = ["--shell", shell, "--groups", ",".join(sorted(groups))]
    try:
        there = pwd.getpwnam(name)
    except KeyError:
        if not check:
            command("useradd", "--create-home", "--user-group", "--password", "*", *options, name)
        return difference(f"account {name}", "", after)
    has = {group.gr_name for group in grp.getgrall() if name in group.gr_mem}
    if there.pw_shell == shell and has == groups:
        return None
    if not check:
        command("usermod", *options, name)
    return difference(f"account {name}", f"shell {there.pw_shell}, groups {','.join(sorted(has))}\n", after)


def set_lines(text: str, settings: dict[str, str]) -> str:
    """`text` with one line for each setting: where its word stood, or stood as a comment, else at the end."""
    lines = text.splitlines()
    for word, wanted in settings.items():
        live = re.compile(rf"^\s*{re.escape(word)}(?![\w-])")
        commented = re.compile(rf"^\s*#{re.escape(word)}(?![\w-])")
        places = [i for i, line in enumerate(lines) if live.match(line)]
        places = places or [i for i, line in enumerate(lines) if commented.match(line)][:1]
        if not places:
            lines.append(wanted)
            continue
        lines[places[0]] = wanted
        for i in reversed(places[1:]):
            del lines[i]
    return "\n".join(lines) + "\n"


def put(path: str, text: str, mode: int, ids: tuple[int, int], validate: str | None) -> None:
    """Write beside, validate, rename over: a reader never sees half a file."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise Wrong(f"{path}: {folder} does not exist; is the package installed?")
    fd, fresh = tempfile.mkstemp(prefix=".lienthong-", dir=folder)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(text)
        os.chmod(fresh, mode)
        os.chown(fresh, *ids)
        if validate:
            command(*(word.replace("%s", fresh) for word in validate.split()))
        os.replace(fresh, path)
    except BaseException:
        if os.path.exists(fresh):
            os.unlink(fresh)
        raise


def ids_of(entry: dict[str, Any], check: bool) -> tuple[int, int] | None:
    """User and group id; None in check mode when an account is yet to be made."""
    try:
        user, group = entry.get("owner", "root"), entry.get("group", "root")
        return pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError as error:
        if check:
            return None
        raise Wrong(f"{entry['path']}: {error.args[0]}") from error


def text_of(path: str) -> str | None:
    """The file's text; None where no regular file is."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def place(entry: dict[str, Any], check: bool) -> dict[str, str] | None:
    """A file or directory has its content, mode and owner; a difference if that changes something."""
    unknown = set(entry) - FIELDS
    if unknown:
        raise Wrong(f"{entry.get('path')}: unknown {', '.join(sorted(unknown))}")
    path, folder = entry["path"], bool(entry.get("directory"))
    mode = int(entry.get("mode") or ("0755" if folder else "0644"), 8)
    ids = ids_of(entry, check)
    there = os.stat(path) if os.path.lexists(path) and not os.path.islink(path) else None
    now = None if folder or there is None else text_of(path)
    text = None if folder else entry.get("content")
    if "settings" in entry:
        text = set_lines(now or "", entry["settings"])
    found: dict[str, str] | None = None
    if there is None or text != now:
        found = difference(path, now or "", f"directory {mode:04o}\n" if folder else str(text))
    elif there.st_mode & 0o7777 != mode or (ids is not None and (there.st_uid, there.st_gid) != ids):
        before = f"mode {there.st_mode & 0o7777:04o}, owner {there.st_uid}:{there.st_gid}\n"
        after = f"mode {mode:04o}, owner {entry.get('owner', 'root')}:{entry.get('group', 'root')}\n"
        found = difference(path, before, after)
    if found is None or check or ids is None:
        return found
    if entry.get("then"):
        note(path)
    if folder:
        os.makedirs(path, exist_ok=True)
    if folder or text == now:
        os.chmod(path, mode)
        os.chown(path, *ids)
    else:
        put(path, str(text), mode, ids, entry.get("validate"))
    return found


def note_of(path: str) -> str:
    """Where it is noted that the follow-up of that file is due."""
    return os.path.join(PENDING, hashlib.sha256(path.encode()).hexdigest()[:16])


def note(path: str) -> None:
    """Remember that the follow-up of a file is due."""
    os.makedirs(PENDING, mode=0o700, exist_ok=True)
    with open(note_of(path), "w", encoding="utf-8") as handle:
        handle.write(path)


def follow_up(entries: list[dict[str, Any]], check: bool) -> list[dict[str, str]]:
    """Run the commands that are due, each once, in the order of the files; what fails stays due."""
    due: dict[str, list[str]] = {}
    for entry in entries:
        if entry.get("then") and os.path.exists(note_of(entry["path"])):
            due.setdefault(entry["then"], []).append(note_of(entry["path"]))
    wrong = []
    for line, notes in [] if check else due.items():
        try:
            command("sh", "-c", line)
            for path in notes:
                os.unlink(path)
        except Wrong as error:
            wrong.append(str(error))
    if wrong:
        raise Wrong("; ".join(wrong))
    return [difference(f"run {line}", "", "done\n") for line in due]


def units_left(
    running: list[str], enabled: list[str], coming: frozenset[str] = frozenset()
) -> tuple[list[str], list[str]]:
    """Units that are not enabled, and units that do not run though they should.

    Args:
        coming: units that need not be there yet.

    Raises:
        Wrong: one is not installed.
    """
    names = list(dict.fromkeys([*running, *enabled]))
    asked = "-pLoadState,UnitFileState,ActiveState,ConditionResult"
    blocks = command("systemctl", "--no-pager", "show", asked, *names).strip().split("\n\n")
    seen = {
        name: dict(line.split("=", 1) for line in block.splitlines())
        for name, block in zip(names, blocks, strict=True)
    }
    good = {name: {"loaded", "not-found"} if name in coming else {"loaded"} for name in names}
    missing = [name for name in names if seen[name]["LoadState"] not in good[name]]
    if missing:
        raise Wrong(f"not installed or masked: {', '.join(missing)}")
    off = [name for name in names if seen[name]["UnitFileState"] not in GOOD_FILE_STATES]
    return off, [name for name in running if seen[name]["ActiveState"] != "active"]


def units(
    running: list[str], enabled: list[str], check: bool, written: frozenset[str] = frozenset()
) -> list[dict[str, str]]:
    """Units are enabled and really run: one whose condition does not hold "starts" well and does not run.

    Args:
        written: units whose files are among what is wanted; a look has not written them.
    """
    if not running and not enabled:
        return []
    off, stopped = units_left(running, enabled, written if check else frozenset())
    if not check:
        if off:
            command("systemctl", "--quiet", "enable", *off)
        if stopped:
            command("systemctl", "start", *stopped)
            still = units_left(running, enabled)[1]
            if still:
                raise Wrong(f"started, yet not running (a condition of the unit?): {', '.join(still)}")
    return [difference(f"enable {name}", "", "enabled\n") for name in off] + [
        difference(f"start {name}", "", "running\n") for name in stopped
    ]


def settle(wants: list[dict[str, Any]], check: bool, done: list[dict[str, str] | None]) -> None:
    """Everything in its order: accounts, files, follow-ups, units. `done` grows as things change."""
    for want in wants:
        done += [lock(name, check) for name in want.get("locked", [])]
        done += [account(entry, check) for entry in want.get("accounts", [])]
    files = [entry for want in wants for entry in want.get("files", [])]
    try:
        for entry in files:
            done.append(place(entry, check))
    finally:
        done += follow_up(files, check)
    running = [name for want in wants for name in want.get("running", [])]
    enabled = [name for want in wants for name in want.get("enabled", [])]
    written = frozenset(os.path.basename(entry["path"]) for entry in files if entry["path"].startswith(UNITS))
    done += units(running, enabled, check, written)


def main(line: str) -> dict[str, Any]:
    """The answer to a job."""
    asked = json.loads(line)
    done: list[dict[str, str] | None] = []
    answer: dict[str, Any] = {}
    try:
        settle(asked["wants"], asked["check"], done)
    except (Wrong, OSError) as error:
        answer = {"failed": True, "msg": str(error)}
    diffs = [diff for diff in done if diff is not None]
    return {
        "changed": bool(diffs),
        "diff": diffs,
        "changes": [diff["after_header"] for diff in diffs],
        **answer,
    }


if __name__ == "__main__" and "job" in globals():
    print(json.dumps(main(globals()["job"])))

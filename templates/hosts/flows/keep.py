#!/usr/bin/python3
"""Written by Liên Thông. Makes files of five minutes of what nfcapd writes every half minute; the oldest go.

`new/nfcapd.YYYYMMDDhhmmss` become `store/YYYY/MM/DD/nfcapd.YYYYMMDDhhmmss`, compressed; the name is that of the
first of them. What nfdump cannot read goes to the store as it is. Killed anywhere, nothing is lost: the new file
has its name only when it is whole, the first of the old ones goes last, and is not read a second time when its
name is in the store already. nfexpire deletes by age and by size.

    lienthong-flows-keep /srv/flows --days 90 --gigabytes 20 --fresh 600     (as its unit does)
"""

import argparse
import re
import subprocess
import sys
import time
from calendar import timegm
from pathlib import Path

SLOT_S = 300
NAME = re.compile(r"nfcapd\.(\d{14})")
#: What nfdump says beside errors, which it does not tell by its exit code.
HARMLESS = re.compile(r"(No matching flows\s*)?")


def stamp(moment_s):
    """A time as nfcapd names its files."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(moment_s))


def moment(text):
    """Seconds since 1970 of such a name."""
    return timegm(time.strptime(text, "%Y%m%d%H%M%S"))


def adopt(new, before_s):
    """What an nfcapd that was killed left unfinished gets the name of when it was last written."""
    for path in sorted(new.glob("nfcapd.current.*")):
        written = path.stat().st_mtime
        if written < before_s:
            while (to := new / f"nfcapd.{stamp(written)}").exists():
                written += 1
            path.rename(to)


def slots(new, before_s):
    """Files of each five minutes that are over."""
    found = {}
    for path in sorted(new.iterdir()):
        named = NAME.fullmatch(path.name)
        if named:
            slot = moment(named[1]) // SLOT_S * SLOT_S
            if slot + SLOT_S <= before_s:
                found.setdefault(slot, []).append(path)
    return found


def joined(paths, to):
    """One file of several; whether nfdump could read them all."""
    words = ["nfdump", "-q", "-R", f"{paths[0]}:{paths[-1].name}", "-y", "-w", str(to)]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode == 0 and HARMLESS.fullmatch(said) and to.exists():
        return True
    print(f"{paths[0].name} to {paths[-1].name}: {said[-300:] or done.returncode}", file=sys.stderr)
    return False


def keep(paths, store):
    """Bring the files of five minutes to the store."""
    day = NAME.fullmatch(paths[0].name)[1]
    folder = store / day[:4] / day[4:6] / day[6:8]
    folder.mkdir(parents=True, exist_ok=True)
    to, half = folder / paths[0].name, store / ".half"
    if not to.exists():
        if not joined(paths, half):
            half.unlink(missing_ok=True)
            for path in reversed(paths):
                path.rename(folder / path.name)
            return
        half.rename(to)
    for path in reversed(paths):
        path.unlink()


def main():
    """Once."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    for name in ("days", "gigabytes", "fresh"):
        asked.add_argument(f"--{name}", type=int, required=True)
    said = asked.parse_args()
    new, store = said.folder / "new", said.folder / "store"
    before_s = time.time() - said.fresh
    adopt(new, before_s)
    for paths in slots(new, before_s).values():
        keep(paths, store)
    # Its own notes know of no file that it did not see come.
    subprocess.run(["nfexpire", "-r", store], check=True, stdout=subprocess.DEVNULL)
    limits = ["-t", f"{said.days}d", "-s", f"{said.gigabytes}G"]
    subprocess.run(["nfexpire", "-e", store, *limits], check=True, stdout=subprocess.DEVNULL)
    for folder in sorted((path for path in store.rglob("*") if path.is_dir()), reverse=True):
        if folder.name != stamp(time.time())[6:8] and not any(folder.iterdir()):
            folder.rmdir()


if __name__ == "__main__":
    main()

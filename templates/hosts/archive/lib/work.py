"""What runs all the time, as root: takes scans in, has each made into a document by the worker's account, archives it.

It opens no format itself: of a scan it looks at the ends, of what the worker left at a few plain files. Each scan is a
unit of its own with limits of its own (lienthong-ocr@.service), so a hostile one ends alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import intake
from judge import ENDS, Refused, kind_of
from places import DROP, LINE, Failed, conf, got, log, opened, put, workers
from store import Store

LOOK_S = 2.0
#: Nobody writes to it, and nothing holds it open, for so long: then it has come whole.
QUIET_S = 4.0
#: After something that is no scan's fault.
PAUSE_S = 60.0
#: A worker that was killed, not by its time, is tried again so often.
TRIES = 3
#: Room that stays free: a full disk would stop all that runs here.
RESERVE = 2 << 30
MB = 1 << 20
#: What ocrmypdf ends with (its documentation, "Return code policy").
REASONS = {
    2: "it is no PDF or image that can be read",
    4: "what came out is no valid PDF",
    6: "it has a text of its own that cannot be set aside",
    8: "it is encrypted or locked",
    10: "no PDF/A can be made of it",
}
#: Its fault is not the scan's: something is missing here.
OURS = {1, 3, 5, 9}


@dataclass(frozen=True)
class Outcome:
    """How the worker's unit ended (`Result` of systemd, or `not started`) and what it left in its folder."""

    result: str
    said: dict[str, Any]


def convert(job: Path) -> Outcome:
    """Have one job done by its unit, and wait."""
    out, unit = job / intake.OUT, f"lienthong-ocr@{job.name}.service"
    # What one that was killed before us has left running would write into a folder that is gone.
    subprocess.run(["systemctl", "stop", unit], check=False, capture_output=True)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(mode=0o700)
    shutil.chown(out, "lienthong-ocr", "lienthong-ocr")
    ended = subprocess.run(["systemctl", "start", unit], check=False, capture_output=True, text=True)
    if ended.returncode:
        # A unit that failed is kept until it is forgotten here; what it left may be half of something.
        show = ["systemctl", "show", "--value", "-p", "Result", unit]
        result = subprocess.run(show, check=False, capture_output=True, text=True).stdout.strip()
        subprocess.run(["systemctl", "reset-failed", unit], check=False, capture_output=True)
        return Outcome(result if result != "success" else "not started", {"said": ended.stderr.strip()})
    return Outcome("success", got(out / "result.json", limit=1 << 16))


class Work:
    """One archive at work; `convert` is what has a job done."""

    def __init__(
        self, conf: dict[str, Any], store: Store, convert: Callable[[Path], Outcome] = convert
    ) -> None:
        self.conf, self.store, self.convert = conf, store, convert
        self.limit = int(conf["max_mb"]) * MB
        self.spool = store.base / "spool"
        self.settled = intake.Settled(QUIET_S)
        self.stopping = False
        self.told = -PAUSE_S

    def step(self, drop: Path, group: int, held: set[intake.Inode]) -> int:
        """Take what has come, do what waits; how many scans were finished."""
        for one in self.settled.ready(list(intake.found(drop)), held):
            if self.stopping or not self.room(one.size):
                break
            try:
                intake.take(one, self.spool, max(self.limit, one.size), group)
            except Failed as error:
                log(f"{one.scanner}: {error}")
        done, failed = 0, ""
        for job in intake.jobs(self.spool):
            if self.stopping:
                break
            try:
                done += self.finish(job)
            except Failed as error:
                failed = f"{job.name}: {error}"
        if failed and not self.stopping:
            raise Failed(failed)  # those after it have had their turn
        return done

    def room(self, size: int) -> bool:
        """Whether a scan may come in: it needs its own size several times over while it is worked on."""
        free = os.statvfs(self.store.base)
        if free.f_bavail * free.f_frsize < RESERVE + 5 * size:
            if time.monotonic() > self.told + PAUSE_S:
                self.told = time.monotonic()
                log("no room for more scans: they wait in the scanners' folders", alarm=True)
            return False
        return True

    def finish(self, job: Path) -> bool:
        """One job to its end; False when it has to be tried again."""
        if self.store.known_already(job):
            return True
        try:
            kind = self.looked(job)
        except Refused as error:
            self.reject(job, "bin", str(error))
            return True
        began = time.monotonic()
        outcome = self.convert(job)
        if self.stopping:
            return False  # it was ended with us
        reason = self.reason(job, outcome)
        if reason is None:
            return False
        if reason:
            self.reject(job, kind, reason)
            return True
        figures = {key: _count(outcome.said, key) for key in ("pages", "pages_without_text", "words")}
        figures["seconds"] = round(time.monotonic() - began)
        try:
            self.store.archive(job, kind, job / intake.OUT / "document.pdf", 20 * self.limit, **figures)
        except Failed as error:
            self.reject(job, kind, f"what was made of it cannot be taken: {error}")
        return True

    def looked(self, job: Path) -> str:
        """What the scan is by its ends.

        Raises:
            Refused: nothing that a document is made of.
        """
        handle, seen = opened(job / intake.SCAN)
        with os.fdopen(handle, "rb") as file:
            head = file.read(ENDS)
            file.seek(max(0, seen.st_size - ENDS))
            tail = file.read(ENDS)
        if seen.st_size > self.limit:
            raise Refused(f"it is larger than {self.limit // MB} MB")
        return kind_of(head, tail)

    def reason(self, job: Path, outcome: Outcome) -> str | None:
        """Why it is rejected; empty when it went well; None when it is to be tried again.

        Raises:
            Failed: it is not the scan's fault.
        """
        if outcome.result == "timeout":
            return f"it took longer than {self.conf['minutes']} minutes"
        silent = outcome.result == "success" and not isinstance(outcome.said.get("exit"), int)
        if silent or outcome.result in {"signal", "core-dump", "oom-kill", "exit-code"}:
            said = intake.said(job)
            put(job / intake.JOB, {**said, "tries": said["tries"] + 1})
            if said["tries"] + 1 < TRIES:
                return None
            how = "without a word" if silent else f"with {outcome.result}"
            return f"its worker ended {TRIES} times {how}: does it need more memory than there is?"
        code = outcome.said.get("exit")
        if outcome.result != "success" or code in OURS:
            raise Failed(f"the worker does not run: {outcome.result} {outcome.said.get('said', '')!s:.200}")
        if code == 0:
            return ""
        return f"{REASONS.get(code, f'ocrmypdf ended with {code}')} ({outcome.said.get('said', '')!s:.{LINE // 2}})"

    def reject(self, job: Path, kind: str, reason: str) -> None:
        self.store.reject(job, kind, reason)
        log(f"rejected {job.name}: {reason}", alarm=True)


def _count(said: dict[str, Any], key: str) -> int:
    """A number that the worker said: it is believed in so far as it is one."""
    found = said.get(key)
    return found if isinstance(found, int) and 0 <= found < 10**9 else 0


def run(store: Store) -> int:
    """Until it is told to stop; what it is at then is done again later."""
    import pwd

    work = Work(conf(), store)

    def stop(*_: object) -> None:
        work.stopping = True

    signal.signal(signal.SIGTERM, stop)
    group = workers()
    store.mend()
    work.spool.mkdir(exist_ok=True)
    while not work.stopping:
        try:
            held: set[intake.Inode] = set()
            if any(intake.found(DROP)):
                users = {one.pw_uid for one in pwd.getpwall() if one.pw_name.startswith("scan-")}
                held = intake.open_files(users)
            done = work.step(DROP, group, held)
            pause = 0.0 if done else LOOK_S
        except Failed as error:
            log(str(error), alarm=True)
            pause = PAUSE_S
        until = time.monotonic() + pause
        while not work.stopping and time.monotonic() < until:
            time.sleep(min(LOOK_S, pause))
    return 0

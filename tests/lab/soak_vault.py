"""Documents under bad luck and theft: lines cut during a job, a stolen key, archives deleted; all come back.

    LIENTHONG_LAB=test-district python -m tests.lab.soak_vault --documents 10000 --cuts 20 --seed 1

The lab must be up and applied. Documents are put on the portal and the Internet-side vault fetches them over
a line that is slowed down and cut. Then the key is used from elsewhere and from the vault's own address, then
every archive is deleted by the account that may only add. What is printed was measured; what does not hold
raises.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lienthong.lab.line import enter
from lienthong.lab.place import Place
from lienthong.lab.state import read
from lienthong.services.logs import STORE
from lienthong.target import lab_name

ROOT = Path(__file__).resolve().parents[2]
SOURCE, VAULT, SWITCH, PORT = "tinh-uy-portal", "tinh-uy-vault-net", "tinh-uy-sw-net", "e3"
COLLECTOR = "tinh-uy-svc-net"
FOLDER = "/srv/documents/lienthong-soak"
BORG = (
    "runuser -u vault -- env BORG_BASE_DIR=/srv/vault/base BORG_REPO=/srv/vault/borg "
    "BORG_PASSCOMMAND='cat /etc/lienthong/backup/passphrase' borg"
)
WATCHERS = ("lienthong-watch.service", "lienthong-soon.path")
WATCH = "/var/lib/lienthong/backup/watch.json"
IDLE = (
    "while systemctl is-active lienthong-backup lienthong-backup-first | grep -q activating; "
    "do sleep 0.5; done"
)
#: Away so long breaks the connection (three times ServerAliveInterval); shorter stalls it.
LONG_CUT_S, SHORT_CUT_S, PAUSE_S = 36.0, (0.3, 2.0), (0.5, 1.5)
#: Makes documents with Vietnamese names from a seed, as their owner; prints each one's SHA-256 and path.
_MAKE = """
import hashlib, os, random, sys
folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
os.umask(0o027)
for number in range(count):
    path = os.path.join(folder, f"công văn {number // 500:02}", f"số {number:05}.pdf")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    content = chance.randbytes(chance.randrange(200, 14000))
    with open(path, "wb") as file:
        file.write(content)
    print(hashlib.sha256(content).hexdigest(), os.path.relpath(path, folder))
"""


@dataclass
class Figures:
    """What was measured, in the order in which it happened."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, value: object) -> None:
        self.rows.append((what, str(value)))
        print(f"  {what}: {value}", file=sys.stderr, flush=True)

    def table(self) -> str:
        width = max((len(what) for what, _ in self.rows), default=0)
        return "\n".join(f"{what:<{width}}  {value}" for what, value in self.rows)


class Soak:
    """One campaign on the lab named by LIENTHONG_LAB, or `lab`."""

    def __init__(self, lab: str, seed: int) -> None:
        found = read(Place(ROOT, lab))
        assert found is not None, f"the lab {lab} is not up"
        self.state, self.lab, self.seed = found, lab, seed
        self.figures = Figures()

    def on(self, node: str, *words: str, check: bool = True, timeout_s: float = 900) -> str:
        argv = [*enter(self.state.nodes[node]), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s)
        assert not check or done.returncode == 0, f"{node}: {words}: {done.stderr[-500:]}"
        return done.stdout

    def sh(self, node: str, script: str, check: bool = True) -> str:
        return self.on(node, "sh", "-c", script, check=check)

    def lienthong(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LIENTHONG_LAB": self.lab, "LIENTHONG_TARGET": "lab"}
        return subprocess.run(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800,
        )  # fmt: skip

    def restored(self, *words: str) -> Any:
        done = self.lienthong("restore", *words, "--json")
        assert done.stdout.strip(), done.stderr[-500:]
        return json.loads(done.stdout)

    def control(self, name: str) -> str:
        """How one check of the vault stands now: `pass` or `fail`."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "findings.json"
            environment = {**os.environ, "LIENTHONG_LAB": self.lab, "LIENTHONG_TARGET": "lab"}
            argv = [
                sys.executable,
                "-m",
                "pytest",
                "checks/test_backup.py",
                "--site=tinh-uy",
                "-q",
                "-k",
                name,
            ]
            done = subprocess.run(
                [*argv, f"--findings={report}"], cwd=ROOT, env=environment, capture_output=True, text=True
            )
            lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
        mine = [line["finding"] for line in lines if "finding" in line]
        found = {one["status"] for one in mine if one["node"] in {SOURCE, VAULT}}
        assert len(found) == 1, (found, done.stdout[-500:])
        return str(found.pop())

    def put(self, documents: int) -> dict[str, str]:
        """Documents on the portal; SHA-256 by path below the folder, as the portal says."""
        self.alone()
        self.on(SOURCE, "install", "-d", "-o", "docs", "-g", "docs", "-m", "2750", FOLDER)
        make = ["runuser", "-u", "docs", "--", "python3", "-c", _MAKE, FOLDER, str(documents), str(self.seed)]
        lines = self.on(SOURCE, *make).splitlines()
        self.figures.add("documents put on the source", len(lines))
        return {path: digest for digest, _, path in (line.partition(" ") for line in lines)}

    def alone(self) -> None:
        """From now on a fetch begins when this campaign says so, and not because a document appeared."""
        self.sh(VAULT, f"systemctl stop {' '.join(WATCHERS)}; {IDLE}")

    def soon(self, within_s: float) -> float:
        """Seconds from a document on the source until it is in the archive, without the timer.

        Raises:
            AssertionError: it is not there after `within_s`.
        """
        name = f"soon-{time.time_ns()}.txt"
        # Nobody reads the repository while a job may be writing to it.
        newest = f"{IDLE}; /usr/local/sbin/lienthong-vault files newest {SOURCE}/{name}"
        known = f'json.load(open("{WATCH}"))["sources"]["{SOURCE}"]'
        waiting = f"python3 -c 'import json; print({known}[\"waiting\"])'"
        self.sh(VAULT, f"systemctl stop lienthong-backup.timer; systemctl start {' '.join(WATCHERS)}")
        try:
            ready = f'for i in $(seq 45); do [ "$({waiting})" = True ] && exit 0; sleep 1; done; exit 1'
            self.sh(VAULT, ready)
            put = f"umask 027; echo {name} > /srv/documents/{name}"
            self.on(SOURCE, "runuser", "-u", "docs", "--", "sh", "-c", put)
            began = time.monotonic()
            while time.monotonic() - began < within_s:
                if name in self.sh(VAULT, newest, check=False):
                    took = time.monotonic() - began
                    self.figures.add("from a document at the source to the archive", f"{took:.1f} s")
                    return took
                time.sleep(0.5)
            said = self.sh(VAULT, f"cat {WATCH}; journalctl -u lienthong-watch -o cat -n 5")
            raise AssertionError(f"not in the archive after {within_s:g} s: {said}")
        finally:
            self.sh(SOURCE, f"rm -f /srv/documents/{name}")
            self.sh(VAULT, "systemctl start lienthong-backup.timer")

    def job_through_cuts(self, cuts: int, long_cuts: int, rate: str) -> None:
        """One job over a slow line that is cut while it fetches; tells how many cuts fell into it."""
        chance = random.Random(self.seed)
        lasting = [LONG_CUT_S] * long_cuts + [chance.uniform(*SHORT_CUT_S) for _ in range(cuts - long_cuts)]
        chance.shuffle(lasting)
        steps = "; ".join(
            f"sleep {chance.uniform(*PAUSE_S):.2f}; date +%s.%N; ip link set {PORT} down; sleep {s:.2f}; "
            f"ip link set {PORT} up"
            for s in lasting
        )
        slow = f"tc qdisc replace dev {PORT} root tbf rate {rate} burst 64kb latency 400ms"
        self.sh(SWITCH, slow)
        began = time.monotonic()
        try:
            begun = f"until test -d /srv/vault/staging/{SOURCE}; do sleep 0.1; done"
            self.sh(VAULT, f"systemctl start --no-block lienthong-backup; {begun}")
            logins = "wc -l < /var/lib/lienthong/backup/logins"
            times = [float(line) for line in self.sh(SWITCH, steps).split()]
        finally:
            self.sh(SWITCH, f"ip link set {PORT} up; tc qdisc del dev {PORT} root", check=False)
        self.sh(VAULT, IDLE)
        status = json.loads(self.sh(VAULT, "cat /var/lib/lienthong/backup/status.json"))
        from_, to = (datetime.fromisoformat(status[key]).timestamp() for key in ("started", "archived"))
        within = sum(from_ <= at <= to for at in times)
        self.figures.add(
            "cuts while the job fetched", f"{within} of {len(times)}, {long_cuts} of them {LONG_CUT_S:g} s"
        )
        self.figures.add(
            "job", f"{time.monotonic() - began:.0f} s, {status['files']} files, {status['error'] or 'ok'}"
        )
        self.figures.add("logins of the vault at the source so far", self.sh(VAULT, logins).strip())
        assert status["ok"], status["error"]
        assert within == len(times), "the job ended before the last cut: slow the line down more"

    def all_equal(self, wanted: dict[str, str], when: str) -> None:
        """A drill, and every document brought to this computer and hashed here."""
        (drill,) = self.restored("--drill", VAULT)
        assert drill["ok"], drill["error"]
        self.figures.add(
            f"drill {when}",
            f"{drill['matched']}/{drill['expected']} equal, RTO {drill['rto_s']} s, RPO {drill['rpo_s']} s",
        )
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder) / "back"
            done = self.restored(SOURCE, FOLDER, "--to", str(to))
            there = to / SOURCE / Path(FOLDER).name
            found = {
                str(path.relative_to(there)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in there.rglob("*")
                if path.is_file()
            }
        equal = sum(found.get(path) == digest for path, digest in wanted.items())
        self.figures.add(
            f"restored {when}", f"{done['matched']} files, {equal} of {len(wanted)} as the source had them"
        )
        assert found == wanted

    def theft(self) -> None:
        """The key used from elsewhere, then from the vault's own address; rotated, and well again."""
        assert self.control("test_fetch_key") == "pass"
        with tempfile.TemporaryDirectory() as folder:
            key = Path(folder) / "stolen"
            key.touch(mode=0o600)
            key.write_text(self.sh(VAULT, "cat /etc/lienthong/backup/fetch_ed25519"))
            argv = [sys.executable, "-m", "tests.lab.soak_vault", "--thief", str(key)]
            environment = {**os.environ, "LIENTHONG_LAB": self.lab}
            told = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True)
            refused = "Permission denied" in told.stderr
        self.figures.add(
            "stolen key from another address", "refused" if refused else f"NOT refused: {told.stderr[-200:]}"
        )
        assert refused
        self.figures.add("control after that", self.control("test_fetch_key"))
        self.rotate()
        assert self.control("test_fetch_key") == "pass"
        fetch = "ssh -F none -T -i /etc/lienthong/backup/fetch_ed25519 -o BatchMode=yes"
        address = json.loads(self.sh(VAULT, "cat /etc/lienthong/backup/job.json"))["sources"][0]["address"]
        known = "-o UserKnownHostsFile=/etc/lienthong/backup/known_hosts"
        self.sh(VAULT, f"{fetch} {known} lienthong-fetch@{address} | wc -c")
        after = self.control("test_fetch_key")
        self.figures.add("stolen key from the vault's own address: control", after)
        assert after == "fail"
        self.rotate()
        after = self.control("test_fetch_key")
        self.figures.add("control after the key was changed", after)
        assert after == "pass"

    def rotate(self) -> None:
        """A new key, as docs/documents.md says it."""
        self.sh(VAULT, "rm -f /etc/lienthong/backup/fetch_ed25519*")
        done = self.lienthong("apply", "tinh-uy")
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
        self.alone()

    def deletion(self) -> None:
        """Every archive deleted by the account that may only add; seen, reported, undone."""
        before = self.sh(VAULT, f"{BORG} list --short").split()
        self.sh(VAULT, f"{BORG} delete --glob-archives '*' --force")
        assert self.sh(VAULT, f"{BORG} list --short").split() == []
        self.figures.add("archives deleted by the append-only client", len(before))
        self.figures.add("control after that", self.control("test_no_archive_vanished"))
        failed = self.sh(VAULT, "systemctl start lienthong-backup || echo nonzero", check=False).strip()
        self.figures.add("the next job ends", failed)
        assert failed == "nonzero"
        alarm = "journalctl -t lienthong-vault -o cat --since -5min | grep -c 'ALARM .* archives vanished'"
        self.figures.add("alarms in the vault's journal", self.sh(VAULT, alarm).strip())
        heard = f"{STORE} show --newest 2 --text ALARM | grep -c 'archives vanished'; true"
        for _ in range(20):
            count = int(self.sh(COLLECTOR, heard).strip() or 0)
            if count:
                break
            time.sleep(1)
        self.figures.add("alarms at the collector", count)
        assert count
        (back,) = [self.restored("--undelete", VAULT)]
        there = self.sh(VAULT, f"{BORG} list --short").split()
        self.figures.add("archives after undelete", f"{len(there)}, {back['moved']} files set aside")
        assert set(there) >= set(before)
        self.sh(VAULT, "systemctl start lienthong-backup")
        after = self.control("test_no_archive_vanished")
        self.figures.add("control after undelete and a job", after)
        assert after == "pass"

    def tidy(self) -> None:
        self.sh(SOURCE, f"rm -rf {FOLDER}")
        self.sh(VAULT, f"systemctl start {' '.join(WATCHERS)}")


def thief(key: str) -> int:
    """Log in at the source from the management network: another address than the vault's."""
    from lienthong.lab.namespace import enter as into
    from lienthong.workspace import Workspace

    ws = Workspace(ROOT, "lab")
    into(ROOT)
    node = ws.node(SOURCE)
    argv = ["ssh", "-F", "none", "-T", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
    known = ["-o", f"UserKnownHostsFile={ws.access.known_hosts}"]
    return subprocess.run([*argv, *known, f"lienthong-fetch@{ws.access.address(node)}"]).returncode


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--documents", type=int, default=10_000)
    asked.add_argument("--cuts", type=int, default=20)
    asked.add_argument("--long-cuts", type=int, default=2)
    asked.add_argument("--rate", default="12mbit")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--thief", help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.thief:
        return thief(options.thief)
    soak = Soak(lab_name(), options.seed)
    try:
        wanted = soak.put(options.documents)
        soak.job_through_cuts(options.cuts, options.long_cuts, options.rate)
        soak.all_equal(wanted, "after the cuts")
        soak.theft()
        soak.deletion()
        soak.all_equal(wanted, "after theft and deletion")
        soak.sh(VAULT, "sleep 65")  # longer than the gap after the last fetch
        soak.soon(600.0)
    finally:
        soak.tidy()
        print(soak.figures.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Scans of Vietnamese pages through an archive: searchable, hashed, copied; what is altered is found.

    python -m tests.lab.soak_archive --pages 200 --kills 4 --seed 1

Brings up a lab of its own (office and district, each with an archive, and a scanner with a key of the test's
own) and takes it down in the end. The scanner puts pages into the district's archive from the scan segment,
some twice, some broken off and some hostile; meanwhile the archive is killed. What is printed was measured;
what does not hold raises.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from lienthong.lab.line import enter
from lienthong.lab.place import Place
from lienthong.services.logs import STORE
from lienthong.workspace import Workspace
from tests.lab.second import Second, second
from tests.lab.soak_vault import ROOT, Soak

LAB, SITES = "soak-archive", ("tinh-uy", "loc-ninh")
DISTRICT, OFFICE, COLLECTOR = "loc-ninh-arc", "tinh-uy-arc", "tinh-uy-svc-wan"
SCANNER = "soak"
LOGIN = f"scan-{SCANNER}"
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
LEDGER = "/var/lib/lienthong/archive/ledger.jsonl"
STORED = "/srv/archive/store"
#: Of the words of a page so many are found in its document, each with all its marks.
FOUND_OF_A_PAGE, FOUND_OF_ALL = 0.80, 0.95
PER_PAGE_S = 60
PAUSE_S = 12.0
WORDS = (
    "văn bản của huyện ủy về việc tổ chức hội nghị kiểm điểm công tác xây dựng Đảng trong năm thực hiện "
    "nghị quyết đại hội đảng bộ tỉnh nhiệm kỳ ban thường vụ đề nghị các bộ trực thuộc báo cáo kết quả trước "
    "ngày quý lưu trữ hồ sơ tài liệu số hóa phòng họp không giấy đường truyền chuyên dùng bảo đảm an toàn "
    "thông tin thẩm quyền quyết định phân công nhiệm vụ"
)
#: Runs where Pillow is; `scans.json` says of each page what stands on it.
_MAKE = """
import json, random, sys
from PIL import Image, ImageDraw, ImageFont
folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
words, font = sys.argv[4].split(), ImageFont.truetype(f"{folder}/font.ttf", 34)
said = {}
for number in range(count):
    chance = random.Random(seed * 100003 + number)
    page = Image.new("L", (1654, 2339), 255)
    draw = ImageDraw.Draw(page)
    lines = [" ".join(chance.choice(words) for _ in range(10)) for _ in range(10)]
    lines.insert(0, f"Công văn số {number:05}")
    for row, line in enumerate(lines):
        draw.text((150, 200 + 90 * row), line, font=font, fill=0)
    # Grey specks, as from glass that is not clean.
    for _ in range(60):
        x, y = chance.randrange(1650), chance.randrange(2330)
        draw.rectangle((x, y, x + 2, y + 2), fill=chance.randrange(120, 230))
    kind = ("png", "jpg", "tif", "pdf")[number % 4]
    name = f"công văn {number:05}.{kind}"
    how = {"resolution": 200} if kind == "pdf" else {"dpi": (200, 200)}
    page.save(f"{folder}/{name}", **how, **({"quality": 90} if kind == "jpg" else {}))
    said[name] = " ".join(lines)
json.dump(said, open(f"{folder}/scans.json", "w"))
"""
#: What no document can be made of, by the reason that must be told.
_HOSTILE = """
import sys, pikepdf
from PIL import Image
folder, page = sys.argv[1], sys.argv[2]
lock = pikepdf.Encryption(owner="x", user="y")
pikepdf.open(f"{folder}/{page}").save(f"{folder}/locked.pdf", encryption=lock)
Image.new("1", (60000, 60000), 1).save(f"{folder}/bomb.png", dpi=(200, 200))
whole = open(f"{folder}/{page}", "rb").read()
open(f"{folder}/cut.pdf", "wb").write(whole[: len(whole) // 2])
open(f"{folder}/rubbish.pdf", "wb").write(b"%PDF-1.7" + bytes(range(256)) * 40 + b"%%EOF")
open(f"{folder}/program.exe", "wb").write(b"MZ" + bytes(4000))
"""
HOSTILE = {
    "locked.pdf": "encrypted",
    "bomb.png": "ocrmypdf ended with",
    "cut.pdf": "sent whole",
    "rubbish.pdf": "can be read",
    "program.exe": "no PDF, TIFF, JPEG or PNG",
    "paused.pdf": "can be read",
}
#: Text of every document, and whether it says of itself that it is PDF/A.
_READ = """
import json, pikepdf, sys
from pdfminer.high_level import extract_text
for path in sys.stdin.read().splitlines():
    with pikepdf.open(path) as document:
        with document.open_metadata() as said:
            kind = said.pdfa_status
    print(json.dumps({"path": path, "pdfa": kind, "text": extract_text(path)}))
"""


def words(text: str) -> Counter[str]:
    """The words of a text, small, each with its marks in the one form."""
    return Counter(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).casefold()))


class Archive(Soak):
    """The campaign."""

    def __init__(self, seed: int, other: Second, key: Path) -> None:
        super().__init__(LAB, seed)
        self.folder, self.place, self.key = key.parent, Place(ROOT, LAB), key
        self.address = str(Workspace(other.root, "lab").plan.nodes[DISTRICT].address)

    # --- the scanner

    def argv(self, segment: str = "scan", login: str = LOGIN, *more: str) -> list[str]:
        """`sftp` as from the probe of a segment; what it is to do comes on standard input."""
        known = self.folder / "known_hosts"
        lines = self.place.known_hosts.read_text().splitlines()
        keys = [line.split()[1:3] for line in lines if DISTRICT in line]
        known.write_text("".join(f"{self.address} {' '.join(key)}\n" for key in keys))
        return [
            "ip", "netns", "exec", self.place.netns(f"probe-loc-ninh-{segment}"), "sftp", "-q", "-F", "none",
            "-o", f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=/dev/null",
            "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=5",
            "-i", str(self.key), *more, "-b", "-", f"{login}@{self.address}",
        ]  # fmt: skip

    def sftp(self, batch: str, segment: str = "scan", login: str = LOGIN, kill_s: float = 0) -> str:
        """Its exit code in a line, and what it prints."""
        argv = self.argv(segment, login)
        if kill_s:
            argv = ["timeout", "-s", "KILL", f"{kill_s}", *argv]
        done = subprocess.run(argv, input=batch, capture_output=True, text=True, timeout=900)
        return f"{done.returncode}\n{done.stdout}{done.stderr}"

    def pauses(self) -> None:
        """An upload that stands still for a while is not taken for whole."""
        path = self.folder / "pages" / "paused.pdf"
        path.write_bytes(b"%PDF-1.7\n" + random.Random(self.seed).randbytes(6_000_000) + b"\n%%EOF\n")
        slow = self.argv("scan", LOGIN, "-l", "4000")
        sending = subprocess.Popen(
            slow, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        assert sending.stdin
        sending.stdin.write(f"put {path}\n".encode())
        sending.stdin.close()
        self.sh(DISTRICT, f"until [ -s /srv/scans/{LOGIN}/new/paused.pdf ]; do sleep 0.2; done")
        os.killpg(sending.pid, signal.SIGSTOP)
        time.sleep(PAUSE_S)
        taken = self.status(DISTRICT)["seq"]
        os.killpg(sending.pid, signal.SIGCONT)
        assert sending.wait(120) == 0
        self.figures.add(f"lines of the ledger while an upload pauses for {PAUSE_S:g} s", taken)
        assert taken == 0

    def make(self, pages: int) -> dict[str, str]:
        """Pages and what no document can be made of, in the test's folder; what stands on each page."""
        there = f"{self.state.nodes[DISTRICT].pid}"
        self.sh(DISTRICT, "mkdir -p /root/soak")
        subprocess.run(["cp", str(FONT), f"/proc/{there}/root/root/soak/font.ttf"], check=True)
        self.on(DISTRICT, "python3", "-c", _MAKE, "/root/soak", str(pages), str(self.seed), WORDS)
        self.on(DISTRICT, "python3", "-c", _HOSTILE, "/root/soak", "công văn 00003.pdf")
        subprocess.run(["cp", "-r", f"/proc/{there}/root/root/soak", str(self.folder / "pages")], check=True)
        self.sh(DISTRICT, "rm -rf /root/soak")
        return dict(json.loads((self.folder / "pages" / "scans.json").read_text()))

    def only_drops(self) -> None:
        """The scanner's key does nothing but put, and does that from its segment only."""
        page = self.folder / "pages" / "scans.json"
        tried = {
            "from another segment": self.sftp("ls", segment="servers"),
            "by another account": self.sftp("ls", login="lienthong"),
            "read back": self.sftp(f"put {page} readme.bin\nget readme.bin {self.folder}/back"),
            "remove": self.sftp(f"put {page} readme.bin\nrm readme.bin"),
            "a folder": self.sftp("mkdir folder"),
            "a link": self.sftp("symlink /etc/passwd link"),
            "out of its folder": self.sftp(f"put {page} /etc/readme.bin"),
        }
        done = [what for what, said in tried.items() if said.startswith("0\n")]
        self.figures.add("refused to the scanner", f"{len(tried) - len(done)} of {len(tried)}")
        assert not done, f"the scanner may: {done}"

    # --- the work

    def scan(self, said: dict[str, str], kills: int) -> None:
        """Put everything, some of it in a bad way, while the archive is killed; wait until all is done."""
        chance = random.Random(self.seed)
        folder = self.folder / "pages"
        names = sorted(said)
        twice = chance.sample(names, min(10, len(names)))
        broken = chance.sample(names, min(5, len(names)))
        began = time.monotonic()
        for name in broken:  # the line breaks, and the scanner sends it again
            self.sftp(f'put "{folder / name}" "{name}"', kill_s=0.05)
        for start in range(0, len(names), 20):
            batch = "".join(f'put "{folder / name}" "{name}"\n' for name in names[start : start + 20])
            assert (told := self.sftp(batch)).startswith("0\n"), told[-500:]
        batch = "".join(
            f'put "{folder / name}" "{name}"\n' for name in (*twice, *HOSTILE) if name != "paused.pdf"
        )
        assert (told := self.sftp(batch)).startswith("0\n"), told[-500:]
        self.figures.add("scans put", f"{len(names)}, {len(twice)} twice, {len(broken)} broken off before")
        until = began + PER_PAGE_S * len(names) + 600
        marks = [len(names) * (n + 1) // (kills + 1) for n in range(kills)]
        units = ("lienthong-archive", "lienthong-ocr@*")
        while True:
            status = self.status(DISTRICT)
            done = status["documents"] + status["rejected"]
            if marks and done >= marks[0]:
                marks.pop(0)
                unit = units[len(marks) % 2]
                self.sh(DISTRICT, f"systemctl kill --signal=KILL --kill-whom=all '{unit}'; true")
            if not status["waiting"]:
                break
            assert time.monotonic() < until, f"{done} done, {status['waiting']} wait"
            time.sleep(2)
        took = time.monotonic() - began
        self.figures.add("killed meanwhile", f"{kills - len(marks)} times")
        self.figures.add("all done after", f"{took:.0f} s, {took / len(names):.1f} s a page")

    def status(self, node: str) -> dict[str, Any]:
        return dict(json.loads(self.sh(node, "lienthong-archive status").splitlines()[-1]))

    def lines(self, node: str, path: str = LEDGER) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.sh(node, f"cat {path}").splitlines()]

    def archived(self, said: dict[str, str]) -> list[dict[str, Any]]:
        """Each page once, searchable, with the ledger's hash; the rest rejected, each with its reason."""
        ledger = self.lines(DISTRICT)
        documents = [line for line in ledger if line["kind"] == "document" and line["name"] in said]
        names, wanted = Counter(line["name"] for line in documents), Counter(list(said))
        assert names == wanted, f"not once each: {(names - wanted) or (wanted - names)}"
        paths = [f"{STORED}/{line['document']['path']}" for line in documents]
        told = self.read(paths)
        short = {}
        found = every = 0
        for line, path in zip(documents, paths, strict=True):
            there = words(said[line["name"]])
            hit = (there & words(told[path]["text"])).total()
            found, every = found + hit, every + there.total()
            if hit < FOUND_OF_A_PAGE * there.total():
                short[line["name"]] = f"{hit} of {there.total()}"
        pdfa = Counter(one["pdfa"] for one in told.values())
        self.figures.add("pages archived once", f"{len(documents)} of {len(said)}")
        self.figures.add("words found with all marks", f"{found} of {every}, {100 * found / every:.2f} %")
        self.figures.add("they say they are PDF/A", ", ".join(f"{n} {kind}" for kind, n in pdfa.items()))
        assert not short, short
        assert found >= FOUND_OF_ALL * every and set(pdfa) == {"2B"}
        files = [line[which] for line in documents for which in ("document", "scan")]
        sums = self.sh(DISTRICT, f"cd {STORED} && find . -type f -exec sha256sum {{}} +")
        stored = {
            path.removeprefix("./"): digest
            for digest, _, path in (x.partition("  ") for x in sums.splitlines())
        }
        equal = sum(stored.get(file["path"]) == file["sha256"] for file in files)
        self.figures.add("hashes equal, of documents and scans", f"{equal} of {len(files)}")
        assert equal == len(files)
        rejected = {line["name"]: line["reason"] for line in ledger if line["kind"] == "rejected"}
        wrong = {name for name, reason in HOSTILE.items() if reason not in rejected.get(name, "")}
        whole = hashlib.sha256((self.folder / "pages" / "paused.pdf").read_bytes()).hexdigest()
        assert whole in {line["scan"]["sha256"] for line in ledger if line["kind"] == "rejected"}
        self.figures.add("rejected, each with its reason", f"{len(HOSTILE) - len(wrong)} of {len(HOSTILE)}")
        assert not wrong, {name: rejected.get(name) for name in wrong}
        left = self.status(DISTRICT)["rejected"]
        for line in json.loads(self.sh(DISTRICT, "lienthong-archive rejected"))["rejected"]:
            self.on(DISTRICT, "lienthong-archive", "dismiss", line["sha256"], "made by the test")
        self.figures.add("rejected scans dismissed", f"{left}, left {self.status(DISTRICT)['rejected']}")
        return documents

    def read(self, paths: list[str]) -> dict[str, Any]:
        found = {}
        for start in range(0, len(paths), 50):
            done = subprocess.run(
                [*enter(self.state.nodes[DISTRICT]), "python3", "-c", _READ],
                input="\n".join(paths[start : start + 50]),
                capture_output=True,
                text=True,
                timeout=900,
            )
            assert done.returncode == 0, done.stderr[-500:]
            for line in done.stdout.splitlines():
                one = json.loads(line)
                found[one["path"]] = one
        return found

    def altered(self, documents: list[dict[str, Any]], other: Second) -> None:
        """One byte, one missing file, one extra one: found by name, told, well again after."""
        chance = random.Random(self.seed + 1)
        one, two = chance.sample(documents, 2)
        path, taken = one["document"]["path"], two["scan"]["path"]
        at = chance.randrange(one["document"]["size"])
        flip = (
            f"python3 -c \"f=open('{STORED}/{path}','r+b'); f.seek({at}); b=f.read(1)[0]; f.seek({at}); "
            'f.write(bytes([b ^ 1]))"'
        )
        assert self.verified() == []
        self.sh(DISTRICT, flip)
        self.figures.add(f"byte {at} of one document altered: found", found := self.verified())
        assert found == [f"changed: {path}"]
        self.sh(DISTRICT, f"mv '{STORED}/{taken}' /root/kept; echo x > {STORED}/documents/more.pdf")
        found = self.verified()
        self.figures.add("one file taken away, one added: found", len(found) - 1)
        assert found == [f"changed: {path}", "extra: documents/more.pdf", f"missing: {taken}"]
        heard = f"{STORE} show --newest 2 --text ALARM | grep -c 'changed: '; true"
        for _ in range(30):
            if count := int(self.sh(COLLECTOR, heard).strip() or 0):
                break
            time.sleep(1)
        self.figures.add("alarms at the collector", count)
        assert count
        assert "changed at the source" in " ".join(self.copied())
        self.controls(other, {"ARC-01": DISTRICT, "ARC-04": OFFICE})
        self.sh(DISTRICT, f"{flip}; mv /root/kept '{STORED}/{taken}'; rm {STORED}/documents/more.pdf")
        assert self.verified() == []
        assert self.copied() == []
        self.figures.add("after all was put back", "no finding, here or at the office")

    def controls(self, other: Second, failing: dict[str, str]) -> None:
        """How the checks of archives stand: all pass but those that are named, by control and node."""
        report = self.folder / "findings.json"
        argv = [sys.executable, "-m", "pytest", "checks/test_archive.py", "-q", f"--findings={report}"]
        sites = [f"--site={slug}" for slug in SITES]
        environment = {**os.environ, "LIENTHONG_ROOT": str(other.root)}
        done = subprocess.run(
            [*argv, *sites], cwd=other.root, env=environment, capture_output=True, text=True
        )
        lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
        found = [line["finding"] for line in lines if "finding" in line]
        bad = {
            one["control"]: one["node"] for one in found if one["status"] not in {"pass", "not applicable"}
        }
        passed = sum(one["status"] == "pass" for one in found)
        self.figures.add("controls that pass", f"{passed}, failing {bad or 'none'}")
        assert passed >= 8 and bad == failing, (bad, done.stdout[-1500:])

    def verified(self) -> list[str]:
        self.sh(DISTRICT, "systemctl start lienthong-archive-verify", check=False)
        told = json.loads(self.sh(DISTRICT, "cat /var/lib/lienthong/archive/verify.json"))
        return list(told["findings"])

    def copied(self) -> list[str]:
        """The office fetches, and compares what the district says of its files; findings."""
        script = (
            "systemctl stop lienthong-archive-pull.service lienthong-archive-pull.timer; "
            "runuser -u lienthong-archive -- lienthong-archive-pull --compare; lienthong-archive replicate; "
            "systemctl start lienthong-archive-pull.timer"
        )
        self.sh(OFFICE, script, check=False)
        told = self.status(OFFICE)["replicas"][DISTRICT]
        assert not told["error"], told["error"]
        return list(told["findings"])

    def copy(self) -> None:
        """The office's copy is the district's archive, file for file and line for line."""
        began = time.monotonic()
        assert self.copied() == []
        took = time.monotonic() - began
        sums = "find . -type f -exec sha256sum {} + | sort"
        mine = self.sh(DISTRICT, f"cd {STORED} && {sums}")
        copy = f"/srv/archive/replica/{DISTRICT}"
        assert self.sh(OFFICE, f"cd {copy}/store && {sums}") == mine
        assert self.lines(OFFICE, f"{copy}/ledger.jsonl") == self.lines(DISTRICT)
        self.figures.add(
            "copied to the office, all hashes equal", f"{len(mine.splitlines())} files, {took:.0f} s"
        )


def declare(other: Second, key: Path) -> None:
    """An archive in the office and in the district, whose scanner has that key."""
    public = " ".join(key.with_suffix(".pub").read_text(encoding="utf-8").split()[:2])
    params = {"tinh-uy": ("e6", {"replicates": True}), "loc-ninh": ("e4", {"scanners": {SCANNER: public}})}
    for slug, (port, archive) in params.items():
        said = yaml.safe_load(other.site(slug).read_text(encoding="utf-8"))
        host = {"segment": "servers", "id": 20, "runs": {"archive": archive}}
        said.setdefault("hosts", {})["arc"] = host
        switch = said.setdefault("devices", {}).setdefault("sw-wan", {})
        switch.setdefault("ports", {})[port] = {"host": "arc"}
        other.site(slug).write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--pages", type=int, default=200)
    asked.add_argument("--kills", type=int, default=4)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", action="store_true", help="leave the lab up")
    options = asked.parse_args()
    assert options.pages >= 8, "some go twice, some are broken off, one becomes hostile"
    assert FONT.exists(), f"no {FONT}: apt-get install fonts-dejavu-core"
    os.environ |= {"LIENTHONG_LAB": LAB, "LIENTHONG_TARGET": "lab"}
    with tempfile.TemporaryDirectory() as name, second(ROOT, LAB, Path(name)) as other:
        key = Path(name) / "scanner"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        declare(other, key)
        try:
            good(other.run("lab", "up", *SITES, "--full", timeout_s=1800))
            good(other.run("apply", *SITES, timeout_s=1800))
            again = good(other.run("apply", *SITES, timeout_s=1800))
            assert " 0 changes" in again, again
            soak = Archive(options.seed, other, key)
            try:
                campaign(soak, other, options.pages, options.kills)
            finally:
                print(soak.figures.table())
        finally:
            if not options.keep:
                other.run("lab", "down")
    return 0


def campaign(soak: Archive, other: Second, pages: int, kills: int) -> None:
    """All of it, in order."""
    said = soak.make(pages)
    soak.pauses()
    soak.only_drops()
    soak.scan(said, kills)
    documents = soak.archived(said)
    soak.copy()
    soak.controls(other, {})
    soak.altered(documents, other)


if __name__ == "__main__":
    sys.exit(main())

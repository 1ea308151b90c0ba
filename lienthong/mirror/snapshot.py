"""Makes a snapshot: apt works out and fetches what is needed, reprepro makes a repository of it and signs.

apt of this machine is asked with a state of its own, in which nothing is installed, and with archives of
Debian only. So it needs no root, changes nothing here, and every package is checked as apt checks it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import LienThongError, Unreachable
from lienthong.lab import apt
from lienthong.model.secret import Secret
from lienthong.secrets.openpgp import home

Say = Callable[[str], None]
#: Of the package debian-archive-keyring, which every Debian system has.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_CONF = """Origin: Lien Thong
Label: Lien Thong
Suite: {suite}
Codename: {suite}
Architectures: {architecture}
Components: main
Description: packages of the closed side
ValidFor: {valid_days}d
DebIndices: Packages Release . .gz
SignWith: {fingerprint}
"""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that was made."""

    path: Path
    packages: int
    bytes: int


def fetch(
    out: Path,
    sets: Iterable[frozenset[str]],
    key: Secret,
    work: Path,
    valid_days: int,
    say: Say,
    *,
    whole: bool = True,
) -> Snapshot:
    """A snapshot in a new folder: `dists/` and `pool/`, plain files only, fit for a bundle.

    Args:
        out: the folder; must not be there. It appears when it is whole.
        sets: names of packages, each set as one system has them; see `wanted`.
        work: what was fetched stays there, so that the next time only news is fetched.
        whole: with the packages that every Debian system has.

    Raises:
        LienThongError: there is something at `out`; reprepro is missing or refuses.
        Unreachable: apt cannot have what is needed.
    """
    if out.exists() or out.is_symlink():
        raise LienThongError(f"{out} is there already", hint="name a new folder")
    if shutil.which("reprepro") is None:
        raise Unreachable("this machine has no reprepro", hint="apt-get install reprepro gnupg")
    asked = _Apt(work, say)
    asked.update()
    every = asked.essential() if whole else frozenset()
    files: set[Path] = set()
    for names in sets:
        say(f"a system with {len(names)} packages and what they need")
        files |= asked.download(every | names)
    asked.forget(files)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        repository(part, sorted(files), key, valid_days, asked.architecture, say)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Snapshot(out, len(files), sum(path.stat().st_size for path in out.rglob("*") if path.is_file()))


class _Apt:
    """This machine's apt with a state of its own under `work`."""

    def __init__(self, work: Path, say: Say) -> None:
        self._work, self._say = work.resolve(), say
        self._archives = self._work / "archives"
        for name in ("lists/partial", "archives/partial", "empty"):
            (self._work / name).mkdir(parents=True, exist_ok=True)
        (self._work / "status").write_text("")
        (self._work / "sources.list").write_text(
            "".join(f"{line}\n" for line in _sources()), encoding="utf-8"
        )
        self.architecture = _run(["dpkg", "--print-architecture"]).strip()

    def update(self) -> None:
        self._say("lists of Debian's archives")
        self._apt("apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update")

    def essential(self) -> frozenset[str]:
        """What a Debian system has before anything is chosen: essential, required, important."""
        found = set()
        for stanza in self._apt("apt-cache", "dumpavail").split("\n\n"):
            if re.search(r"^(Priority: (required|important)|Essential: yes)$", stanza, re.MULTILINE):
                found.add(stanza.split("\n", 1)[0].removeprefix("Package: "))
        return frozenset(found)

    def download(self, names: Collection[str]) -> set[Path]:
        """The files of these packages and of all that they depend on, as a bare system would get them."""
        words = ("-y", "--no-install-recommends", "install", *sorted(names))
        listed = self._apt("apt-get", "-qq", "--print-uris", "--reinstall", *words, cold=True)
        self._apt("apt-get", "-qq", "--download-only", *words)
        # 'URI' name size hash
        found = {
            self._archives / line.rsplit(" ", 3)[1] for line in listed.splitlines() if line.startswith("'")
        }
        missing = sorted(path.name for path in found if not path.is_file())
        if not found or missing:
            raise Unreachable(f"apt did not fetch {', '.join(missing[:3]) or 'anything'}")
        return found

    def forget(self, files: Collection[Path]) -> None:
        """Older versions go; nobody asks for them again."""
        for path in self._archives.glob("*.deb"):
            if path not in files:
                path.unlink()

    def _apt(self, program: str, *words: str, cold: bool = False) -> str:
        """Args: cold: with an empty cache, so that what is fetched already is listed too."""
        settings = {
            "Dir::State::status": self._work / "status",
            "Dir::State::extended_states": self._work / "extended_states",
            "Dir::State::lists": self._work / "lists",
            "Dir::Cache::archives": self._work / "empty" if cold else self._archives,
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Etc::sourcelist": self._work / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return _run([program, *options, *words])


def _sources() -> list[str]:
    """Debian's archives as this machine knows them; whatever else it believes, Debian's own keys count."""
    signed = f"[signed-by={KEYRING}] " if KEYRING.is_file() else ""
    return [str(source).replace("deb ", f"deb {signed}", 1) for source in apt.debian_sources()]


def repository(
    part: Path, files: list[Path], key: Secret, valid_days: int, architecture: str, say: Say
) -> None:
    """A repository of these packages in the folder `part`, signed, without what only reprepro needs.

    Raises:
        Unreachable: reprepro does not make it.
    """
    base = part / "base"
    (base / "conf").mkdir(parents=True)
    say(f"repository of {len(files)} packages (reprepro)")
    with home(key) as keys:
        conf = _CONF.format(
            suite=apt.SUITE, architecture=architecture, valid_days=valid_days, fingerprint=keys.fingerprint
        )
        (base / "conf" / "distributions").write_text(conf, encoding="ascii")
        words = ["--silent", "--basedir", str(base), "--outdir", str(part), "includedeb", apt.SUITE]
        _run(["reprepro", *words, *map(str, files)], keys.environment)
    shutil.rmtree(base)
    for path in part.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _run(argv: list[str], environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, errors="replace", env=environment, check=False
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise Unreachable(f"{argv[0]} failed: {'; '.join(said[-3:])}")
    return done.stdout

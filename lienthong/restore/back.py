"""A restore: documents out of a vault, to its scratch folder, to this computer, or back to their host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.restore.far import Answer, Far
from lienthong.restore.pick import Kept

NEWEST = "newest"
DOCUMENTS = "/srv/documents"
#: The same place as on the vault, and as closed: what would be overwritten is kept there first.
BEFORE = "/srv/restore"
#: On the host, where a bundle of documents waits to be unpacked; mktemp makes its name.
SPOOL = "/var/tmp"  # noqa: S108

#: Puts documents in place as their owner, from a tar on standard input, keeping what they replace.
_OVER = r"""set -eu; umask 077
mkdir -p -m 0700 {before}; new=$(mktemp -d {before}/new.XXXXXX); old={before}/$(date -u +%Y%m%dT%H%M%S)-before
trap 'rm -rf "$new"' EXIT
tar --extract --no-same-owner --no-same-permissions --directory "$new"
cd "$new/$1"
find . -type f -print0 | while IFS= read -r -d '' path; do
  if [ -e "{documents}/$path" ] || [ -L "{documents}/$path" ]; then
    mkdir -p "$old/${{path%/*}}"; cp -a -- "{documents}/$path" "$old/$path"
  fi
done
chown -R docs:docs .; find . -type d -exec chmod 2750 {{}} +; find . -type f -exec chmod 0640 {{}} +
exec 9<{documents}; flock -w 60 9
tar --create --owner=docs --group=docs . | setpriv --reuid docs --regid docs --clear-groups \
  tar --extract --same-permissions --overwrite --directory {documents}
[ -d "$old" ] && echo "$old" || true"""


@dataclass(frozen=True)
class Done:
    """What a restore came to."""

    vault: str
    source: str
    answer: Answer
    where: str
    """where the documents are now"""
    before: str = ""
    """where what was overwritten is kept"""

    @property
    def good(self) -> bool:
        return bool(self.answer.get("ok"))

    def data(self) -> dict[str, Any]:
        bare = {key: value for key, value in self.answer.items() if key not in {"event", "folder"}}
        extra = {"before": self.before} if self.before else {}
        return {"vault": self.vault, "source": self.source, "where": self.where, **bare, **extra}


def plain(path: str) -> str:
    """A document's path below the documents' folder, as it is named in an archive; empty for all of them.

    Raises:
        LienThongError: it leads out.
    """
    text = path.removeprefix(f"{DOCUMENTS}/")
    found = PurePosixPath(text)
    if found.is_absolute() or ".." in found.parts or "\0" in text or "\n" in text:
        raise LienThongError(
            f"{path!r} is no document's path", hint=f"a path below {DOCUMENTS}, e.g. 'cong-van/so-1.pdf'"
        )
    return "" if str(found) == "." else str(found)


def restore(
    far: Far, kept: Kept, source: Node, path: str, archive: str, *, to: Path | None, over_original: bool
) -> Done:
    """Restore, and move on to where it was asked.

    Raises:
        LienThongError: the archive or path is not there; a hash differs, when it was to go further.
    """
    inside = f"{source.name}/{plain(path)}".rstrip("/")
    answer = far.ask(kept.vault, "restore", archive or NEWEST, inside)
    folder = str(answer["folder"])
    done = Done(kept.vault.name, source.name, answer, f"{kept.vault.name}:{folder}/{inside}")
    if to is None and not over_original:
        return done
    if not done.good:
        raise LienThongError(
            f"{kept.vault.name}: what came back differs from its hashes: it stays in {folder}",
            hint="restore an older archive",
        )
    send = ["/usr/local/sbin/lienthong-vault", "send", folder]
    if to is not None:
        if to.exists() and any(to.iterdir()):
            raise LienThongError(f"{to} is not empty", hint="name a new folder: nothing is overwritten")
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        untar = ["tar", "--extract", "--no-same-owner", "--no-same-permissions", "--keep-old-files"]
        far.carry(kept.vault, send, [*untar, "--directory", str(to)], None)
        where, before = str(to / inside), ""
    else:
        spool = far.run(source, ["mktemp", f"{SPOOL}/lienthong-restore.XXXXXX"]).strip()
        try:
            far.carry(kept.vault, send, ["dd", f"of={spool}", "status=none"], source)
            script = _OVER.format(before=BEFORE, documents=DOCUMENTS)
            before = far.run(
                source, ["bash", "-c", f'exec < "$2"; {script}', "over", source.name, spool]
            ).strip()
        finally:
            far.run(source, ["rm", "-f", spool])
        where = f"{source.name}:{DOCUMENTS}"
    far.ask(kept.vault, "forget", folder)
    return Done(kept.vault.name, source.name, answer, where, before)

"""The export as files: for each kind JSON and CSV, numbered in the order of import, and what they are."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.export.check import Objects, Record, problems
from lienthong.export.kinds import KINDS
from lienthong.export.shape import Field, Kind

ABOUT = (
    "Import the files in this order: in NetBox open <url><import>, choose JSON or CSV, paste the file. "
    "Objects refer to each other by name. A kind with by_id wants a number that NetBox gave: look up the id "
    "of the object in termination_name and post it as termination_id. Prefixes name their site by "
    "scope_name (NetBox pull request 21671); for an older NetBox export with --no-scopes. Interfaces name "
    "VLANs (NetBox 4.4.6)."
)


def files(objects: Objects) -> dict[str, str]:
    """Every file by its name; the same objects give the same bytes.

    Raises:
        LienThongError: NetBox would refuse an object.
    """
    wrong = problems(objects)
    if wrong:
        shown = "\n".join(wrong[:20])
        raise LienThongError(
            f"NetBox would refuse {len(wrong)} things:\n{shown}",
            hint="a name may be too long for NetBox; anything else is a fault of this export",
        )
    found: dict[str, str] = {}
    for number, kind in enumerate(KINDS, 1):
        records = objects[kind.name]
        name = f"{number:02}-{kind.name}"
        found[f"{name}.json"] = _json(records)
        if records:
            found[f"{name}.csv"] = table(kind, list(records))
    found["order.json"] = _json({"about": ABOUT, "kinds": manifest(objects)})
    return found


def table(kind: Kind, records: list[Record]) -> str:
    """Comma-separated, UTF-8, with a header of the fields that occur."""
    header = [name for name in kind.fields if any(name in record for record in records)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for record in records:
        writer.writerow([_cell(record.get(name, "")) for name in header])
    return out.getvalue()


def manifest(objects: Objects) -> list[dict[str, object]]:
    """What each file is: where it goes, what its fields mean and where they come from."""
    return [
        {
            "file": f"{number:02}-{kind.name}",
            "count": len(objects[kind.name]),
            "import": f"/{kind.path}/import/",
            "rest": f"/api/{kind.path}/",
            "form": kind.form,
            "by_id": kind.by_id,
            "fields": {name: _said(field) for name, field in kind.fields.items()},
        }
        for number, kind in enumerate(KINDS, 1)
    ]


def _said(field: Field) -> dict[str, object]:
    found: dict[str, object] = {"from": field.source, "required": field.required}
    if field.refers is not None:
        found["refers"] = field.refers.kind
    return found


def write(folder: Path, objects: Objects) -> list[str]:
    """Write every file; their names in order.

    Raises:
        LienThongError: NetBox would refuse an object, or the folder cannot be written.
    """
    made = files(objects)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LienThongError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return list(made)


def _cell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"

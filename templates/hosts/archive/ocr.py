#!/usr/bin/python3 -I
"""Makes a searchable PDF/A of one scan. Written by Liên Thông; runs as `lienthong-ocr` in lienthong-ocr@.service.

Sees the scan, a folder for what comes out, and no network. What it leaves (`document.pdf`, `result.json`) is looked at
by root, which believes nothing of it but that it is a file. Nothing is made better or smaller than it came: a picture
stays as it was sent, except that it is turned upright.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCAN = Path(sys.argv[1])
OUT = Path(sys.argv[2])
SAID = 300


def main() -> int:
    os.chdir(OUT)
    jpeg = SCAN.open("rb").read(3) == b"\xff\xd8\xff"
    words = [
        "ocrmypdf", "--language", "vie+eng", "--output-type", "pdfa-2", "--redo-ocr",
        # A page that lies on its side is said so (its picture stays): 11 was seen of one that does, 14 is the default.
        "--rotate-pages", "--rotate-pages-threshold", "8",
        "--optimize", "0", "--tesseract-timeout", "300", "--max-image-mpixels", "250", "--no-progress-bar", "--quiet",
        # What came without loss is kept without loss; a JPEG passes as it is.
        "--pdfa-image-compression", "auto" if jpeg else "lossless",
        "--sidecar", str(OUT / "text.txt"), str(SCAN), str(OUT / "document.pdf"),
    ]  # fmt: skip
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [""]
    if any("Traceback" in line for line in lines):
        lines = lines[-1:]
    result = {"exit": done.returncode, "said": " ".join(lines)[-SAID:]}
    if done.returncode == 0:
        pages = (OUT / "text.txt").read_text(encoding="utf-8", errors="replace").split("\f")
        said = [page for page in pages if page.strip() and not page.strip().startswith("[OCR skipped")]
        result |= {
            "pages": len(pages),
            "pages_without_text": len(pages) - len(said),
            "words": sum(len(page.split()) for page in said),
        }
    (OUT / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

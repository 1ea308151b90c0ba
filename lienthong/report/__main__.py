"""`python -m lienthong.report SITE` prints the drawing of a site, with nothing looked at yet."""

from __future__ import annotations

import sys

from lienthong.report.drawing import draw
from lienthong.root import find_root
from lienthong.workspace import Workspace

if __name__ == "__main__":
    sys.stdout.write(draw(Workspace(find_root()).site(sys.argv[1]), {}, standalone=True) + "\n")

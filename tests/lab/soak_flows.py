"""Flow records for a quarter of an hour: collectors and bridges that start anew, a gateway that falls silent.

python -m tests.lab.soak_flows
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main([str(Path(__file__).with_name("long_flows.py")), "-q", "-p", "no:cacheprovider"]))

"""python -m benchmarks.micro [--update] [-k NAMES] [other options of pytest]"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def main() -> int:
    """Exit code 1 if something became slower, or a benchmark failed."""
    return pytest.main([str(Path(__file__).parent), "--benchmark-quiet", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())

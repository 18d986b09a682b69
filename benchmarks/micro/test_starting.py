"""How long a new process takes to be of use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.micro.conftest import Pair


def python(*arguments: str) -> Callable[[], int]:
    """A run of the interpreter."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True).returncode


def test_help(pair: Pair) -> None:
    pair(python("-m", "combopt", "--help"), python("-c", "pass"), "python -c pass")


def test_import(pair: Pair) -> None:
    pair(python("-c", "import combopt"), python("-c", "import numpy"), "import numpy")

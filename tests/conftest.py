"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def benchmark_files() -> Path:
    """The folder of benchmark files of the field, from COMBOPT_INSTANCES; the test is skipped without it."""
    folder = os.environ.get("COMBOPT_INSTANCES", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("COMBOPT_INSTANCES names no folder of benchmark files")
    return Path(folder)

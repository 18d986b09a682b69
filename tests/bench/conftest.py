"""Fixtures of the tests that start processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.sweeps import marked


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Processes that are started during the test carry it, and end with the test at the latest."""
    name = str(tmp_path)
    monkeypatch.setenv("COMBOPT_TEST_MARK", name)
    monkeypatch.setenv("COMBOPT_TEST_FOLDER", name)
    yield name
    for process in marked(name):
        os.kill(process, signal.SIGKILL)

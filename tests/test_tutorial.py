"""The blocks of the tutorial run as they stand, and print what their comments say."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PAGES = ["tutorial_robust.md"]
DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r'^```(python|sh)(?: title="([\w.]+)")?\n(.*?)^```$', re.M | re.S)
LIMIT = 300
"""Seconds for a command; on a machine of its own none takes longer than fifteen."""


def promised(code: str) -> list[tuple[int, str]]:
    """Numbers and texts of the prints of a block that have a comment."""
    prints = [line for line in code.splitlines() if line.startswith("print(")]
    return [(k, line.partition("  # ")[2].strip()) if "  # " in line else (k, "") for k, line in enumerate(prints)]


def run_python(code: str, names: dict[str, Any]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "block", "exec"), names)
    lines = said.getvalue().splitlines()
    wanted = promised(code)
    assert len(lines) == len(wanted)
    for number, text in wanted:
        if text:
            assert lines[number] == text


def run_shell(code: str, folder: Path) -> None:
    """Under the name of combopt, the one that is tested."""
    command = folder / "bin" / "combopt"
    if not command.exists():
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m combopt "$@"\n')
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    paths = {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(DOCS.parent), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        ["sh", "-e"], input=code, cwd=folder, env=os.environ | paths, capture_output=True, text=True, timeout=LIMIT
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.timeout(2 * LIMIT)
@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert {language for language, _, _ in blocks} == {"python", "sh"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, Any] = {}
    for language, title, code in blocks:
        if title:
            (tmp_path / title).write_text(code)
            monkeypatch.delitem(sys.modules, title.removesuffix(".py"), raising=False)
        elif language == "python":
            run_python(code, names)
        else:
            run_shell(code, tmp_path)

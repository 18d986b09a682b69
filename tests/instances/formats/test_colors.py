"""Files of colours: round trip, claim, recognition."""

from __future__ import annotations

from pathlib import Path

import pytest

from combopt import api
from combopt.instances.formats.colors import COLORS
from combopt.instances.solutions import Assignment
from combopt.instances.text import Source


@pytest.mark.parametrize("colours", [[0, 1, 2, 0, 1, 2], [4, 1, 1, 1, 1, 9], [3, 3, 3, 3, 3, 3]])
def test_what_is_written_is_read_back(colours: list[int], tmp_path: Path) -> None:
    instance = api.generate("coloring", seed=1, n=6)
    path = tmp_path / "a.sol"
    api.write_solution(Assignment(colours), instance, path)
    assert api.read_solution(path, instance) == Assignment(colours)
    assert api.check(instance, path).claimed == len(set(colours))


@pytest.mark.parametrize(
    ("text", "value"), [("s col 3\nl 1 1\n", 3), ("1 2 3\n", None), ("c s col 3\n1\n", None), ("s mis 3\n", None)]
)
def test_claim(text: str, value: float | None) -> None:
    assert COLORS.claim(Source("a.sol", text)) == value


@pytest.mark.parametrize("text", ['{"type": "assignment"}', "NAME : x\n", "v 1 2\n", "x1 1.0\n"])
def test_other_files_are_not_taken(text: str) -> None:
    assert not COLORS.sniff(Source("a.sol", text))

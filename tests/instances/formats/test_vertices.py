"""Files of chosen vertices: round trip, claim, recognition."""

from __future__ import annotations

from pathlib import Path

import pytest

from combopt import api
from combopt.instances.formats.vertices import VERTICES
from combopt.instances.solutions import Selection
from combopt.instances.text import Source


@pytest.mark.parametrize("kind", ["mis", "clique"])
@pytest.mark.parametrize("items", [[], [3], [0, 5, 7]])
def test_what_is_written_is_read_back(kind: str, items: list[int], tmp_path: Path) -> None:
    instance = api.generate(kind, seed=1, n=8, weighted=True)
    path = tmp_path / "a.sol"
    api.write_solution(Selection(items), instance, path)
    assert api.read_solution(path, instance) == Selection(items)
    assert api.check(instance, path).claimed == instance.evaluate(Selection(items)).objective


@pytest.mark.parametrize(
    ("text", "value"), [("s mis 3\nv 1\n", 3), ("c x\ns 4\nv 1\n", 4), ("1 2 3\n", None), ("c s mis 3\n1\n", None)]
)
def test_claim(text: str, value: float | None) -> None:
    assert VERTICES.claim(Source("a.sol", text)) == value


def test_a_wrong_claim_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.sol"
    path.write_text("s clique 9\nv 1\n")
    assert not api.check(api.generate("clique", seed=1, n=8), path).ok


@pytest.mark.parametrize("text", ['{"type": "selection"}', "NAME : x\nTOUR_SECTION\n", "x1 1.0\n", "l 1 2\n"])
def test_other_files_are_not_taken(text: str) -> None:
    assert not VERTICES.sniff(Source("a.sol", text))

"""Every kind of solution can be drawn; what has no picture gets the course of the search."""

from __future__ import annotations

from pathlib import Path

import pytest

from combopt import api
from combopt.errors import UsageError
from combopt.plot import plot

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("kind", ["tsp", "cvrp", "vrptw", "op", "jobshop", "fjsp", "knapsack"])
def test_pictures(kind: str, tmp_path: Path) -> None:
    instance = api.generate(kind, seed=1, n=8)
    result = api.solve(instance, isolate=False, time_limit=1, threads=1)
    path = tmp_path / "picture.svg"
    plot(result, instance, path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert text.count("<path") > 20


def test_without_a_solution_there_is_nothing_to_draw(tmp_path: Path) -> None:
    instance = api.generate("tsp", n=5)
    result = api.solve(instance, "nearest_neighbour", isolate=False)
    empty = type(result)(**{**result.__dict__, "solution": None, "objective": None})
    with pytest.raises(UsageError):
        plot(empty, instance, tmp_path / "picture.png")


def test_an_unknown_picture_format_is_told(tmp_path: Path) -> None:
    instance = api.generate("tsp", n=5)
    result = api.solve(instance, "nearest_neighbour", isolate=False)
    with pytest.raises(UsageError) as caught:
        plot(result, instance, tmp_path / "picture.xyz")
    assert caught.value.code == "E205"

"""Colourings: objective, every violation, and the program that they are rewritten as."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.errors import InputError, UnsupportedError
from combopt.instances import coloring
from combopt.instances.coloring import Coloring, ranked
from combopt.instances.graph import Graph
from combopt.instances.solutions import Assignment
from tests.brute import coloring as brute


def path() -> Coloring:
    return Coloring(graph=Graph(nodes=4, edges=[[0, 1], [1, 2], [2, 3]]))  # type: ignore[arg-type]


def test_objective_is_the_number_of_different_colours() -> None:
    assert path().evaluate(Assignment([0, 1, 0, 1])).objective == 2
    assert path().evaluate(Assignment([7, 3, 9, 3])).objective == 3


def test_every_clash_and_every_bare_vertex_is_a_violation() -> None:
    evaluation = path().evaluate(Assignment([2, 2, 2, -1]))
    assert [v.constraint for v in evaluation.violations] == ["vertex 4", "edge 1-2", "edge 2-3"]
    assert evaluation.objective == 1


def test_two_bare_vertices_do_not_clash() -> None:
    evaluation = path().evaluate(Assignment([-1, -1, 0, 1]))
    assert [v.constraint for v in evaluation.violations] == ["vertex 1", "vertex 2"]


@pytest.mark.parametrize("colours", [[], [0, 1, 0], [0, 1, 0, 1, 0]])
def test_another_number_of_vertices_is_no_solution(colours: list[int]) -> None:
    with pytest.raises(InputError) as caught:
        path().evaluate(Assignment(colours))
    assert caught.value.code == "E302"


def test_weights_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Coloring(graph=Graph(nodes=1, edges=[], weights=[3]))  # type: ignore[arg-type]
    assert caught.value.code == "E119"


@pytest.mark.parametrize("seed", range(10))
def test_the_program_takes_colourings_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = brute.small(rng)
    view = instance.to_mip()
    mip = view.instance
    start = Assignment(coloring.dsatur(instance.graph))
    point = view.from_original(start)  # type: ignore[misc]
    again = view.to_original(point)
    assert instance.evaluate(again).feasible
    assert instance.evaluate(again).objective == instance.evaluate(start).objective
    assert mip.cost @ point.values == instance.evaluate(start).objective  # type: ignore[attr-defined]
    assert (point.values >= mip.lower).all()  # type: ignore[attr-defined]
    products = np.append(point.values[mip.row_column] * mip.row_value, 0.0)  # type: ignore[attr-defined]
    activity = np.add.reduceat(products, mip.row_start[:-1])  # type: ignore[attr-defined]
    assert (activity <= mip.row_upper).all()  # type: ignore[attr-defined]
    assert (activity >= mip.row_lower).all()  # type: ignore[attr-defined]


def test_a_start_with_too_many_colours_becomes_the_greedy_one() -> None:
    view = path().to_mip()
    point = view.from_original(Assignment([0, 1, 2, 3]))  # type: ignore[misc]
    assert path().evaluate(view.to_original(point)).objective == 2


def test_too_large_a_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coloring, "MIP_ENTRIES", 5)
    with pytest.raises(UnsupportedError):
        path().to_mip()


def test_ranked_gives_the_clique_the_first_colours() -> None:
    assert ranked(np.array([5, 5, 8, 2]), [2, 1]).tolist() == [1, 1, 0, 2]

"""CP-SAT models of graph problems: optima, starts found while building, and what is left out of the model."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.errors import UnsupportedError
from combopt.instances.clique import Clique
from combopt.instances.coloring import Coloring
from combopt.instances.graph import Graph
from combopt.instances.graph_families import make
from combopt.instances.mis import Mis
from combopt.instances.solutions import Assignment
from combopt.model import Instance
from combopt.result import Result, Status
from combopt.solvers.cpsat import graphs


def solve(instance: Instance, **options: object) -> Result:
    return api.solve(instance, "cpsat", isolate=False, time_limit=30.0, threads=1, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_the_clique_search(seed: int, weighted: bool) -> None:
    clique = Clique.generate(np.random.default_rng(seed), n=40, density=0.6, weighted=weighted)
    mis = Mis(graph=clique.graph.complement())
    results = [solve(clique), solve(mis), api.solve(clique, "clique_bb", isolate=False)]
    assert {r.status for r in results} == {Status.OPTIMAL}
    assert len({r.objective for r in results}) == 1


@pytest.mark.parametrize(("n", "colours"), [(5, 3), (11, 4), (23, 5)])
def test_mycielski_graphs(n: int, colours: int) -> None:
    result = solve(Coloring.generate(np.random.default_rng(1), n=n, family="mycielski"))
    assert (result.status, result.objective) == (Status.OPTIMAL, colours)


def test_a_clique_outside_of_what_is_modelled_still_counts() -> None:
    # an odd wheel without triangles in the core, and a triangle that hangs on by one edge and peels off
    core = make(np.random.default_rng(1), "mycielski", 11).edges
    tail = np.array([[10, 11], [11, 12], [11, 13], [12, 13]])
    result = solve(Coloring(graph=Graph(nodes=14, edges=np.concatenate((core, tail)))))
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 4, 4)


@pytest.mark.parametrize("kind", ["mis", "clique", "coloring"])
def test_what_was_found_while_building_is_handed_over(kind: str) -> None:
    instance = api.generate(kind, seed=1, n=30)
    view = graphs.build(instance)
    assert view.start is not None
    assert instance.evaluate(view.start).feasible


@pytest.mark.parametrize("kind", ["mis", "clique", "coloring"])
def test_a_start_makes_a_complete_hint(kind: str) -> None:
    instance = api.generate(kind, seed=1, n=23, family="mycielski")
    best = solve(instance).solution
    view = graphs.build(instance)
    assert view.hint is not None
    assert best is not None
    assert len(list(view.hint(best))) == len(view.model.proto.variables)
    assert solve(instance, start=best).status is Status.OPTIMAL


def test_a_start_with_too_many_colours_is_passed_over() -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=20, density=0.5)
    assert solve(instance, start=Assignment(np.arange(20))).status is Status.OPTIMAL


def test_a_colouring_proved_while_building_needs_no_model() -> None:
    view = graphs.build(Coloring.generate(np.random.default_rng(1), n=60, family="geometric"))
    assert len(view.model.proto.variables) <= 1


def test_models_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "LITERALS", 10)
    with pytest.raises(UnsupportedError):
        graphs.build(Coloring.generate(np.random.default_rng(1), n=23, family="mycielski"))
    monkeypatch.setattr(graphs, "EDGES", 10)
    assert graphs.refuses(api.generate("mis", seed=1, n=20)) is not None
    monkeypatch.setattr(graphs, "DENSE_LIMIT", 3)
    with pytest.raises(UnsupportedError):
        graphs.build(api.generate("clique", seed=1, n=40))

"""DSATUR as a solver."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.instances.coloring import Coloring
from combopt.instances.graph_families import make
from combopt.result import Status


@pytest.mark.parametrize("family", ["erdos-renyi", "geometric", "queen", "mycielski"])
def test_colouring_and_bound(family: str) -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=80, family=family)
    result = api.solve(instance, "dsatur", isolate=False)
    assert result.objective is not None
    assert result.bound is not None
    assert 2 <= result.bound <= result.objective


def test_a_clique_as_large_proves_it() -> None:
    graph = make(np.random.default_rng(1), "geometric", 300)
    assert api.solve(Coloring(graph=graph), "dsatur", isolate=False).status is Status.OPTIMAL


def test_mycielski_graphs_need_more_colours_than_their_cliques() -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=47, family="mycielski")
    result = api.solve(instance, "dsatur", isolate=False)
    assert (result.objective, result.bound) == (6, 2)

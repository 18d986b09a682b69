"""fast-tsp: compact matrices, asymmetric instances, fixed edges, early tours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import StoppedBy, Tour, api
from combopt.errors import UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import RULES, Metric
from combopt.instances.tsp import Tsp
from combopt.solvers.fast_tsp import FastTsp, compact, doubled, limits
from combopt.solvers.held_karp import shortest_order
from combopt.solvers.tours import first_tour


@pytest.mark.parametrize("rule", list(RULES))
def test_limits_hold_for_every_rule(rule: str) -> None:
    points = np.random.default_rng(1).uniform(-80, 80, size=(40, RULES[rule].dimension))
    instance = Tsp(metric=Metric(rule=rule, coordinates=points))
    low, span = limits(instance.metric, np.arange(40))
    full = instance.metric.full()
    assert low <= full.min()
    assert full.max() <= low + span


def test_small_whole_distances_are_taken_as_they_are() -> None:
    instance = Tsp(metric=Metric(rule="EUC_2D", coordinates=np.random.default_rng(1).uniform(0, 999, (700, 2))))
    matrix = compact(instance, np.arange(700))
    assert matrix is not None
    assert np.array_equal(matrix, instance.metric.full())


@pytest.mark.parametrize("side", [1.0, 1e9])
def test_other_distances_are_scaled_to_16_bits(side: float) -> None:
    points = np.random.default_rng(1).uniform(0, side, (50, 2))
    instance = Tsp(metric=Metric(rule="EXACT_2D", coordinates=points))
    matrix = compact(instance, np.arange(50))
    assert matrix is not None
    full = instance.metric.full()
    assert np.abs(matrix / 65535 * limits(instance.metric, np.arange(50))[1] - full).max() <= side / 30_000


def test_prohibitive_distances_do_not_squash_the_others() -> None:
    full = np.full((6, 6), 10**9)
    for i in range(6):
        full[i, (i + 1) % 6] = full[(i + 1) % 6, i] = i + 1
    instance = Tsp(metric=Metric(rule="EXPLICIT", matrix=full))
    matrix = compact(instance, np.arange(6))
    assert matrix is not None
    assert [matrix[i, (i + 1) % 6] for i in range(6)] == [1, 2, 3, 4, 5, 6]
    assert matrix[0, 2] == 21  # no edge of a shorter tour than this one is longer


def test_arcs_become_edges_between_two_sides() -> None:
    instance = Atsp.generate(np.random.default_rng(1), n=5)
    matrix = doubled(instance, np.arange(5)).astype(np.int64)
    assert np.array_equal(matrix, matrix.T)
    assert not matrix[np.arange(5), np.arange(5) + 5].any()
    ranks = np.argsort(instance.metric.full()[~np.eye(5, dtype=bool)], kind="stable")
    assert (np.diff(matrix[5:, :5][~np.eye(5, dtype=bool)][ranks]) >= 0).all()


@pytest.mark.parametrize("kind", [Tsp, Atsp])
@pytest.mark.parametrize("fixed", [False, True])
def test_finds_the_optimum_of_small_instances(kind: type[Tsp] | type[Atsp], fixed: bool) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        path = rng.permutation(14)[:5]
        edges = np.stack([path[:-1], path[1:]], axis=1) if fixed else None
        instance = kind(metric=kind.generate(rng, n=14).metric, fixed_edges=edges)  # type: ignore[arg-type]
        order = shortest_order(instance)
        assert order is not None
        result = api.solve(instance, "fast_tsp", isolate=False, time_limit=1.0, threads=1)
        assert result.objective == instance.evaluate(Tour(order)).objective
        assert result.messages == ()


def test_a_good_tour_is_there_early() -> None:
    instance = Tsp.generate(np.random.default_rng(1), n=400)
    result = api.solve(instance, "fast_tsp", time_limit=3.0)
    first = instance.evaluate(Tour(first_tour(instance))).objective
    assert result.objective is not None
    early = [p.objective for p in result.trace if p.seconds < 1.5 and p.objective is not None]
    assert min(early) < 0.85 * first
    assert min(early) < 1.05 * result.objective


def test_ends_by_itself_once_two_runs_agree() -> None:
    result = api.solve(Tsp.generate(np.random.default_rng(1), n=15), "fast_tsp", time_limit=60)
    assert result.stopped_by is StoppedBy.FINISHED
    assert result.seconds < 20


def test_refuses_what_does_not_fit_into_memory() -> None:
    points = np.zeros((20_001, 2))
    metric = Metric(rule="EUC_2D", coordinates=points)
    assert "too large" in (FastTsp().refuses(Tsp(metric=metric)) or "")
    assert "too large" in (FastTsp().refuses(Atsp(metric=metric)) or "")


def test_refuses_unknown_candidates() -> None:
    with pytest.raises(UsageError):
        api.make_solver("fast_tsp", {"candidates": "delaunay"})


@pytest.mark.parametrize(("name", "length"), [("a280", 2579), ("att48", 10628), ("linhp318", 41345)])
def test_published_optima_of_tsplib(name: str, length: int, benchmark_files: Path) -> None:
    path = benchmark_files / "tsplib" / "tsp" / f"{name}.tsp"
    result = api.solve(path, "fast_tsp", time_limit=20, target=length)
    assert result.objective == length


@pytest.mark.parametrize(("name", "length"), [("ft53", 6905), ("p43", 5620), ("ftv55", 1608)])
def test_published_optima_of_asymmetric_instances(name: str, length: int, benchmark_files: Path) -> None:
    path = benchmark_files / "tsplib" / "atsp" / f"{name}.atsp"
    result = api.solve(path, "auto", time_limit=20, target=length)
    assert result.solver == "fast_tsp"
    assert result.objective == length

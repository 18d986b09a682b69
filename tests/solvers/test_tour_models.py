"""TSP and ATSP through CP-SAT, PyVRP and LKH."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import Status, Tour, api
from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.tsp import Tsp
from combopt.solvers import auto
from combopt.solvers.cpsat import tour as cpsat_tour
from combopt.solvers.lkh import Lkh
from combopt.solvers.pyvrp.tour import build, search_distances
from tests.brute import atsp as brute_atsp
from tests.brute import tsp as brute_tsp

BRUTE = [brute_tsp, brute_atsp]


@pytest.mark.parametrize("brute", BRUTE)
def test_cpsat_proves_the_optimum(brute: object) -> None:
    for number in range(25):
        instance = brute.small(np.random.default_rng(number))  # type: ignore[attr-defined]
        result = api.solve(instance, "cpsat", isolate=False, time_limit=20, threads=1)
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(brute.best(instance), rel=1e-9)  # type: ignore[attr-defined]


def test_cpsat_refuses_large_instances_and_numbers() -> None:
    assert "150" in (cpsat_tour.refuses(Tsp.generate(np.random.default_rng(1), n=151)) or "")
    full = np.full((3, 3), 2**41)
    assert cpsat_tour.refuses(Tsp(metric=Metric(rule="EXPLICIT", matrix=full))) is not None


def test_bounds_of_unrounded_distances_hold() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        instance = Tsp(metric=Metric(rule="EXACT_2D", coordinates=rng.uniform(0, 1, (7, 2))))
        result = api.solve(instance, "cpsat", isolate=False, time_limit=20, threads=1)
        best = brute_tsp.best(instance)
        assert best is not None
        assert result.bound is not None
        assert result.bound <= best * (1 + 1e-12)
        assert result.status is Status.OPTIMAL


@pytest.mark.parametrize("brute", BRUTE)
def test_pyvrp_tours_are_feasible(brute: object) -> None:
    for number in range(12):
        instance = brute.small(np.random.default_rng(number))  # type: ignore[attr-defined]
        result = api.solve(instance, "pyvrp", isolate=False, time_limit=5, iterations=30, threads=1)
        assert result.solution is not None
        assert result.messages == ()


def test_pyvrp_starts_from_a_tour() -> None:
    instance = Atsp.generate(np.random.default_rng(1), n=9)
    order = np.random.default_rng(2).permutation(9)
    view = build(instance)
    assert view.encode is not None
    start = view.encode(Tour(order))
    assert start is not None
    assert start.distance() == instance.evaluate(Tour(order)).objective
    back = view.decode(start)
    assert isinstance(back, Tour)
    assert np.roll(order, -order.tolist().index(0)).tolist() == back.order.tolist()


def test_search_distances_rank_tours_as_the_instance_does() -> None:
    rng = np.random.default_rng(1)
    full = rng.integers(-50, 50, size=(7, 7))
    instance = Atsp(metric=Metric(rule="EXPLICIT", matrix=full), fixed_edges=np.array([[1, 2]]))
    search = search_distances(instance, 10**6)
    assert search.min() == 0
    tours = [Tour(order) for order in brute_tsp.all_tours(7)]
    feasible = [t for t in tours if instance.evaluate(t).feasible]
    by_search = sorted(tours, key=lambda t: search[t.order, np.roll(t.order, -1)].sum())
    assert instance.evaluate(by_search[0]).objective == min(instance.evaluate(t).objective for t in feasible)
    assert all(instance.evaluate(t).feasible for t in by_search[: len(feasible)])


@pytest.mark.parametrize("brute", BRUTE)
def test_lkh_finds_the_optimum(brute: object) -> None:
    pytest.importorskip("elkai")
    for number in range(20):
        instance = brute.small(np.random.default_rng(number))  # type: ignore[attr-defined]
        result = api.solve(instance, "lkh", isolate=False, time_limit=10, iterations=2)
        assert result.objective == pytest.approx(brute.best(instance), rel=1e-9)  # type: ignore[attr-defined]
        assert result.messages == ()


def test_lkh_is_never_chosen_by_itself() -> None:
    assert "lkh" not in {rule.solver for rule in auto.RULES}
    assert Lkh.info.extra == "lkh"
    assert "non-commercial" in Lkh.info.licence


@pytest.mark.parametrize(
    ("kind", "n", "solver"),
    [
        (Tsp, 10, "held_karp"),
        (Tsp, 500, "fast_tsp"),
        (Tsp, 12_001, "or_opt"),
        (Atsp, 10, "held_karp"),
        (Atsp, 60, "fast_tsp"),
    ],
)
def test_the_choice_by_size(kind: type[Tsp] | type[Atsp], n: int, solver: str) -> None:
    pytest.importorskip("numba")
    assert auto.choose(kind.generate(np.random.default_rng(1), n=n)) == solver

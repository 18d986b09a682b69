"""Reduced programs stand for the whole one: same points, same values; neighbourhoods hold what they promise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from combopt import api
from combopt.instances.mip import Mip, MipBuilder, Sos
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.solvers.balans.neighbourhoods import operators
from combopt.solvers.balans.reduced import reduced
from combopt.solvers.balans.space import MipNeighbourhood, MipSpace
from combopt.solvers.lns.engine import Found, State
from tests.brute import mip as brute


def feasible_point(mip: Mip) -> np.ndarray:
    result = api.solve(mip, "scip", isolate=False, threads=1, time_limit=10)
    assert isinstance(result.solution, Point)
    return result.solution.values


def binary_program(seed: int, sense: Sense = Sense.MIN) -> Mip:
    """Six binaries and a general integer, three rows, an offset."""
    rng = np.random.default_rng(seed)
    builder = MipBuilder("p", sense=sense, offset=2.5)
    columns = [builder.binary(f"b{i}", float(rng.integers(-5, 6))) for i in range(6)]
    columns.append(builder.column("g", float(rng.integers(-3, 4)), -1.0, 2.0, 1))
    for _ in range(3):
        terms = {c: float(rng.integers(-3, 4)) for c in columns if rng.random() < 0.7}
        builder.row({c: v for c, v in terms.items() if v}, -4.0, 4.0)
    return builder.build()


def points(mip: Mip) -> list[np.ndarray]:
    ranges = [range(int(low), int(high) + 1) for low, high in zip(mip.lower, mip.upper, strict=True)]
    all_points = (np.array(p, dtype=float) for p in itertools.product(*ranges))
    return [p for p in all_points if mip.evaluate(Point(mip.columns, p)).feasible]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("sense", Sense)
def test_a_reduced_program_has_the_points_of_the_neighbourhood(seed: int, sense: Sense) -> None:
    mip = binary_program(seed, sense)
    space, everything = MipSpace(mip), points(mip)
    rng = np.random.default_rng(seed)
    base = everything[int(rng.integers(len(everything)))]
    free = rng.random(7) < 0.6
    small = reduced(space, MipNeighbourhood(free=free, values=base))
    inside = {p.tobytes() for p in everything if np.array_equal(p[~free], base[~free])}
    assert small is not None
    lifted = [small.lifted(Point(small.mip.columns, p)) for p in points(small.mip)]
    assert {p.tobytes() for p in lifted} == inside
    for p in points(small.mip):
        whole = mip.evaluate(Point(mip.columns, small.lifted(Point(small.mip.columns, p))))
        assert small.mip.evaluate(Point(small.mip.columns, p)).objective == pytest.approx(whole.objective)


def test_fixed_values_that_break_a_row_leave_nothing() -> None:
    builder = MipBuilder()
    a, b = builder.binary("a"), builder.binary("b")
    builder.row({a: 1.0}, upper=0.0)
    free = np.array([False, True])
    assert reduced(MipSpace(builder.build()), MipNeighbourhood(free=free, values=np.array([1.0, 0.0]))) is None
    assert b == 1


def test_rows_that_cannot_be_broken_are_left_out() -> None:
    builder = MipBuilder()
    columns = [builder.binary(f"x{i}") for i in range(4)]
    builder.row(dict.fromkeys(columns, 1.0), upper=3.0)
    builder.row(dict.fromkeys(columns[:2], 1.0), upper=1.0)
    free = np.array([True, True, False, False])
    small = reduced(MipSpace(builder.build()), MipNeighbourhood(free=free, values=np.array([1.0, 0.0, 0.0, 0.0])))
    assert small is not None
    assert small.mip.size()["rows"] == 1


def test_columns_of_sets_and_indicators_stay() -> None:
    builder = MipBuilder()
    columns = [builder.column(f"x{i}", -1.0, 0.0, 5.0, 1) for i in range(3)]
    builder.row(dict.fromkeys(columns, 1.0), upper=9.0)
    mip = builder.build(sos=(Sos(type=1, columns=(0, 1), weights=(1.0, 2.0)),))
    space = MipSpace(mip)
    assert space.discrete.tolist() == [False, False, True]
    small = reduced(space, MipNeighbourhood(free=np.array([True, True, False]), values=np.array([5.0, 0.0, 4.0])))
    assert small is not None
    assert small.mip.sos[0].columns == (0, 1)


NAMES = sorted(operators(MipSpace(binary_program(0)), lambda: None))


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("run_")])
def test_neighbourhoods_hold_the_current_solution_and_free_what_the_size_says(name: str) -> None:
    mip = api.generate("mip", seed=2, n=60, family="facility")
    space, now = MipSpace(mip), feasible_point(mip)
    relaxed = np.clip(now + 0.4, mip.lower, mip.upper)
    other = np.where(space.discrete, np.clip(1 - now, mip.lower, mip.upper), now)
    state = State(Found(now, space.value(now)), Found(now, space.value(now)), [Found(now, 0.0), Found(other, 1.0)])
    built = operators(space, lambda: relaxed)[name].build(state, 0.2, np.random.default_rng(0))
    if name == "dins":
        assert built is None or isinstance(built, MipNeighbourhood)
    assert isinstance(built, MipNeighbourhood)
    assert built.free[~mip.integral].all()
    if name not in ("rens", "proximity"):
        assert built.holds_values
    if name in ("mutation", "crossover", "objective", "graph", "row", "kind", "rins", "random_objective"):
        assert (built.free & space.discrete).sum() == round(0.2 * space.discrete.sum())
        assert np.array_equal(built.values, now)
    small = reduced(space, built)
    assert small is not None
    if built.holds_values:
        assert small.mip.evaluate(small.point()).feasible


@pytest.mark.parametrize("name", ["mutation", "objective", "row", "kind", "graph"])
def test_draws_differ_and_repeat_with_their_seed(name: str) -> None:
    mip = api.generate("mip", seed=3, n=80, family="set_cover")
    space = MipSpace(mip)
    now = np.ones(len(mip.columns))
    state = State(Found(now, 0.0), Found(now, 0.0), [])
    operator = operators(space, lambda: None)[name]

    def free(seed: int) -> bytes:
        built = operator.build(state, 0.1, np.random.default_rng(seed))
        assert isinstance(built, MipNeighbourhood)
        return built.free.tobytes()

    assert free(1) == free(1)
    assert len({free(seed) for seed in range(6)}) > 1


def test_local_branching_bounds_the_distance() -> None:
    mip = binary_program(1)
    space, base = MipSpace(mip), points(mip)[0]
    state = State(Found(base, 0.0), Found(base, 0.0), [])
    built = operators(space, lambda: None)["local_branching"].build(state, 0.4, np.random.default_rng(0))
    assert isinstance(built, MipNeighbourhood)
    small = reduced(space, built)
    assert small is not None
    found = {small.lifted(Point(small.mip.columns, p)).tobytes() for p in points(small.mip)}
    assert found == {p.tobytes() for p in points(mip) if (p[:6] != base[:6]).sum() <= 2}


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_survive_any_reduction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mip = brute.small(rng)
    result = api.solve(mip, "scip", isolate=False, threads=1, time_limit=5)
    if not isinstance(result.solution, Point):
        return
    space = MipSpace(mip)
    free = ~space.discrete | (rng.random(len(mip.columns)) < 0.5)
    small = reduced(space, MipNeighbourhood(free=free, values=result.solution.values))
    assert small is not None
    assert small.mip.evaluate(small.point()).objective == pytest.approx(float(result.objective or 0), abs=1e-6)

from __future__ import annotations

import numpy as np
import pytest

from combopt.errors import InputError
from combopt.instances.binpacking import BinPacking
from combopt.instances.binpacking_bounds import dual_feasible, fit_decreasing, lower_bound, martello_toth
from combopt.instances.solutions import Assignment
from combopt.model import Instance

FAMILIES = ("uniform", "triplet", "scholl1", "scholl2", "scholl3")


def _small() -> BinPacking:
    return BinPacking(item_size=[7, 5, 3, 3], capacity=10)


def test_objective_counts_distinct_bins() -> None:
    evaluation = _small().evaluate(Assignment([900, 4, 900, 4]))
    assert (evaluation.objective, evaluation.feasible) == (2, True)


def test_every_violation_is_listed() -> None:
    evaluation = _small().evaluate(Assignment([0, 0, -7, -1]))
    assert [(v.constraint, v.amount) for v in evaluation.violations] == [("item 3", 1), ("item 4", 1), ("bin 1", 2)]


def test_exact_beyond_floating_point() -> None:
    big = 2**58
    instance = BinPacking(item_size=[big, big + 1], capacity=2 * big)
    assert instance.evaluate(Assignment([0, 0])).violations[0].amount == 1


def test_an_assignment_of_another_length_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        _small().evaluate(Assignment([0, 0, 0]))
    assert caught.value.code == "E302"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"item_size": []}, "E118"),
        ({"item_size": [1, -1]}, "E114"),
        ({"capacity": 0}, "E114"),
        ({"scale": 7}, "E114"),
        ({"item_size": [2**61, 2**61]}, "E114"),
    ],
)
def test_constructor_refuses(change: dict[str, object], code: str) -> None:
    fields: dict[str, object] = {"item_size": [7, 5], "capacity": 10, **change}
    with pytest.raises(InputError) as caught:
        BinPacking(**fields)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_dict_round_trip() -> None:
    instance = BinPacking(item_size=[499, 251], capacity=1000, scale=10)
    assert Instance.from_dict(instance.to_dict()) == instance


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [1, 4, 9, 60])
def test_mip_view_carries_solutions_there_and_back(family: str, n: int) -> None:
    instance = BinPacking.generate(np.random.default_rng(n), n=n, family=family)
    packing = Assignment(fit_decreasing(instance.item_size, instance.capacity))
    view = instance.to_mip()
    assert view.from_original is not None
    point = view.from_original(packing)
    mip = view.instance
    rows = np.add.reduceat(mip.row_value * point.values[mip.row_column], mip.row_start[:-1])  # type: ignore[attr-defined]
    assert (rows >= mip.row_lower - 1e-9).all()  # type: ignore[attr-defined]
    assert (rows <= mip.row_upper + 1e-9).all()  # type: ignore[attr-defined]
    back = instance.evaluate(view.to_original(point))
    assert back == instance.evaluate(packing)


def test_mip_view_without_small_arc_flow_carries_solutions_too() -> None:
    instance = BinPacking(item_size=[10**7 - 1, 10**7, 3, 10**7 - 3, 4], capacity=2 * 10**7)
    view = instance.to_mip()
    packing = Assignment([3, 1, 3, 3, 1])
    assert view.from_original is not None
    assert instance.evaluate(view.to_original(view.from_original(packing))).objective == 2


def test_bounds_against_values_worked_by_hand() -> None:
    # three items of more than half a bin; the four of 3 do not fit beside those of 8
    assert martello_toth(np.array([8, 8, 8, 3, 3, 3, 3]), 10) == 5
    assert lower_bound(np.array([5, 5, 5]), 10) == 2
    assert lower_bound(np.array([4] * 9), 10) == 5  # u^(2) sees that two of 4 fill a bin
    assert dual_feasible(np.array([4] * 9), 10) == 5


def test_bounds_never_exceed_a_packing() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        capacity = int(rng.integers(1, 40))
        size = rng.integers(0, capacity + 1, int(rng.integers(1, 30)))
        bins = int(fit_decreasing(size, capacity).max()) + 1
        best = int(fit_decreasing(size, capacity, best=True).max()) + 1
        assert -(-int(size.sum()) // capacity) <= lower_bound(size, capacity) <= min(bins, best)


def test_triplets_fill_their_bins() -> None:
    instance = BinPacking.generate(np.random.default_rng(0), n=30, family="triplet")
    assert instance.item_size.sum() == 10 * instance.capacity
    assert lower_bound(instance.item_size, instance.capacity) == 10

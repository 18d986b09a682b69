"""Distances: hand values of every rule, and what holds for all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from combopt.errors import InputError
from combopt.instances.metric import RULES, Metric, nint


def between(rule: str, a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return Metric(rule=rule, coordinates=np.array([a, b], dtype=float)).between(0, 1).item()


@pytest.mark.parametrize(
    ("rule", "a", "b", "expected"),
    [
        ("EUC_2D", (0, 0), (3, 4), 5),
        ("EUC_2D", (0, 0), (1.5, 2), 3),  # 2.5: halves go up, not to the even neighbour
        ("EUC_2D", (0, 0), (0.5, 0), 1),
        ("EUC_2D", (-1, -1), (0, 0), 1),
        ("EUC_3D", (0, 0, 0), (2, 3, 6), 7),
        ("CEIL_2D", (0, 0), (1, 1), 2),
        ("CEIL_2D", (0, 0), (3, 4), 5),
        ("FLOOR_2D", (0, 0), (1, 1), 1),
        ("MAN_2D", (0, 0), (1.25, 1.25), 3),
        ("MAN_3D", (0, 0, 0), (1, 2, -3), 6),
        ("MAX_2D", (0, 0), (1.5, -1), 2),
        ("MAX_3D", (0, 0, 0), (1, 2, -3), 3),
        ("ATT", (0, 0), (10, 30), 10),
        ("ATT", (0, 0), (10, 0), 4),  # sqrt(10) = 3.16 is rounded up
        ("GEO", (16.47, 96.10), (16.47, 94.44), 153),
        ("GEO", (-33.5, 18.25), (-33.5, 18.25), 1),  # two nodes at one place
        ("GEO", (0.0, 0.0), (0.0, 90.0), 10020),  # a quarter of the equator
        ("EXACT_2D", (0, 0), (1, 1), math.sqrt(2)),
        ("DIMACS_2D", (0, 0), (1, 1), 14),  # 1.4 in tenths
        ("DIMACS_2D", (0, 0), (3, 4), 50),
    ],
)
def test_hand_values(rule: str, a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
    assert between(rule, a, b) == expected


def test_geo_truncates_degrees() -> None:
    # 38.24 means 38 degrees and 24 minutes; rounding 38.50 up to 39 degrees would give 39 degrees less 50 minutes
    assert between("GEO", (38.50, 0.0), (38.0, 0.0)) == int(6378.388 * 3.141592 * (50 / 60) / 180 + 1)


def test_halves_go_up() -> None:
    assert nint(np.array([0.5, 1.5, 2.5, -0.5])).tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize("rule", list(RULES))
def test_symmetric_with_zero_diagonal(rule: str) -> None:
    points = np.random.default_rng(3).uniform(-80, 80, size=(30, RULES[rule].dimension))
    full = Metric(rule=rule, coordinates=points).full()
    assert np.array_equal(full, full.T)
    assert not full.diagonal().any()
    assert full.dtype == (np.float64 if rule == "EXACT_2D" else np.int64)


def test_full_matrix_in_blocks_equals_pairs() -> None:
    metric = Metric(rule="EUC_2D", coordinates=np.random.default_rng(1).uniform(0, 999, size=(700, 2)))
    i, j = np.random.default_rng(2).integers(0, 700, size=(2, 500))
    assert np.array_equal(metric.full()[i, j], metric.between(i, j))


def test_the_diagonal_of_a_matrix_counts_as_zero() -> None:
    metric = Metric(rule="EXPLICIT", matrix=np.array([[9999, 1], [2, 9999]]))
    assert metric.full().tolist() == [[0, 1], [2, 0]]


def test_a_matrix_given_is_not_changed() -> None:
    mine = np.array([[7, 1], [2, 7]])
    Metric(rule="EXPLICIT", matrix=mine)
    assert mine[0, 0] == 7


def test_cycle_and_path() -> None:
    metric = Metric(rule="EUC_2D", coordinates=np.array([[0, 0], [3, 0], [3, 4]], dtype=float))
    assert metric.cycle(np.array([0, 1, 2])) == 12
    assert metric.path(np.array([0, 1, 2])) == 7
    assert metric.cycle(np.array([0])) == 0


def test_sums_do_not_overflow() -> None:
    big = 2**61
    metric = Metric(rule="EXPLICIT", matrix=np.array([[0, big, big], [big, 0, big], [big, big, 0]]))
    assert metric.cycle(np.array([0, 1, 2])) == 3 * big


def test_tenths_become_lengths() -> None:
    metric = Metric(rule="DIMACS_2D", coordinates=np.array([[0, 0], [1, 1]], dtype=float))
    assert metric.in_length(metric.cycle(np.array([0, 1]))) == 2.8


def test_negative_zero_is_zero() -> None:
    one, two = (Metric(rule="EUC_2D", coordinates=np.array([[zero, 1.0]])) for zero in (0.0, -0.0))
    assert np.signbit(one.coordinates).tolist() == np.signbit(two.coordinates).tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"rule": "XRAY1", "coordinates": [[0, 0]]}, "E119"),
        ({"rule": "EUC_2D"}, "E118"),
        ({"rule": "EXPLICIT"}, "E118"),
        ({"rule": "EUC_2D", "coordinates": [[0, 0]], "matrix": [[0]]}, "E118"),
        ({"rule": "EUC_2D", "coordinates": [[0, 0, 0]]}, "E115"),
        ({"rule": "EUC_2D", "coordinates": [[0, math.nan]]}, "E114"),
        ({"rule": "EUC_2D", "coordinates": [[0, math.inf]]}, "E114"),
        ({"rule": "EUC_2D", "coordinates": [[0, 1e16]]}, "E114"),
        ({"rule": "EUC_2D", "coordinates": np.zeros((0, 2))}, "E118"),
        ({"rule": "EXPLICIT", "matrix": [[0, 1]]}, "E115"),
        ({"rule": "EXPLICIT", "matrix": [[0, 0.5], [1, 0]]}, "E113"),
        ({"rule": "EXPLICIT", "matrix": [[0, 2**62], [1, 0]]}, "E114"),
        ({"rule": "EXPLICIT", "matrix": [[0, 1], [1, 0]], "coordinates": [[0, 0]]}, "E115"),
    ],
)
def test_bad_data_is_refused(data: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        Metric(**data)  # type: ignore[arg-type]
    assert caught.value.code == code

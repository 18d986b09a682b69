from __future__ import annotations

import numpy as np
import pytest

from combopt.errors import InputError
from combopt.instances.setcover import SetCover, from_pairs
from combopt.instances.solutions import Selection
from combopt.model import Instance


def _small() -> SetCover:
    return SetCover(rows=3, cost=[1, 2, 3, 4], column_start=[0, 1, 3, 4, 6], column_row=[0, 1, 0, 1, 2, 1])


def test_rows_of_a_column_are_sorted() -> None:
    assert _small().column_row.tolist() == [0, 0, 1, 1, 1, 2]


def test_objective_and_feasibility() -> None:
    evaluation = _small().evaluate(Selection([0, 3]))
    assert (evaluation.objective, evaluation.feasible) == (5, True)


def test_every_violation_is_listed() -> None:
    evaluation = _small().evaluate(Selection([-5, 2, 2, 4]))
    assert [v.constraint for v in evaluation.violations] == ["column -4", "column 5", "column 3", "row 1", "row 3"]


def test_by_row_is_the_same_incidence() -> None:
    start, column = _small().by_row()
    assert start.tolist() == [0, 2, 5, 6]
    assert column.tolist() == [0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cost": [1, 2, -3, 4]}, "E114"),
        ({"column_start": [0, 1, 3, 4]}, "E115"),
        ({"column_start": [0, 3, 1, 4, 6]}, "E120"),
        ({"column_start": [0, 1, 3, 4, 5]}, "E120"),
        ({"column_row": [0, 1, 0, 1, 3, 1]}, "E117"),
        ({"column_row": [0, 1, 1, 1, 2, 1]}, "E116"),
        ({"rows": 0}, "E118"),
    ],
)
def test_constructor_refuses(change: dict[str, object], code: str) -> None:
    fields: dict[str, object] = {"rows": 3, "cost": [1, 2, 3, 4], "column_start": [0, 1, 3, 4, 6]}
    with pytest.raises(InputError) as caught:
        SetCover(**{**fields, "column_row": [0, 1, 0, 1, 2, 1], **change})  # type: ignore[arg-type]
    assert caught.value.code == code


def test_round_trips() -> None:
    instance = _small()
    assert Instance.from_dict(instance.to_dict()) == instance
    view = instance.to_mip()
    assert view.from_original is not None
    assert view.to_original(view.from_original(Selection([1, 3]))) == Selection([1, 3])


def test_row_relabelling_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    instance = SetCover.generate(rng, n=40)
    order = rng.permutation(instance.rows)
    column = np.repeat(np.arange(40), np.diff(instance.column_start))
    other = from_pairs("other", instance.rows, instance.cost, order[instance.column_row], column)
    chosen = Selection(np.flatnonzero(rng.random(40) < 0.7))
    before, after = instance.evaluate(chosen), other.evaluate(chosen)
    assert before.objective == after.objective
    assert len(before.violations) == len(after.violations)


@pytest.mark.parametrize("n", [2, 4, 9, 100])
@pytest.mark.parametrize("family", ["weighted", "unicost"])
def test_generated_rows_are_covered_twice_and_columns_are_not_empty(n: int, family: str) -> None:
    instance = SetCover.generate(np.random.default_rng(n), n=n, family=family, density=0.1)
    assert np.bincount(instance.column_row, minlength=instance.rows).min() >= 2
    assert np.diff(instance.column_start).min() >= 1
    assert (family == "unicost") <= (instance.cost == 1).all()

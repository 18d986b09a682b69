from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.robust_knapsack import FAMILIES, RobustKnapsack
from combopt.instances.solutions import RobustPlan
from tests.brute.robust_knapsack import worst_case


def _instance(**changes: object) -> RobustKnapsack:
    data: dict[str, object] = {
        "profit": [10, 12, 7], "deviation": [4, 5, 2], "repair": [2, 3, 1], "weight": [8, 9, 5],
        "outsourcing": [12, 15, 9], "capacity": 20, "budget": 1.5,
    }  # fmt: skip
    return RobustKnapsack(**{**data, **changes})  # type: ignore[arg-type]


def _plan(*rows: list[int], x: tuple[float, ...] = (1, 1, 0), **more: object) -> RobustPlan:
    return RobustPlan(x, np.array(rows) if rows else np.zeros((0, 0)), **more)  # type: ignore[arg-type]


def test_a_single_recourse_is_worth_its_worst_case() -> None:
    evaluation = _instance().evaluate(_plan([1, 1, 0, 0, 0, 0]))
    assert evaluation.feasible
    # both are produced: 10 + 12, less the larger loss and half of the other
    assert evaluation.objective == 22 - 5 - 0.5 * 4
    assert evaluation.notes[0] == "accepted items: 1, 2"
    assert "profit falls by 7" in evaluation.notes[1]


def test_a_repaired_item_loses_nothing() -> None:
    assert _instance().evaluate(_plan([1, 1, 0, 0, 1, 0])).objective == 22 - 4


def test_outsourcing_costs() -> None:
    assert _instance().evaluate(_plan([0, 0, 0, 0, 0, 0])).objective == 10 - 12 + 12 - 15


def test_a_mixture_is_worth_what_it_guarantees() -> None:
    rows = ([1, 1, 0, 1, 0, 0], [1, 1, 0, 0, 1, 0])
    plan = _plan(*rows, weights=[0.5, 0.5])
    wide = _instance(capacity=30)
    assert wide.evaluate(plan).objective == 22 - 2.5 - 0.5 * 2
    assert wide.evaluate(_plan(*rows)).objective == 22 - 4  # without weights the better row alone


@pytest.mark.parametrize(
    ("plan", "constraints"),
    [
        (_plan(), ["recourse"]),
        (_plan([1, 0, 1, 0, 0, 0]), ["recourse 1"]),
        (_plan([1, 0, 0, 0, 1, 0]), ["recourse 1"]),
        (_plan([1, 1, 0, 1, 1, 0]), ["capacity"]),
        (_plan([1, 0, 0, 0, 0, 0], x=(1, 0.5, 0)), ["item 2"]),
        (RobustPlan([1, 1, 0], [[0.5, 0, 0, 0, 0, 0]]), ["recourse 1"]),
        (_plan([1, 0, 0, 0, 0, 0], weights=[0.9]), ["weights"]),
        (_plan([1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], weights=[1.5, -0.5]), ["weights"]),
        (_plan([1, 0, 0, 0, 0, 0], scenario=[1, 1, 0]), ["scenario"]),
    ],
)
def test_violations_are_named(plan: RobustPlan, constraints: list[str]) -> None:
    assert [v.constraint for v in _instance().evaluate(plan).violations] == constraints


def test_shapes_are_checked() -> None:
    for plan in (_plan([1, 0, 0]), _plan([1, 0, 0, 0], x=(1, 1)), _plan([0] * 6, scenario=[1.0])):
        with pytest.raises(InputError) as caught:
            _instance().evaluate(plan)
        assert caught.value.code == "E302"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"profit": []}, "E118"),
        ({"deviation": [4, 5]}, "E115"),
        ({"deviation": [4, -5, 2]}, "E114"),
        ({"weight": [8, -9, 5]}, "E114"),
        ({"weight": [8, 9.5, 5]}, "E113"),
        ({"capacity": -1}, "E114"),
        ({"budget": -0.5}, "E114"),
        ({"budget": float("nan")}, "E114"),
        ({"profit": [10, float("inf"), 7]}, "E114"),
        ({"weight_scale": 5}, "E114"),
    ],
)
def test_bad_data_are_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        _instance(**changes)
    assert caught.value.code == code


def test_guarantees_never_exceed_the_exact_worst_case() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        instance = RobustKnapsack.generate(rng, n=4, budget_factor=0.4, family=str(rng.choice(FAMILIES)))
        x = tuple(rng.integers(0, 2, 4).tolist())
        rows = []
        for modes in itertools.product((0, 1, 2), repeat=4):
            y, r = np.array(modes) > 0, np.array(modes) == 2
            if (y <= np.array(x)).all() and y @ instance.weight + r @ instance.repair <= instance.capacity:
                rows.append([*y.tolist(), *r.tolist()])
        chosen = rng.choice(len(rows), size=min(3, len(rows)), replace=False)
        weights = rng.dirichlet(np.ones(len(chosen)))
        plan = RobustPlan(x, np.array([rows[k] for k in chosen], dtype=float), weights / weights.sum())
        evaluation = instance.evaluate(plan)
        assert evaluation.feasible
        assert evaluation.objective <= worst_case(instance, x) + 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_generator_keeps_to_the_published_ranges(family: str) -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(1), n=300, family=family, h=40, delta=0.5)
    c, p, d = instance.weight, instance.profit, instance.deviation
    assert c.min() >= 1
    assert c.max() <= 1000
    assert instance.capacity == 40 * c.sum() // 101
    assert instance.budget == 30
    assert (d >= np.floor(0.25 * p) - 1).all()
    assert (d <= np.maximum(1, 0.75 * p)).all()
    assert (instance.outsourcing >= np.maximum(1, np.floor(1.1 * p - 1))).all()
    assert (instance.outsourcing <= np.maximum(1, 1.5 * p)).all()
    if family == "SC":
        assert (p == c + 100).all()
        assert (np.abs(instance.repair - (d / 2 + c / 10)) <= 1).all()
    elif family == "ASC":
        assert (np.abs(p - c - 100) <= 2).all()
    elif family == "WC":
        assert (np.abs(p - np.maximum(c, 51)) <= 51).all()
    else:
        assert abs(np.corrcoef(p, c)[0, 1]) < 0.3
        assert (instance.repair <= c).all()


def test_generator_refuses_what_makes_no_sense() -> None:
    for parameters in ({"family": "XX"}, {"n": 0}, {"delta": 2.0}, {"h": 102}, {"budget_factor": -1.0}):
        with pytest.raises(UsageError):
            RobustKnapsack.generate(np.random.default_rng(0), **parameters)  # type: ignore[arg-type]


def test_names_pick_lines(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    lines = []
    for k in range(3):
        made = RobustKnapsack.generate(np.random.default_rng(k), n=4)
        api.write(made, path)
        lines.append(json.dumps({**json.loads(path.read_text()), "name": f"no{k}"}))
    path.write_text("\n".join(lines))
    first, second = api.read(f"{path}#no1"), api.read(f"{path}#2")
    assert first == second
    assert first.name == "no1"
    assert first.digest() == RobustKnapsack.generate(np.random.default_rng(1), n=4).digest()
    with pytest.raises(InputError) as caught:
        api.read(f"{path}#no7")
    assert caught.value.code == "E117"


def test_published_instances_are_read(benchmark_files: Path) -> None:
    path = benchmark_files / "robust" / "kp_instances.jsonl"
    with (benchmark_files / "robust" / "kp_reference.csv").open() as file:
        row = next(csv.DictReader(file))
    instance = api.read(f"{path}#{row['instance']}")
    assert isinstance(instance, RobustKnapsack)
    assert (instance.items, instance.budget, instance.capacity) == (20, 2.0, 5360)


def test_the_general_form_has_the_same_optimum() -> None:
    from tests.brute.robust_knapsack import best

    rng = np.random.default_rng(21)
    for _ in range(4):
        instance = RobustKnapsack.generate(rng, n=3, largest=50, budget_factor=0.4)
        result = api.solve(instance.to_robust(), "ccg", isolate=False, time_limit=30, threads=1)
        assert result.objective == pytest.approx(best(instance), abs=1e-5)

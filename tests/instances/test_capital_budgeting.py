"""Capital budgeting: what a plan guarantees, against brute force and sampling; bad data; files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.capital_budgeting import CapitalBudgeting, guarantee
from combopt.instances.capital_budgeting_kernels import compiled, least
from combopt.instances.formats.capital_budgeting import capital_budgeting_of
from combopt.instances.solutions import RobustPlan
from combopt.model import Floats
from tests.brute import capital_budgeting as brute


def affordable_first(instance: CapitalBudgeting, rng: np.random.Generator) -> Floats:
    x = (rng.random(instance.projects) < 0.3).astype(float)
    while instance.worst_cost(x)[0] > instance.limit:
        x[rng.choice(np.flatnonzero(x))] = 0
    return x


def some_decisions(instance: CapitalBudgeting, first: Floats, rng: np.random.Generator, count: int) -> Floats:
    """Doing nothing, and decisions that just fit the budget in scenarios by chance."""
    rows = [np.zeros(instance.projects)]
    for _ in range(count - 1):
        cost = instance.costs(rng.uniform(-1, 1, instance.factors))
        y, left = np.zeros(instance.projects), instance.budget - cost @ first
        for i in rng.permutation(instance.projects):
            if not first[i] and cost[i] <= left:
                y[i], left = 1, left - cost[i]
        rows.append(y)
    return np.array(rows)


def test_the_guarantee_equals_enumeration_on_small_instances() -> None:
    less = 0
    for seed in range(300):
        rng = np.random.default_rng([1, seed])
        instance = brute.small(rng)
        first = affordable_first(instance, rng)
        decisions = some_decisions(instance, first, rng, int(rng.integers(1, 5)))
        found = instance.evaluate(RobustPlan(first, decisions))
        assert found.feasible
        assert found.objective == pytest.approx(brute.least(instance, first, decisions), abs=1e-6), seed
        less += found.objective < brute.worst(instance, first) - 1e-6
    assert less > 20  # few decisions do guarantee less than all of them


@pytest.mark.parametrize("seed", range(6))
def test_no_scenario_brings_less_than_the_guarantee(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = CapitalBudgeting.generate(rng, n=20, factors=4)
    first = affordable_first(instance, rng)
    decisions = some_decisions(instance, first, rng, 40)
    found = guarantee(instance, first, decisions)
    points = rng.uniform(-1, 1, (20_000, 4))
    points[:5000] = np.sign(points[:5000])
    points[5000:] = np.clip(found.scenario + 0.1 * points[5000:] ** 3, -1, 1)
    cost = instance.costs(points) @ (first + decisions).T
    value = instance.profits(points) @ (first + instance.late * decisions).T
    sampled = np.where(cost <= instance.limit, value, -1).max(axis=1).min()
    assert found.lower <= sampled + 1e-9
    assert sampled < found.value + 0.05 * abs(found.value)  # and nearly as bad ones are easily found near by
    assert found.value == pytest.approx(found.lower, rel=1e-9)
    # It is approached: with the decisions lost there taken away, it is reached in that scenario.
    kept = np.setdiff1d(np.arange(40), found.lost)
    there = instance.profits(found.scenario) @ (first + instance.late * decisions[kept]).T
    fits = instance.costs(found.scenario) @ (first + decisions[kept]).T <= instance.limit
    assert there[fits].max() == pytest.approx(found.value, rel=1e-9)


def test_forty_decisions_are_evaluated_soon() -> None:
    rng = np.random.default_rng(5)
    instance = CapitalBudgeting.generate(rng, n=30, factors=4)
    first = affordable_first(instance, rng)
    found = guarantee(instance, first, some_decisions(instance, first, rng, 40))
    assert 1 < found.nodes < 5000  # some microseconds each


def test_compiled_and_plain_kernels_agree() -> None:
    rng = np.random.default_rng(8)
    instance = CapitalBudgeting.generate(rng, n=12, factors=3)
    first = affordable_first(instance, rng)
    value, cost = instance.affine(first, some_decisions(instance, first, rng, 12))
    points = np.zeros((1, 3))
    one, two = (f(value, cost, instance.limit, points, 10_000) for f in (least, compiled()))
    assert one[0] == pytest.approx(two[0], rel=1e-12)
    assert one[4] == two[4]


def test_order_and_doubles_of_decisions_do_not_matter() -> None:
    rng = np.random.default_rng(11)
    instance = CapitalBudgeting.generate(rng, n=15)
    first = affordable_first(instance, rng)
    decisions = some_decisions(instance, first, rng, 20)
    value = instance.evaluate(RobustPlan(first, decisions)).objective
    mixed = np.vstack([decisions, decisions])[rng.permutation(40)]
    assert instance.evaluate(RobustPlan(first, mixed)).objective == pytest.approx(value, rel=1e-9)
    fewer = instance.evaluate(RobustPlan(first, decisions[:10])).objective
    assert fewer <= value + 1e-9


def test_projects_and_factors_may_be_renamed_and_turned() -> None:
    rng = np.random.default_rng(12)
    instance = CapitalBudgeting.generate(rng, n=10)
    first = affordable_first(instance, rng)
    decisions = some_decisions(instance, first, rng, 15)
    value = instance.evaluate(RobustPlan(first, decisions)).objective
    p, f = rng.permutation(10), rng.permutation(4)
    turned = CapitalBudgeting(
        cost=instance.cost[p], profit=instance.profit[p], cost_factors=-instance.cost_factors[p][:, f],
        profit_factors=-instance.profit_factors[p][:, f], budget=instance.budget,
    )  # fmt: skip
    assert turned.evaluate(RobustPlan(first[p], decisions[:, p])).objective == pytest.approx(value, rel=1e-9)


def toy(**changes: Any) -> CapitalBudgeting:
    data: dict[str, Any] = {
        "cost": [4, 4], "profit": [2, 3], "cost_factors": [[1], [1]], "profit_factors": [[0], [0]], "budget": 8,
    }  # fmt: skip
    return CapitalBudgeting(**{**data, **changes})


def test_a_budget_met_exactly_is_kept_and_the_limit_beyond_it_counts() -> None:
    # Project 2 now costs at most 6; project 1 later is lost as soon as xi > 0, where both cost more than 8.
    plan = RobustPlan([0, 1], [[0, 0], [1, 0]])
    assert toy().evaluate(plan).objective == pytest.approx(3)
    assert toy(budget=12).evaluate(plan).objective == pytest.approx(3 + 0.8 * 2)
    # Profit of project 1 grows with xi: lost just beyond xi = 0, where nothing tells it from 3.
    growing = toy(profit_factors=[[1], [0]])
    assert growing.evaluate(plan).objective == pytest.approx(3)
    # Of project 2 too: least at xi = -1 unless the other is lost beyond 0, at 3 in the limit.
    both = toy(profit_factors=[[1], [1]], late=1.0, profit=[3.5, 3])
    assert both.evaluate(plan).objective == pytest.approx(3)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (RobustPlan([1, 1], [[0, 0]]), "budget: costs 12"),
        (RobustPlan([0, 1], np.zeros((0, 2))), "no decision is held"),
        (RobustPlan([0, 1], [[1, 0]]), "no decision held is affordable where xi = ("),
        (RobustPlan([0, 1], [[0, 0], [0, 1]]), "recourse 2: project 2 is chosen now and again later"),
        (RobustPlan([0, 0.5], [[0, 0]]), "first stage: project 2 is 0.5"),
        (RobustPlan([0, 1], [[0.25, 0]]), "recourse 1: project 1 is 0.25"),
    ],
)
def test_infeasible_plans_say_why(plan: RobustPlan, words: str) -> None:
    found = toy().evaluate(plan)
    assert not found.feasible
    assert any(words in str(violation) for violation in found.violations), found.violations


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"cost": []}, "E118", "no projects"),
        ({"cost": [4, -1]}, "E114", "cost of project 2 is -1"),
        ({"profit": [1, float("nan")]}, "E114", "profit of project 2 is nan"),
        ({"profit": [1]}, "E115", "profit has shape (1,)"),
        ({"cost_factors": [[1, 0], [1, 2]]}, "E114", "cost_factors of project 2"),
        ({"profit_factors": [[1, 0], [1, 0]]}, "E115", "profit_factors has shape"),
        ({"budget": -1}, "E114", "budget is -1"),
        ({"budget": float("inf")}, "E114", "budget is inf"),
        ({"late": 1.5}, "E114", "late is 1.5"),
    ],
)
def test_bad_data_is_refused(changes: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        toy(**changes)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_a_plan_of_another_size_is_no_solution() -> None:
    for plan in (RobustPlan([1], [[0]]), RobustPlan([0, 1], [[0]])):
        with pytest.raises(InputError) as caught:
            toy().evaluate(plan)
        assert caught.value.code == "E302"


def test_lines_of_the_benchmark() -> None:
    data = {"name": "a", "budget": 8.9, "budget_as_used_by_neur2ro": 8, "k": 0.8, "c_bar": [4, 4], "r_bar": [2, 3],
            "phi": [[1], [1]], "psi": [[0], [0]]}  # fmt: skip
    instance = capital_budgeting_of(data)
    assert (instance.budget, instance.stated_budget, instance.name) == (8, 8.9, "a")
    assert capital_budgeting_of(data, exact=True).budget == 8.9
    for name in ("budget", "psi"):
        with pytest.raises(InputError) as caught:
            capital_budgeting_of({k: v for k, v in data.items() if k != name})
        assert caught.value.code == "E118"
    with pytest.raises(InputError):
        capital_budgeting_of({**data, "budget": "8"})


def test_generator_follows_the_publication(tmp_path: Path) -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(0), n=200, factors=4)
    assert instance.cost.min() >= 1
    assert instance.cost.max() <= 10
    assert np.allclose(instance.profit, instance.cost / 5)
    for rows in (instance.cost_factors, instance.profit_factors):
        assert rows.min() >= 0
        assert np.allclose(rows.sum(axis=1), 1)
        assert np.allclose(rows.mean(axis=0), 0.25, atol=0.05)
    assert instance.stated_budget == pytest.approx(instance.cost.sum() / 2)
    assert instance.budget == int(instance.stated_budget or 0)


def test_published_plans_get_less_than_their_sampled_values(benchmark_files: Path) -> None:
    """The published values are the least of 10,000 samples and some more: never below the exact worst case."""
    from combopt.solvers.robust.capital_recourse import complete

    folder = benchmark_files / "robust"
    if not folder.exists():
        pytest.skip("there is no folder robust")
    rows = [json.loads(line) for line in (folder / "cb_instances.jsonl").read_text(encoding="utf-8").splitlines()]
    data = {row["name"]: row for row in rows if row["n"] == 10}
    lines = (folder / "cb_reference.csv").read_text(encoding="utf-8").splitlines()
    published = {line.split(",")[0]: float(line.split(",")[3]) for line in lines[1:]}
    for line in (folder / "cb_solutions.jsonl").read_text(encoding="utf-8").splitlines()[:10]:
        row = json.loads(line)
        found = complete(capital_budgeting_of(data[row["instance"]]), np.array(row["neur2ro_x"]))
        value = published[row["instance"]]
        assert found.lower <= value + 1e-6
        assert found.lower > 0.9 * value


def test_files_say_how_the_budget_was_read(tmp_path: Path) -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(3), n=5)
    path = tmp_path / "a.cb"
    api.write(instance, path)
    assert api.read(path).budget == instance.budget  # type: ignore[attr-defined]
    whole = api.read(path, rounding="exact")
    assert whole.budget == instance.stated_budget  # type: ignore[attr-defined]
    with pytest.raises(InputError) as caught:
        api.write(whole, tmp_path / "b.cb", format="capital_budgeting")
    assert caught.value.code == "E119"

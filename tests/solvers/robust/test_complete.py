"""A plan that is a first stage alone, as ``combopt check`` sees it: completed to its exact worst case."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.cli import main
from combopt.errors import InputError
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.mip import MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.solutions import RobustPlan
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Instance
from tests.brute import capital_budgeting as brute_capital
from tests.brute import robust as brute
from tests.brute import robust_knapsack as brute_knapsack


def capital() -> tuple[Instance, np.ndarray, float]:
    instance = next(
        found
        for number in range(50)
        if (found := brute_capital.small(np.random.default_rng([41, number]))).projects == 4
        and found.worst_cost(np.eye(4)[1])[0] <= found.limit
    )
    return instance, np.eye(4)[1], brute_capital.worst(instance, np.eye(4)[1])


def knapsack() -> tuple[Instance, np.ndarray, float]:
    instance = RobustKnapsack.generate(np.random.default_rng(42), n=4, budget_factor=0.35)
    return instance, np.array([1.0, 0, 1, 1]), brute_knapsack.worst_case(instance, (1, 0, 1, 1))


def general() -> tuple[Instance, np.ndarray, float]:
    instance = TwoStageRobust.generate(np.random.default_rng(43), n=3, family="projects")
    x = np.zeros(len(instance.first.columns))
    worst = brute.worst(instance, x, -1.0)
    return instance, x, -worst + float(instance.first.cost @ x + instance.first.offset)


@pytest.mark.parametrize("case", [capital, knapsack, general])
@pytest.mark.parametrize("bare", [True, False])
def test_a_first_stage_alone_is_worth_its_exact_worst_case(
    case: object, bare: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instance, x, worst = case()  # type: ignore[operator]
    api.write(instance, tmp_path / "instance.json")
    plan = {"type": "robust_plan", "first": x.tolist()} | ({} if bare else {"recourse": [], "weights": []})
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert main(["check", str(tmp_path / "instance.json"), str(tmp_path / "plan.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["feasible"]
    assert found["objective"] == pytest.approx(worst, rel=1e-6, abs=1e-6)
    assert "its first stage was completed" in found["notes"][0]
    assert not instance.evaluate(RobustPlan(x)).feasible  # the evaluation itself completes nothing


def test_a_claim_is_held_against_the_completed_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance, x, worst = capital()
    api.write(instance, tmp_path / "instance.json")
    for claim, code in ((worst, 0), (worst + 1, 6)):
        plan = {"objective": claim, "solution": RobustPlan(x).to_dict()}
        (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        assert main(["check", str(tmp_path / "instance.json"), str(tmp_path / "plan.json")]) == code
    assert "note        the plan holds no recourse" in capsys.readouterr().out


def test_a_first_stage_that_is_infeasible_says_why_and_nothing_of_recourse() -> None:
    poor = CapitalBudgeting(cost=[4, 6], profit=[1, 1], cost_factors=[[1], [1]], profit_factors=[[1], [1]], budget=8)
    checked = api.check(poor, RobustPlan([0.0, 1.0]))
    assert not checked.ok
    assert [violation.constraint for violation in checked.evaluation.violations] == ["budget"]
    half = api.check(knapsack()[0], RobustPlan([0.5, 0, 0, 0]))
    assert [violation.constraint for violation in half.evaluation.violations] == ["item 1"]
    with pytest.raises(InputError):
        api.check(poor, RobustPlan([1.0]))


def test_a_scenario_without_recourse_is_named() -> None:
    first, second = MipBuilder("first"), MipBuilder("second")
    first.binary("x", 1.0)
    second.binary("x")
    second.column("y", 1.0, 0.0, 2.0)
    second.row([(0, 3.0), (1, 1.0)], lower=1.0, name="need")
    instance = TwoStageRobust.build(
        first.build(), second.build(), Uncertainty.finite([[0.0], [2.0]]), [("need", "rhs", 0, 1.0)]
    )
    lacking = api.check(instance, RobustPlan([0.0])).evaluation
    assert [str(violation) for violation in lacking.violations] == [
        "recourse in scenario 2 of 2 (xi1 = 2): no decision at all is feasible there"
    ]
    assert api.check(instance, RobustPlan([1.0])).evaluation.objective == pytest.approx(1.0)
    assert api.check(instance, RobustPlan([0.3])).evaluation.violations[0].constraint == "column x"

"""A flat network inside programs says what it says outside; whatever it says, answers are true and bounded."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from combopt import api
from combopt.budget import Budget
from combopt.errors import InputError, UnsupportedError, UsageError
from combopt.instances.mip import MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_families import facility, projects
from combopt.instances.solutions import Point
from combopt.instances.uncertainty import Uncertainty
from combopt.learned.value.flat import FlatConfig, FlatNetwork
from combopt.learned.value.program import numbers
from combopt.learned.value.robust import RobustValue
from combopt.learned.weights import store
from combopt.model import Floats, Sense
from combopt.result import Status
from combopt.solvers.base import Session
from combopt.solvers.robust import samples_robust
from combopt.solvers.robust.neur2ro import Neur2ro
from combopt.solvers.robust.neur2ro_program import ProgramSearch
from combopt.solvers.robust.samples_robust import robust_values
from tests.brute import robust as brute

FACTS = {"name": "toy", "data": "", "seed": 0, "hours": 0, "hardware": "", "steps": 0, "samples": 0, "gaps": {},
         "licence": ""}  # fmt: skip
PROBLEM = RobustValue()


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws are small here."""
    monkeypatch.setattr(samples_robust, "FIRSTS", 4)
    monkeypatch.setattr(samples_robust, "SCENARIOS", 12)


def given(instance: TwoStageRobust) -> Any:
    return lambda rng: instance


def network(instance: TwoStageRobust, seed: int = 0) -> FlatNetwork:
    """Small, with random weights that are large enough for predictions to differ, and units of its own."""
    n, q = len(instance.first.columns), instance.uncertainty.dimension
    samples = PROBLEM.joined([robust_values(np.random.default_rng(seed), given(instance), 1)])
    torch.manual_seed(seed)
    config = replace(PROBLEM.shape("flat", samples), hidden=6, summary=3, head=5)
    found = FlatNetwork(config, "robust")
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape))
    dice = torch.Generator().manual_seed(seed)
    found.fit(
        torch.rand(1, 9, n, generator=dice), torch.rand(1, 9, q, generator=dice), torch.zeros(1, 0),
        10 + 5 * torch.randn(30, generator=dice), torch.zeros(0),
    )  # fmt: skip
    return found


def card(instance: TwoStageRobust, folder: Path, seed: int = 0) -> str:
    return str(store.write(folder, network(instance, seed), FACTS))


def search(instance: TwoStageRobust, weights: str, **options: Any) -> ProgramSearch:
    session = Session(Budget(time_limit=60), math.inf, lambda event: None)
    found = ProgramSearch(Neur2ro(weights=weights, **options), instance, session)
    found.model = found.network(store.read_card(Path(weights)))
    return found


def first_stages(instance: TwoStageRobust) -> list[Floats]:
    first = instance.first
    return [x for x in brute.grid(first.lower, first.upper) if first.evaluate(Point(first.columns, x)).feasible]


def small(form: str, seed: int) -> TwoStageRobust:
    """A tiny program for which labels can be made."""
    for number in range(100):
        instance = brute.small(np.random.default_rng([seed, number]), form)
        if brute.best(instance) is not None:
            return instance
    raise AssertionError("no feasible program")


def test_numpy_says_what_torch_says(tmp_path: Path) -> None:
    instance = facility(np.random.default_rng(0), 4)
    found = search(instance, card(instance, tmp_path))
    plain = store.load_values(store.read_card(tmp_path / "toy.json"))
    dice = np.random.default_rng(0)
    x, xi = (dice.random(4) < 0.5).astype(np.float64), dice.random((3, 4))
    said = plain(torch.tensor(x[None, None]).float(), torch.tensor(xi[None]).float(), torch.zeros(1, 0))
    assert found.model.values(x, xi) == pytest.approx(said[0, 0].numpy(), rel=1e-5)
    assert np.ptp(found.model.values(x, xi)) > 1e-3


@pytest.mark.parametrize("form", brute.FORMS)
def test_values_for_training_are_those_of_the_second_stage(form: str) -> None:
    for seed in range(6):
        instance = small(form, seed)
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        arrays = robust_values(np.random.default_rng(seed), given(instance), 2)
        assert arrays["value"].shape == (2, 4, 12)
        for f, s in ((0, 0), (1, 8), (2, 10), (3, 11)):
            x, xi = arrays["first"][1, f].astype(np.float64), arrays["scenario"][1, s].astype(np.float64)
            assert any(np.array_equal(x, other) for other in first_stages(instance))
            assert instance.uncertainty.contains(xi, 1e-5)
            value = float(arrays["value"][1, f, s])
            least = brute.least_cost(instance, x, xi, sign)
            if math.isnan(value):
                assert math.isinf(least)
            else:
                assert value == pytest.approx(sign * least, rel=1e-4, abs=1e-4)


def test_scenarios_to_learn_from_are_vertices_for_the_most_part() -> None:
    instance = facility(np.random.default_rng(2), 5)
    arrays = robust_values(np.random.default_rng(0), given(instance), 6)
    whole = (np.abs(arrays["scenario"] - np.rint(arrays["scenario"])) < 1e-6).all(axis=2)
    assert 0.6 < whole.mean() < 0.95
    third = [arrays["value"][:, :, k::3].mean() for k in range(3)]
    assert third[2] > third[0]  # those that hurt cost more than those from anywhere


def test_instances_of_one_shape_share_a_file() -> None:
    dice = np.random.default_rng(0)
    arrays = robust_values(dice, lambda rng: facility(rng, 3), 3)
    samples = PROBLEM.joined([arrays])
    config = PROBLEM.shape("flat", samples)
    assert config.numbers == samples.data["numbers"].shape[1] > 10
    assert config.size == (3, 3, 12, 6)
    sizes = iter([3, 3, 4])
    with pytest.raises(InputError, match="robust-facility-4 has 4 first-stage columns"):
        robust_values(dice, lambda rng: facility(rng, next(sizes)), 3)


def test_what_cannot_be_learned_is_refused() -> None:
    first, second = MipBuilder("first"), MipBuilder("second")
    first.column("x")
    second.column("x")
    second.column("y", 1.0, 0.0, 5.0)
    endless = TwoStageRobust.build(
        first.build(), second.build(), Uncertainty.box([0.0], [1.0]), [("objective", "y", 0, 1.0)]
    )
    with pytest.raises(UnsupportedError, match="'x' has no finite bounds"):
        robust_values(np.random.default_rng(0), given(endless), 1)
    assert "no finite bounds" in str(Neur2ro(weights="some.json").refuses(endless))
    assert "no weights for robust" in str(Neur2ro().refuses(facility(np.random.default_rng(0), 3)))


@pytest.mark.parametrize("form", brute.FORMS)
def test_the_main_problem_is_what_it_says(form: str, tmp_path: Path) -> None:
    for seed in range(8):
        instance = small(form, seed)
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        weights = card(instance, tmp_path, seed)
        for main in ("argmax", "max"):
            found = search(instance, weights, main=main)
            found.scenarios = list(brute.vertices(instance.uncertainty)[:4])
            worths = {}
            for x in first_stages(instance):
                predicted = [found.predicted(x, xi) for xi in found.scenarios]
                own = sign * float(instance.first.cost @ x + instance.first.offset)
                worst = [
                    xi for xi, said in zip(found.scenarios, predicted, strict=True) if said > max(predicted) - 1e-6
                ]
                least = min(brute.least_cost(instance, x, xi, sign) for xi in worst)
                worths[x.tobytes()] = own + (max(predicted) if main == "max" else least)
            best = min(worths.values())
            solved = found.solved_main()
            if math.isinf(best):
                assert solved.status is Status.INFEASIBLE
                continue
            assert solved.values is not None
            x = instance.rounded(solved.values[: len(instance.first.columns)])
            assert worths[x.tobytes()] == pytest.approx(best, rel=1e-3, abs=1e-3), f"{form} {seed} {main}"
            assert solved.objective == pytest.approx(best, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("family", [facility, projects])
def test_the_adversary_finds_the_worst_prediction(family: Any, tmp_path: Path) -> None:
    for seed in range(3):
        instance = family(np.random.default_rng(seed), 5)
        weights = card(instance, tmp_path, seed)
        anywhere = search(instance, weights, adversary="continuous")
        corner = search(instance, weights, adversary="vertex")
        drawn = search(instance, weights, adversary="sampling", samples=200)
        corners = instance.uncertainty.vertices()
        for x in first_stages(instance)[5::11]:
            xi = anywhere.adversary(x)
            assert xi is not None
            assert instance.uncertainty.contains(xi, 1e-6)
            worst = anywhere.predicted(x, xi)
            some = [anywhere.predicted(x, point) for point in corners]
            vertex, sample = corner.adversary(x), drawn.adversary(x)
            assert vertex is not None
            assert sample is not None
            assert corner.predicted(x, vertex) == pytest.approx(max(some))
            slack = 1e-3 * max(1.0, abs(worst))
            assert worst >= max(some) - slack
            assert worst >= drawn.predicted(x, sample) - slack


@pytest.mark.parametrize("form", brute.FORMS)
def test_answers_are_true_and_bounded(form: str, tmp_path: Path) -> None:
    proved = 0
    for seed in range(12):
        instance = brute.small(np.random.default_rng([7, seed]), form)
        best = brute.best(instance)
        if not first_stages(instance):
            continue
        options = Neur2ro(weights=card(instance, tmp_path, seed))
        result = api.solve(instance, options, isolate=False, time_limit=20)
        assert not result.rejected
        assert not result.contradicted
        if best is None:
            assert result.solution is None
            continue
        assert result.solution is not None
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        assert result.objective == pytest.approx(instance.evaluate(result.solution).objective)
        assert sign * result.objective >= sign * best - 1e-5
        if result.bound is not None:
            assert sign * result.bound <= sign * best + 1e-5 * max(1.0, abs(best))
        proved += result.status is Status.OPTIMAL
    assert proved > 0


def test_a_first_stage_without_recourse_is_cut_off(tmp_path: Path) -> None:
    """The nominal plan opens nothing and has no recourse once the demand comes."""
    first, second = MipBuilder("first"), MipBuilder("second")
    first.binary("open", 10.0)
    second.binary("open")
    second.column("serve", 1.0)
    second.row([(1, 1.0)], lower=0.0, name="demand")
    second.row([(1, 1.0), (0, -5.0)], upper=0.0, name="capacity")
    instance = TwoStageRobust.build(
        first.build(), second.build(), Uncertainty.box([0.0], [1.0]), [("demand", "rhs", 0, 3.0)]
    )
    result = api.solve(instance, Neur2ro(weights=card(instance, tmp_path)), isolate=False, time_limit=20)
    assert result.objective == pytest.approx(13.0)
    assert result.status is Status.OPTIMAL


def test_weights_for_another_problem(tmp_path: Path) -> None:
    instance = facility(np.random.default_rng(0), 3)
    weights = card(instance, tmp_path)

    def solve(other: TwoStageRobust) -> Any:
        return api.solve(other, Neur2ro(weights=weights), isolate=False, time_limit=10)

    with pytest.raises(UsageError, match=r"(?s)trained for a problem with 3 first-stage.*expected: 4 first") as caught:
        solve(facility(np.random.default_rng(0), 4))
    assert caught.value.code == "E204"
    column = instance.term_column.copy()
    row = instance.term_row.copy()
    row[0], column[0] = 3, 0
    with pytest.raises(UsageError, match="other rows, columns or terms") as caught:
        solve(replace(instance, term_row=row, term_column=column))
    assert caught.value.code == "E204"
    result = solve(facility(np.random.default_rng(1), 3))
    assert any("with other numbers" in message for message in result.messages)
    assert result.solution is not None
    assert not any("with other numbers" in message for message in solve(instance).messages)


def test_the_numbers_of_an_instance_are_all_that_count() -> None:
    instance = facility(np.random.default_rng(0), 3)
    before = numbers(instance)
    assert not np.array_equal(before, numbers(replace(instance, term_value=instance.term_value + 1)))
    cheaper = replace(instance, first=replace(instance.first, cost=instance.first.cost / 2))
    assert np.array_equal(before, numbers(cheaper))  # the first stage is outside


@pytest.mark.parametrize("change", [{"first": 0}, {"hidden": 1.5}, {"structure": 3}, {"numbers": -1}])
def test_shapes_that_are_none(change: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"first": 2, "scenario": 2, "recourse": 0, "rows": 0, "structure": "a", "fixed": "b"}
    with pytest.raises(InputError, match=next(iter(change))):
        FlatConfig(**(facts | change))

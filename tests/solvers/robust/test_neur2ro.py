"""The value network inside programs says what it says outside; the solver keeps to what is true."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from combopt import api
from combopt.budget import Budget
from combopt.errors import CombOptError, UsageError
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.learned.value.network import ValueConfig, ValueNetwork
from combopt.learned.weights import store
from combopt.model import Floats
from combopt.result import StoppedBy
from combopt.solvers.base import Session
from combopt.solvers.robust.knapsack_game import Game
from combopt.solvers.robust.neur2ro import Neur2ro
from combopt.solvers.robust.neur2ro_knapsack import KnapsackSearch, Values
from combopt.solvers.robust.samples import benchmark_knapsack, knapsack_value, knapsack_values
from tests.brute import robust_knapsack as brute

FACTS = {"name": "toy", "data": "", "seed": 0, "hours": 0, "hardware": "", "steps": 0, "samples": 0, "gaps": {},
         "licence": ""}  # fmt: skip


SHAPES = {
    "joint": ValueConfig(1, 6, hidden=6, item=4, gathered=8),
    "published": ValueConfig(1, 6, joint=False, hidden=6, item=4, gathered=8, summary=3, head=4),
}


@pytest.fixture(scope="module", params=SHAPES)
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The card of a small network with random weights, large enough for predictions to differ."""
    torch.manual_seed(1)
    network = ValueNetwork(SHAPES[request.param], "robust_knapsack")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2.0).add_(0.1 * torch.randn(parameter.shape))
    folder: Path = tmp_path_factory.mktemp("values")
    return str(store.write(folder, network, FACTS))


def instance(seed: int, n: int = 6, budget: float = 1.5) -> RobustKnapsack:
    return RobustKnapsack.generate(np.random.default_rng(seed), n=n, delta=1.0, h=40, budget_factor=budget / n)


def search(data: RobustKnapsack, weights: str, **options: Any) -> tuple[KnapsackSearch, Values]:
    session = Session(Budget(time_limit=60), float("inf"), lambda event: None)
    found = KnapsackSearch(Neur2ro(weights=weights, **options), data, session)
    found.game, found.values = Game(data), Values.of(data, store.read_card(Path(weights)))
    return found, found.values


def vertices(data: RobustKnapsack) -> list[Floats]:
    """All vertices of the budget set with the entries of 1 in full and one of the rest."""
    n, whole = data.items, int(data.budget)
    part = data.budget - whole
    found = []
    for count in range(whole + 1):
        for ones in itertools.combinations(range(n), count):
            base = np.zeros(n)
            base[list(ones)] = 1.0
            found.append(base)
            for other in set(range(n)) - set(ones):
                more = base.copy()
                more[other] = part
                found.append(more)
    return found


def selections(n: int) -> list[Floats]:
    return [np.array(x, dtype=np.float64) for x in itertools.product([0, 1], repeat=n)]


def test_numpy_says_what_torch_says(weights: str) -> None:
    data = instance(0)
    values = Values.of(data, store.read_card(Path(weights)))
    network = store.load_values(store.read_card(Path(weights)))
    dice = np.random.default_rng(0)
    x, xi = (dice.random(6) < 0.5).astype(np.float64), dice.random(6)

    given = [torch.from_numpy(array.astype(np.float32)) for array in (x, xi, values.model.columns)]
    said = network(given[0][None, None], given[1][None, None, :, None], given[2][None], torch.ones(1, 6).bool())
    assert values(x, xi) == pytest.approx(values.scale * float(said), rel=1e-4)


@pytest.mark.parametrize("budget", [1.0, 1.5, 2.25])
def test_the_adversary_finds_the_worst_prediction(weights: str, budget: float) -> None:
    for seed in range(4):
        data = instance(seed, budget=budget)
        found, values = search(data, weights)
        for x in selections(6)[5::17]:
            scenario = found.adversary(x > 0.5)
            assert scenario is not None
            assert scenario.sum() <= data.budget + 1e-9
            least = min(values(x, xi) for xi in vertices(data))
            assert values(x, scenario) == pytest.approx(least, rel=1e-3, abs=1e-3 * values.scale)


def test_a_scenario_anywhere_in_the_set_is_no_better_predicted(weights: str) -> None:
    data = instance(3)
    x = np.ones(6, dtype=bool)
    found, values = search(data, weights)
    anywhere, _ = search(data, weights, adversary="continuous")
    drawn, _ = search(data, weights, adversary="sampling", samples=50)
    vertex, inside, sampled = (s.adversary(x) for s in (found, anywhere, drawn))
    assert vertex is not None
    assert inside is not None
    assert sampled is not None
    predicted = [values(x.astype(np.float64), xi) for xi in (vertex, inside, sampled)]
    slack = 2e-3 * values.scale
    assert predicted[1] <= predicted[0] + slack
    assert predicted[1] <= predicted[2] + slack
    assert inside.sum() <= data.budget + 1e-6


@pytest.mark.parametrize("main", ["argmax", "max"])
def test_the_main_problem_is_what_it_says(weights: str, main: str) -> None:
    for seed in range(5):
        data = instance(seed)
        found, values = search(data, weights, main=main)
        found.scenarios = vertices(data)[:: 7 + seed]

        def worth(x: Floats, data: RobustKnapsack = data, values: Values = values, found: Any = found) -> float:
            predicted = [values(x, xi) for xi in found.scenarios]
            accepted = float((data.profit - data.outsourcing) @ x)
            if main == "max":
                return accepted + min(predicted)
            return accepted + knapsack_value(data, x > 0.5, found.scenarios[int(np.argmin(predicted))])

        best = max(worth(x) for x in selections(6))
        solved = found.main()
        assert solved is not None
        assert worth(solved[0].astype(np.float64)) == pytest.approx(best, rel=1e-3, abs=1e-3 * values.scale)


def test_the_slip_makes_repair_worthless(weights: str) -> None:
    """With repair charged for, the main problem sees no use in it."""
    data = instance(2, n=8, budget=4)
    worst = data.worst_case(data.deviation)
    chosen = []
    for slip in (False, True):
        found, _ = search(data, weights, slip=slip)
        found.scenarios = [worst]
        solved = found.main()
        assert solved is not None
        x = solved[0]
        chosen.append(float((data.profit - data.outsourcing) @ x) + knapsack_value(data, x, worst))
    assert chosen[1] <= chosen[0] + 1e-6


def test_answers_are_true_and_bounded(weights: str) -> None:
    for seed in range(6):
        data = brute.small(np.random.default_rng(seed))
        result = api.solve(data, Neur2ro(weights=weights), isolate=False, time_limit=20)
        best = brute.best(data)
        assert result.solution is not None
        assert result.objective == pytest.approx(data.evaluate(result.solution).objective)
        assert result.objective <= best + 1e-6
        assert result.bound is not None
        assert result.bound >= best - 1e-6
        assert result.stopped_by in (StoppedBy.FINISHED, StoppedBy.ITERATIONS, StoppedBy.PROOF)


def test_values_for_training_are_exact() -> None:
    arrays = knapsack_values(np.random.default_rng(0), lambda rng: benchmark_knapsack(rng, 4), 3)
    assert arrays["value"].shape == (3, 10, 50)
    for row in range(3):
        n = int(arrays["items"][row])
        c, t, f, loss = (arrays[name][row, :n] for name in ("weight", "repair", "outsourcing", "deviation"))
        for k, s in ((0, 0), (3, 11), (9, 49)):
            x, xi = arrays["first"][row, k, :n], arrays["scenario"][row, s, :n]
            best = 0.0
            for modes in itertools.product(*[(0, 1, 2) if taken else (0,) for taken in x]):
                mode = np.array(modes)
                if (c * (mode > 0) + t * (mode == 2)).sum() <= arrays["capacity"][row]:
                    best = max(best, float((f * (mode > 0) - loss * xi * (mode == 1)).sum()))
            assert arrays["value"][row, k, s] == pytest.approx(best, rel=1e-5)


def test_what_does_not_fit_is_refused(weights: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="rounds = 0"):
        Neur2ro(rounds=0)
    with pytest.raises(UsageError, match="step_limit"):
        Neur2ro(step_limit=0)
    with pytest.raises(CombOptError, match="cannot be opened"):
        api.solve(instance(0), Neur2ro(weights=str(tmp_path / "missing.json")), isolate=False, time_limit=5)

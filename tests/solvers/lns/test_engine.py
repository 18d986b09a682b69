"""The engine on a toy problem: choose bits to match a hidden pattern, flipping a part of them at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from combopt.solvers.lns.acceptance import RULES, make_acceptance
from combopt.solvers.lns.bandits import make_bandit
from combopt.solvers.lns.engine import POOL, Attempt, Ending, Engine, Found, State
from combopt.solvers.lns.rewards import Gain, Outcome, Scores
from combopt.solvers.lns.sizes import Sizes

N = 40
HIDDEN = np.random.default_rng(9).integers(0, 2, N)


def value(bits: Any) -> float:
    return float((bits != HIDDEN).sum())


@dataclass(frozen=True)
class Random:
    """Frees random bits."""

    name: str = "random"

    def build(self, state: State[Any], size: float, rng: np.random.Generator) -> Any:
        return rng.choice(N, size=max(1, round(size * N)), replace=False)


@dataclass(frozen=True)
class Nothing:
    """Never has a neighbourhood."""

    name: str = "nothing"

    def build(self, state: State[Any], size: float, rng: np.random.Generator) -> Any:
        return None


@dataclass(frozen=True)
class Exact:
    """Sets the freed bits right, if they are few enough for its limit."""

    name: str = "exact"
    most: int = N

    def takes(self, operator: str) -> bool:
        return True

    def search(self, neighbourhood: Any, state: State[Any], limit: float, seed: int) -> Attempt[Any]:
        if len(neighbourhood) > self.most:
            return Attempt(Ending.LIMIT, None, 1.0)
        bits = state.current.solution.copy()
        bits[neighbourhood] = HIDDEN[neighbourhood]
        complete = len(neighbourhood) == N
        return Attempt(Ending.CLOSED, Found(bits, value(bits)), 1.0, complete)


def engine(operators: list[Any], searchers: list[Any], seed: int = 0, **changes: Any) -> Engine[Any, Any]:
    parts: dict[str, Any] = {
        "chooser": make_bandit("thompson", len(operators), 0.95),
        "assigner": make_bandit("thompson", len(searchers), 0.95),
        "acceptance": make_acceptance("hill_climbing"),
        "reward": Gain(),
        "sizes": Sizes(),
        "rng": np.random.default_rng(seed),
        "same": lambda a, b: bool(np.array_equal(a, b)),
        **changes,
    }
    return Engine(operators=operators, searchers=searchers, **parts)


def first() -> Found[Any]:
    bits = 1 - HIDDEN
    return Found(bits, value(bits))


def run(search: Engine[Any, Any], steps: int) -> tuple[State[Any], list[Any]]:
    state = search.start(first())
    trace = []
    for number in range(steps):
        step = search.step(state, 1.0, number / steps)
        if step is None:
            break
        trace.append(step)
    return state, trace


def test_it_finds_the_optimum_and_knows_it() -> None:
    search = engine([Random()], [Exact()])
    state, _ = run(search, 200)
    assert state.best.value == 0
    assert search.closed  # sizes grew until the whole was free


def test_the_same_seed_makes_the_same_steps() -> None:
    assert (
        run(engine([Random(), Nothing()], [Exact()], 3), 50)[1]
        == run(engine([Random(), Nothing()], [Exact()], 3), 50)[1]
    )


def test_what_never_works_is_seldom_chosen_and_idle_pairs_are_passed_over() -> None:
    _, trace = run(engine([Random(), Nothing()], [Exact()]), 60)
    assert sum(step.operator == "nothing" for step in trace) < 15
    assert run(engine([Nothing()], [Exact()]), 10)[1][-1].ending is Ending.EMPTY
    assert len(run(engine([Nothing()], [Exact()]), 10)[1]) == 1


def test_sizes_shrink_at_limits_and_settle_near_what_can_be_searched() -> None:
    search = engine([Random()], [Exact(most=8)], sizes=Sizes(initial=0.9))
    _, trace = run(search, 60)
    assert trace[0].ending is Ending.LIMIT
    assert trace[-1].size <= 0.35
    assert any(step.ending is Ending.CLOSED for step in trace)


def test_the_pool_is_sorted_bounded_and_without_doubles() -> None:
    search = engine(
        [Random()], [Exact()], acceptance=make_acceptance("simulated_annealing"), sizes=Sizes(adaptive=False)
    )
    state, _ = run(search, 40)
    values = [found.value for found in state.pool]
    assert values == sorted(values)
    assert 1 < len(values) <= POOL
    assert len({found.solution.tobytes() for found in state.pool}) == len(values)


def test_gains_are_rewarded_and_nothing_else() -> None:
    reward = Gain()
    usual = reward.of(Outcome.BEST, 100.0, 99.0)
    assert usual == pytest.approx(2 / 3)
    assert 1 / 3 < reward.of(Outcome.BEST, 100.0, 99.9) < usual < reward.of(Outcome.BEST, 100.0, 90.0) < 1.0
    assert reward.of(Outcome.BEST, np.inf, 90.0) > usual
    for outcome in (Outcome.BETTER, Outcome.ACCEPTED, Outcome.REJECTED, Outcome.NOTHING):
        assert reward.of(outcome, 100.0, 100.0) == 0.0


def test_a_cheap_arm_beats_a_dear_one_of_the_same_reward() -> None:
    for policy in ("epsilon_greedy", "thompson", "ucb1", "softmax"):
        bandit, rng = make_bandit(policy, 2), np.random.default_rng(3)
        pulls = [0, 0]
        for _ in range(300):
            arm = bandit.select(rng)
            pulls[arm] += 1
            bandit.update(arm, 0.5, cost=(1.0, 0.2)[arm])
        assert pulls[1] > 2 * pulls[0]


def test_quick_searches_grow_sizes_faster() -> None:
    slow, quick = Sizes(initial=0.01), Sizes(initial=0.01)
    slow.learn("o", Ending.CLOSED, False, 0.9)
    quick.learn("o", Ending.CLOSED, False, 0.01)
    assert 0.01 < slow.of("o") < quick.of("o")
    quick.learn("o", Ending.LIMIT, False, 1.0)
    assert quick.of("o") < 0.05
    kept = Sizes()
    kept.learn("o", Ending.LIMIT, True, 1.0)
    assert kept.of("o") == kept.initial


def test_scores_are_divided_by_the_largest() -> None:
    scores = Scores((8.0, 4.0, 2.0, 1.0))
    assert [scores.of(outcome, 1.0, 1.0) for outcome in Outcome] == [1.0, 0.5, 0.25, 0.125, 0.0]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_takes_what_is_better(rule: str) -> None:
    acceptance, rng = make_acceptance(rule), np.random.default_rng(0)
    current = 100.0
    for candidate in (99.0, 98.0, 50.0):
        assert acceptance.accepts(candidate, current, current, 0.5, rng)
        current = candidate


def test_annealing_cools() -> None:
    rng, rule = np.random.default_rng(1), make_acceptance("simulated_annealing")
    hot, cold = ([rule.accepts(101.0, 100.0, 100.0, p, rng) for _ in range(500)] for p in (0.0, 1.0))
    assert sum(hot) > 120
    assert sum(cold) == 0


def test_record_to_record_and_great_deluge_shrink_their_margin() -> None:
    rng = np.random.default_rng(2)
    rule = make_acceptance("record_to_record", start=0.1)
    assert rule.accepts(109.0, 100.0, 100.0, 0.0, rng)
    assert not rule.accepts(109.0, 100.0, 100.0, 0.5, rng)
    flood = make_acceptance("great_deluge", margin=0.1, rain=0.5)
    assert flood.accepts(109.0, 100.0, 100.0, 0.0, rng)
    assert not flood.accepts(109.0, 100.0, 100.0, 0.0, rng)

"""Bandits: statistics by hand, agreement with formulas, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.errors import UsageError
from combopt.solvers.lns.bandits import POLICIES, EpsilonGreedy, Exp3Ix, Softmax, Thompson, Ucb1, make_bandit


@pytest.mark.parametrize("policy", POLICIES)
def test_every_arm_is_pulled_once_before_any_twice(policy: str) -> None:
    bandit, rng = make_bandit(policy, 6), np.random.default_rng(0)
    first = []
    for _ in range(6):
        first.append(bandit.select(rng))
        bandit.update(first[-1], 1.0)
    assert sorted(first) == list(range(6))


@pytest.mark.parametrize("policy", [p for p in POLICIES if p != "uniform"])
def test_the_better_arm_is_found(policy: str) -> None:
    bandit, rng = make_bandit(policy, 4), np.random.default_rng(1)
    chances = [0.1, 0.2, 0.9, 0.1]
    pulls = np.zeros(4, dtype=int)
    for _ in range(600):
        arm = bandit.select(rng)
        pulls[arm] += 1
        bandit.update(arm, float(rng.random() < chances[arm]))
    assert pulls[2] > 350


@pytest.mark.parametrize("policy", POLICIES)
def test_only_allowed_arms_are_pulled(policy: str) -> None:
    bandit, rng = make_bandit(policy, 5), np.random.default_rng(2)
    for _ in range(50):
        arm = bandit.select(rng, [1, 3])
        assert arm in (1, 3)
        bandit.update(arm, 0.5)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_seed_pulls_the_same_arms(policy: str) -> None:
    def pulls() -> list[int]:
        bandit, rng = make_bandit(policy, 5, 0.9), np.random.default_rng(3)
        arms = []
        for _ in range(40):
            arms.append(bandit.select(rng))
            bandit.update(arms[-1], arms[-1] / 5)
        return arms

    assert pulls() == pulls()


def test_a_discount_follows_a_change() -> None:
    bandit, rng = Thompson(2, discount=0.9), np.random.default_rng(4)
    for turn in range(300):
        arm = bandit.select(rng)
        bandit.update(arm, float(arm == (0 if turn < 150 else 1)))
    assert bandit.means[1] > 0.9


def test_discounted_statistics_by_hand() -> None:
    bandit = EpsilonGreedy(2, discount=0.5)
    for arm, reward in ((0, 1.0), (1, 0.4), (0, 0.0)):
        bandit.update(arm, reward)
    # arm 0: pulls 0.25 + 1, rewards 0.25; arm 1: pulls 0.5, rewards 0.2
    assert bandit.pulls.tolist() == [1.25, 0.5]
    assert bandit.means.tolist() == pytest.approx([0.2, 0.4])
    assert bandit.tried.tolist() == [2, 1]


def test_ucb1_by_hand() -> None:
    bandit = Ucb1(2, alpha=1.0)
    for arm, reward in ((0, 1.0), (1, 0.0), (0, 0.0)):
        bandit.update(arm, reward)
    expected = [0.5 + np.sqrt(2 * np.log(3) / 2), np.sqrt(2 * np.log(3) / 1)]
    assert bandit.scores(np.random.default_rng(0)).tolist() == pytest.approx(expected)


def test_softmax_by_hand_and_in_frequency() -> None:
    bandit = Softmax(2, temperature=0.5)
    bandit.update(0, 1.0)
    bandit.update(1, 0.5)
    share = 1 / (1 + np.exp(-1.0))
    assert bandit.probabilities().tolist() == pytest.approx([share, 1 - share])
    rng = np.random.default_rng(5)
    assert np.mean([bandit.select(rng) == 0 for _ in range(4000)]) == pytest.approx(share, abs=0.03)


def test_exp3_ix_by_hand() -> None:
    bandit = Exp3Ix(2, rate=0.4)
    bandit.update(0, 0.0)  # loss 1 with probability 1/2: 1 / (0.5 + 0.2)
    assert bandit.losses.tolist() == pytest.approx([1 / 0.7, 0.0])
    weight = np.exp(-0.4 / 0.7)
    assert bandit.probabilities().tolist() == pytest.approx([weight / (1 + weight), 1 / (1 + weight)])


@pytest.mark.parametrize(
    ("policy", "parameters"), [("none", {}), ("ucb1", {"beta": 1.0}), ("softmax", {"discount": 2.0})]
)
def test_unknown_policies_and_parameters_are_refused(policy: str, parameters: dict[str, float]) -> None:
    with pytest.raises((UsageError, TypeError)):
        make_bandit(policy, 2, **parameters)

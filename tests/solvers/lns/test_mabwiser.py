"""Agreement with MABWiser, the bandit library behind the package Balans, on random histories of pulls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from combopt.solvers.lns.bandits import Bandit, EpsilonGreedy, Softmax, SoftmaxDirichlet, Thompson, Ucb1

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
mab = pytest.importorskip("mabwiser.mab", reason="MABWiser is not installed", exc_type=ImportError)

SEEDS = range(8)
Policy = mab.LearningPolicy


def history(seed: int, binary: bool = False, every: bool = True) -> tuple[int, list[int], list[float]]:
    """Number of arms, pulls and rewards; of ``every`` arm at least one, or of all but the last."""
    rng = np.random.default_rng(seed)
    arms = int(rng.integers(3, 9))
    pulled = arms if every else arms - 1
    pulls = [*range(pulled), *rng.integers(0, pulled, int(rng.integers(5, 80))).tolist()]
    chances = rng.random(arms)
    rewards = [float(rng.random() < chances[arm]) if binary else float(rng.random() * chances[arm]) for arm in pulls]
    return arms, pulls, rewards


def ours(bandit: Bandit, pulls: list[int], rewards: list[float]) -> Any:
    for arm, reward in zip(pulls, rewards, strict=True):
        bandit.update(arm, reward)
    return bandit


def theirs(policy: Any, arms: int, pulls: list[int], rewards: list[float], seed: int = 1) -> Any:
    """Told one pull after another, as the package ``alns`` does."""
    found = mab.MAB(arms=list(range(arms)), learning_policy=policy, seed=seed)
    found.fit(decisions=pulls[:1], rewards=rewards[:1])
    for arm, reward in zip(pulls[1:], rewards[1:], strict=True):
        found.partial_fit(decisions=[arm], rewards=[reward])
    return found


def listed(by_arm: dict[int, float]) -> list[float]:
    return [float(by_arm[arm]) for arm in sorted(by_arm)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("every", [True, False])
def test_means(seed: int, every: bool) -> None:
    arms, pulls, rewards = history(seed, every=every)
    known = theirs(Policy.EpsilonGreedy(epsilon=0.0), arms, pulls, rewards)
    bandit = ours(EpsilonGreedy(arms, epsilon=0.0), pulls, rewards)
    assert bandit.means.tolist() == pytest.approx(listed(known.predict_expectations()))
    assert bandit.scores(np.random.default_rng(0)).tolist() == pytest.approx(listed(known.predict_expectations()))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("alpha", [0.1, 1.0, 1.7])
def test_ucb1_indices(seed: int, alpha: float) -> None:
    arms, pulls, rewards = history(seed)
    known = theirs(Policy.UCB1(alpha=alpha), arms, pulls, rewards)
    bandit = ours(Ucb1(arms, alpha=alpha), pulls, rewards)
    assert bandit.scores(np.random.default_rng(0)).tolist() == pytest.approx(listed(known.predict_expectations()))
    assert bandit.select(np.random.default_rng(0)) == known.predict()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("every", [True, False])
def test_softmax_weights_and_the_dirichlet_draw(seed: int, every: bool) -> None:
    arms, pulls, rewards = history(seed, every=every)
    known = theirs(Policy.Softmax(tau=0.3), arms, pulls, rewards, seed=seed)
    weights = listed(known._imp.arm_to_expectation)
    assert ours(Softmax(arms, temperature=0.3), pulls, rewards).probabilities().tolist() == pytest.approx(weights)
    bandit = ours(SoftmaxDirichlet(arms, temperature=0.3), pulls, rewards)
    rng = np.random.default_rng(seed)  # the generator that MABWiser makes of its seed
    for _ in range(5):
        assert bandit.scores(rng).tolist() == pytest.approx(listed(known.predict_expectations()), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_rewards_and_temperature_scale_together(seed: int) -> None:
    """The package gives raw scores and ``tau``; we divide both by the largest score."""
    arms, pulls, _ = history(seed)
    raw = np.random.default_rng(seed).choice([8.0, 4.0, 2.0, 1.0], len(pulls)).tolist()
    known = theirs(Policy.Softmax(tau=1.359686), arms, pulls, raw)
    bandit = ours(Softmax(arms, temperature=1.359686 / 8), pulls, [reward / 8 for reward in raw])
    assert bandit.probabilities().tolist() == pytest.approx(listed(known._imp.arm_to_expectation))


@pytest.mark.parametrize("seed", SEEDS)
def test_thompson_parameters(seed: int) -> None:
    arms, pulls, rewards = history(seed, binary=True, every=False)
    known = theirs(Policy.ThompsonSampling(), arms, pulls, rewards)._imp
    wins, losses = ours(Thompson(arms), pulls, rewards).parameters()
    assert wins.tolist() == pytest.approx(listed(known.arm_to_success_count))
    assert losses.tolist() == pytest.approx(listed(known.arm_to_fail_count))


def test_a_reward_between_0_and_1_is_that_share_of_a_success() -> None:
    """MABWiser takes none; the parameters are those of ten times as many pulls, a tenth as much each."""
    _, pulls, rewards = history(3)
    shares = [round(reward, 1) for reward in rewards]
    split = [float(i < round(10 * share)) for share in shares for i in range(10)]
    known = theirs(Policy.ThompsonSampling(), 9, [arm for arm in pulls for _ in range(10)], split)._imp
    wins, losses = ours(Thompson(9), pulls, shares).parameters()
    assert (1 + 10 * (wins - 1)).tolist() == pytest.approx(listed(known.arm_to_success_count))
    assert (1 + 10 * (losses - 1)).tolist() == pytest.approx(listed(known.arm_to_fail_count))


@pytest.mark.parametrize("seed", SEEDS)
def test_arms_that_were_never_pulled_wait_their_turn_only_where_we_say_so(seed: int) -> None:
    arms, pulls, rewards = history(seed, every=False)
    bandit = ours(EpsilonGreedy(arms, epsilon=0.0), pulls, [reward + 0.1 for reward in rewards])
    known = theirs(Policy.EpsilonGreedy(epsilon=0.0), arms, pulls, [reward + 0.1 for reward in rewards])
    assert bandit.select(np.random.default_rng(0)) == arms - 1
    bandit.try_all = False
    assert bandit.select(np.random.default_rng(0)) == known.predict() != arms - 1


@pytest.mark.parametrize("seed", SEEDS)
def test_discounted_means_are_those_of_weighted_rewards(seed: int) -> None:
    """MABWiser forgets nothing; with a discount the mean is that of rewards weighted by age."""
    arms, pulls, rewards = history(seed)
    bandit = ours(EpsilonGreedy(arms, discount=0.9), pulls, rewards)
    weights = 0.9 ** np.arange(len(pulls))[::-1]
    for arm in range(arms):
        mine = np.array(pulls) == arm
        assert bandit.means[arm] == pytest.approx(np.average(np.array(rewards)[mine], weights=weights[mine]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cost_divides_the_index(seed: int) -> None:
    """MABWiser knows no costs; with the same cost for all pulls the indices are its own, divided by that cost."""
    arms, pulls, rewards = history(seed)
    known = listed(theirs(Policy.UCB1(alpha=1.0), arms, pulls, rewards).predict_expectations())
    bandit = Ucb1(arms, alpha=1.0)
    for arm, reward in zip(pulls, rewards, strict=True):
        bandit.update(arm, reward, cost=0.25)
    assert bandit.scores(np.random.default_rng(0)).tolist() == pytest.approx([4 * index for index in known])

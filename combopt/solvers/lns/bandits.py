"""Multi-armed bandits: which arm to pull next, from the rewards of the pulls so far.

All policies share the same statistics: pulls and rewards of each arm, old ones discounted (Garivier and Moulines
2011, "On upper-confidence bound policies for switching bandit problems", section 3; ``discount = 1`` forgets
nothing).  Rewards lie in [0, 1] unless said otherwise.  Every arm is pulled once, in random order, before a policy
has a say, unless ``try_all`` is off.

With ``discount = 1`` and all costs 1, means, indices, weights and Beta parameters are those of MABWiser (Strong,
Kleynhans and Kadioglu 2021), the library that the package Balans chooses with.  Three things differ on purpose:
MABWiser pulls no arm before its policy says so (``try_all``), breaks ties by the order of the arms, and its Softmax
is our :class:`SoftmaxDirichlet`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from combopt.errors import UsageError
from combopt.model import Floats


class Bandit(ABC):
    """The statistics, and the choice that a final subclass makes of them.

    Parameters
    ----------
    arms
        Number of arms.
    discount
        What a pull and its reward still count for after one more pull of any arm; in (0, 1].
    """

    try_all = True
    """Whether every arm is pulled once before the policy has a say."""

    def __init__(self, arms: int, discount: float = 1.0) -> None:
        if arms < 1:
            raise UsageError("E201", f"a bandit of {arms} arms", expected="1 or more")
        if not 0 < discount <= 1:
            raise UsageError("E201", f"discount = {discount}", expected="a number above 0, up to 1")
        self.discount = discount
        self.tried = np.zeros(arms, dtype=np.int64)
        """Pulls of each arm, not discounted."""
        self.pulls = np.zeros(arms)
        self.rewards = np.zeros(arms)
        self.costs = np.zeros(arms)

    @property
    def means(self) -> Floats:
        """Mean reward of each arm; 0 for one that was never pulled."""
        return self.rewards / np.maximum(self.pulls, 1e-12)

    @property
    def prices(self) -> Floats:
        """Mean cost of each arm; 1 for one that was never pulled.

        Policies with an index divide it by this, and so go for reward per unit of cost (Xia, Li, Qin, Yu and Liu
        2015, "Thompson sampling for budgeted multi-armed bandits", algorithm 1).
        """
        return np.where(self.pulls > 0, self.costs / np.maximum(self.pulls, 1e-12), 1.0)

    def select(self, rng: np.random.Generator, allowed: Sequence[int] | None = None) -> int:
        """The arm to pull, among ``allowed`` if given."""
        able = np.arange(len(self.pulls)) if allowed is None else np.asarray(allowed)
        fresh = able[self.tried[able] == 0]
        if fresh.size and self.try_all:
            return int(rng.choice(fresh))
        scores = np.full(len(self.pulls), -np.inf)
        scores[able] = self.scores(rng)[able]
        best = np.flatnonzero(scores == scores.max())
        return int(rng.choice(best))

    def update(self, arm: int, reward: float, cost: float = 1.0) -> None:
        """Note what a pull of ``arm`` brought, and what it cost (above 0)."""
        for total in (self.pulls, self.rewards, self.costs):
            total *= self.discount
        self.tried[arm] += 1
        self.pulls[arm] += 1
        self.rewards[arm] += reward
        self.costs[arm] += cost

    @abstractmethod
    def scores(self, rng: np.random.Generator) -> Floats:
        """The arm with the largest score is pulled; random policies draw the scores."""


class Uniform(Bandit):
    """Every arm alike: what any policy has to beat."""

    def scores(self, rng: np.random.Generator) -> Floats:
        return rng.random(len(self.pulls))


class EpsilonGreedy(Bandit):
    """The best mean, but any arm with probability ``epsilon`` (Sutton and Barto 2018, section 2.4)."""

    def __init__(self, arms: int, discount: float = 1.0, epsilon: float = 0.1) -> None:
        super().__init__(arms, discount)
        self.epsilon = epsilon

    def scores(self, rng: np.random.Generator) -> Floats:
        return rng.random(len(self.pulls)) if rng.random() < self.epsilon else self.means / self.prices


class Softmax(Bandit):
    """Probabilities proportional to ``exp(mean / temperature)`` (Sutton and Barto 2018, section 2.8)."""

    def __init__(self, arms: int, discount: float = 1.0, temperature: float = 0.2) -> None:
        super().__init__(arms, discount)
        self.temperature = temperature

    def probabilities(self) -> Floats:
        rates = self.means / self.prices
        weights = np.exp((rates - rates.max()) / self.temperature)
        return weights / weights.sum()

    def scores(self, rng: np.random.Generator) -> Floats:
        # the largest of log-weights plus Gumbel noise is a draw from the softmax, among any subset of the arms
        return np.log(self.probabilities() + 1e-300) + rng.gumbel(size=len(self.pulls))


class SoftmaxDirichlet(Softmax):
    """The largest part of a draw from the Dirichlet distribution whose concentrations are the softmax weights.

    So does ``mabwiser.softmax._Softmax.predict_expectations`` (MABWiser 2.7.4), and with it every configuration of
    the package Balans that says Softmax.  A part is as large as its weight on average, but the chance to be the
    largest is not the weight: that of heavy arms is somewhat greater, that of light ones smaller.
    """

    def scores(self, rng: np.random.Generator) -> Floats:
        return rng.dirichlet(self.probabilities() + np.finfo(np.float64).eps)


class Ucb1(Bandit):
    """Mean plus ``alpha * sqrt(2 ln(all pulls) / pulls)`` (Auer, Cesa-Bianchi and Fischer 2002, figure 1)."""

    def __init__(self, arms: int, discount: float = 1.0, alpha: float = 1.0) -> None:
        super().__init__(arms, discount)
        self.alpha = alpha

    def scores(self, rng: np.random.Generator) -> Floats:
        total = max(1.0, float(self.pulls.sum()))
        index = self.means + self.alpha * np.sqrt(2 * np.log(total) / np.maximum(self.pulls, 1e-12))
        return np.asarray(index / self.prices)


class Thompson(Bandit):
    """A draw from the Beta distribution of each arm (Agrawal and Goyal 2012, algorithm 1; a reward between 0 and 1
    counts as that share of a success; MABWiser takes 0 and 1 only, or a rule that makes such of other rewards)."""

    def parameters(self) -> tuple[Floats, Floats]:
        """Both parameters of the Beta distributions: successes and failures, each and one more."""
        wins = np.clip(self.rewards, 0.0, self.pulls)
        return 1.0 + wins, 1.0 + self.pulls - wins

    def scores(self, rng: np.random.Generator) -> Floats:
        return rng.beta(*self.parameters()) / self.prices


class Exp3Ix(Bandit):
    """Exponential weights with implicit exploration (Neu 2015, algorithm 1): makes no assumption on the rewards.

    ``rate`` is the learning rate eta; the exploration gamma is half of it, as in the paper's theorem 1.
    """

    def __init__(self, arms: int, discount: float = 1.0, rate: float = 0.3) -> None:
        super().__init__(arms, discount)
        self.rate = rate
        self.losses = np.zeros(arms)
        """Estimated losses, by importance weighting."""

    def probabilities(self) -> Floats:
        weights = np.exp(-self.rate * (self.losses - self.losses.min()))
        return weights / weights.sum()

    def update(self, arm: int, reward: float, cost: float = 1.0) -> None:
        probability = self.probabilities()[arm]
        super().update(arm, reward, cost)
        self.losses *= self.discount
        self.losses[arm] += (1.0 - reward) / (probability + self.rate / 2)

    def scores(self, rng: np.random.Generator) -> Floats:
        return np.log(self.probabilities() + 1e-300) + rng.gumbel(size=len(self.pulls))


POLICIES: dict[str, Callable[..., Bandit]] = {
    "uniform": Uniform,
    "epsilon_greedy": EpsilonGreedy,
    "softmax": Softmax,
    "softmax_dirichlet": SoftmaxDirichlet,
    "ucb1": Ucb1,
    "thompson": Thompson,
    "exp3_ix": Exp3Ix,
}


def make_bandit(policy: str, arms: int, discount: float = 1.0, try_all: bool = True, **parameters: float) -> Bandit:
    """The bandit of that name; raises :class:`UsageError` for an unknown name or parameter."""
    if policy not in POLICIES:
        raise UsageError("E204", f"{policy!r} is no policy", expected=", ".join(POLICIES))
    try:
        bandit = POLICIES[policy](arms, discount, **parameters)
    except TypeError as error:
        raise UsageError("E201", f"{policy}: {error}") from None
    bandit.try_all = try_all
    return bandit

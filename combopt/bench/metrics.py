"""Definitions of what is measured: pure functions on numbers and arrays, for one run or for all at once.

``docs/metrics.md`` says the same in words.  Everything is a cost here: smaller is better, and ``inf`` stands for
"never".  What a failed run is worth is settled in :mod:`combopt.bench.analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from combopt.model import Floats, Ints

GUARD = 1e-9
"""A divisor smaller than this counts as this."""
DRAWS = 20_000_000
"""Most entries of a table of bootstrap draws."""
RESAMPLES = 2000


# --- one run: how far an objective is from a reference -------------------------------------------------------------


def deviation(objective: npt.ArrayLike, reference: npt.ArrayLike, sign: npt.ArrayLike = 1.0) -> Floats:
    """Relative deviation ``sign * (objective - reference) / max(|reference|, 1e-9)``.

    The gap to the best known solution of routing and scheduling papers (relative percentage deviation, times 100).
    ``sign`` is 1 to minimise and -1 to maximise; negative values are better than the reference; NaN stays NaN.
    """
    x, ref = np.asarray(objective, dtype=float), np.asarray(reference, dtype=float)
    return np.asarray(sign * (x - ref) / np.maximum(np.abs(ref), GUARD), dtype=float)


def primal_gap(objective: npt.ArrayLike, reference: npt.ArrayLike) -> Floats:
    """The primal gap of Berthold (2013, section 2), in [0, 1].

    0 if both are equal, 1 if there is no objective (NaN) or no reference, or if the signs differ, else
    ``|objective - reference| / max(|objective|, |reference|)``.

    T. Berthold, Measuring the impact of primal heuristics, Operations Research Letters 41 (2013), 611-614.
    """
    x, ref = np.broadcast_arrays(np.asarray(objective, dtype=float), np.asarray(reference, dtype=float))
    scale = np.maximum(np.abs(x), np.abs(ref))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        gap = np.abs(x - ref) / scale  # at least 1 if the signs differ
    return np.where(x == ref, 0.0, np.where(np.isnan(gap), 1.0, np.minimum(gap, 1.0)))


def primal_dual_gap(objective: npt.ArrayLike, bound: npt.ArrayLike) -> Floats:
    """``|objective - bound| / max(|objective|, |bound|)``, 0 if both are equal; 1 if either is unknown (NaN) or
    their signs differ: the gap of Berthold (2013) between a run's own incumbent and its own dual bound."""
    return primal_gap(objective, bound)


# --- step functions: all traces at once ---------------------------------------------------------------------------


def step_integral(seconds: Floats, heights: Floats, start: Ints, limit: Floats) -> Floats:
    """Integrals over [0, limit] of many step functions that are 1 before their first step.

    With primal gaps as heights this is the primal integral of Berthold (2013, section 3).

    Parameters
    ----------
    seconds, heights
        When each step begins (ascending within a function) and the value from then on, shape (points,).
    start
        Function ``r`` has the points ``start[r]:start[r + 1]``; there may be none, shape (functions + 1,).
    limit
        End of each integral, finite; later steps do not count, shape (functions,).

    Returns
    -------
    Shape (functions,), in seconds; divide by ``limit`` for the average over the time.
    """
    count = len(start) - 1
    if count == 0:
        return np.zeros(0)
    if not np.isfinite(limit).all():
        raise ValueError("a primal integral needs a finite limit")
    # One more point at the front of each function, at time 0 with height 1.
    begin = start + np.arange(count + 1)
    own = np.ones(begin[-1], dtype=bool)
    own[begin[:-1]] = False
    at, height = np.zeros(begin[-1]), np.ones(begin[-1])
    at[own] = np.clip(seconds, 0.0, np.repeat(limit, np.diff(start)))
    height[own] = heights
    until = np.append(at[1:], 0.0)
    until[begin[1:] - 1] = limit
    return np.asarray(np.add.reduceat(height * (until - at), begin[:-1]), dtype=float)


def first_time(seconds: Floats, reached: npt.NDArray[np.bool_], start: Ints) -> Floats:
    """The first moment of each trace at which ``reached`` holds, ``inf`` if it never does; shape (traces,).

    With ``reached = primal_gap <= eps`` this is the time to target (Aiex, Resende and Ribeiro, TTT plots: a perl
    program to create time-to-target plots, Optimization Letters 1 (2007), 355-366).
    """
    result = np.full(len(start) - 1, np.inf)
    some = start[:-1] < start[1:]
    if some.any():
        at = np.where(reached, seconds, np.inf)
        result[some] = np.minimum.reduceat(at, start[:-1][some])
    return result


def gaps_over_time(seconds: Floats, gaps: Floats, start: Ints, times: Floats) -> Floats:
    """The smallest gap of each trace up to each of the ascending ``times``, 1 before the first incumbent.

    Shape (traces, times).
    """
    count = len(start) - 1
    table = np.ones((count, len(times) + 1))
    trace = np.repeat(np.arange(count), np.diff(start))
    np.minimum.at(table, (trace, np.searchsorted(times, seconds, side="left")), gaps)
    return np.minimum.accumulate(table[:, :-1], axis=1)


# --- many runs: means ---------------------------------------------------------------------------------------------


def shifted_geometric_mean(values: npt.ArrayLike, shift: float, axis: int | None = None) -> Floats:
    """``(prod (v + shift))^(1/n) - shift`` of values that are 0 or more; ``inf`` if one is.

    The shift keeps tiny values from deciding (Achterberg, Constraint Integer Programming, PhD thesis, TU Berlin 2007,
    appendix A.3).  NaN if there are no values.
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0:
        return np.asarray(np.nan)
    return np.asarray(shift * np.expm1(np.log1p(array / shift).mean(axis=axis)), dtype=float)


class Score(NamedTuple):
    """How often the first of two was smaller (a win, for all is cost), equal, larger."""

    wins: int
    ties: int
    losses: int


def score(differences: Floats) -> Score:
    """Wins (negative), ties (zero) and losses (positive) of the differences of one side to the other."""
    return Score(int((differences < 0).sum()), int((differences == 0).sum()), int((differences > 0).sum()))


# --- distributions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """A right-continuous step function from 0: its value is ``y[k]`` from ``x[k]`` on, ``x`` ascending."""

    x: Floats
    y: Floats

    def at(self, points: npt.ArrayLike) -> Floats:
        """The values at ``points``."""
        position = np.searchsorted(self.x, np.asarray(points, dtype=float), side="right")
        return np.concatenate([[0.0], self.y])[position]


def distribution(values: Floats) -> Steps:
    """The share of values of at most x; infinite values are never reached but count.

    On times to a target this is the empirical run-time distribution (Hoos and Stuetzle, Stochastic Local Search,
    2004, section 4.2).
    """
    x, count = np.unique(values[np.isfinite(values)], return_counts=True)
    return Steps(x, np.cumsum(count) / max(len(values), 1))


def performance_profiles(values: Floats, floor: float = 0.0) -> tuple[Steps, ...]:
    """Performance profiles: the share of problems on which a solver is within a factor of the best.

    E. Dolan and J. More, Benchmarking optimization software with performance profiles, Mathematical Programming 91
    (2002), 201-213, section 2.

    Parameters
    ----------
    values
        Cost of each solver on each problem, ``inf`` where it failed, shape (problems, solvers).
    floor
        Smaller costs count as this, since they are too small to be told apart.

    Returns
    -------
    For each solver its distribution of ratios to the best solver of each problem; a failure is never within any.
    """
    costs = np.maximum(values, floor)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = costs / costs.min(axis=1, keepdims=True, initial=np.inf)
    ratios = np.where(np.isfinite(costs), np.where(np.isnan(ratios), 1.0, ratios), np.inf)
    return tuple(distribution(column) for column in ratios.T)


# --- two configurations: is there a difference? --------------------------------------------------------------------


class Ratio(NamedTuple):
    """A ratio of means with the ends of its confidence interval (NaN where there are too few pairs for one)."""

    value: float
    low: float
    high: float


def resampling(count: int, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """How often each of ``count`` items is drawn in each bootstrap resample, shape (resamples, count).

    Of very many items fewer resamples are made, so that the table stays below :data:`DRAWS` entries.
    """
    rng = np.random.default_rng(seed)
    resamples = min(resamples, max(200, DRAWS // count))
    return rng.multinomial(count, np.full(count, 1.0 / count), size=resamples).astype(float)


def ratio_of_means(
    a: Floats, b: Floats, shift: float, *, confidence: float = 0.95, weights: Floats | None = None
) -> Ratio:
    """The ratio of two shifted geometric means over the same instances, with its paired bootstrap interval.

    Instances are drawn with replacement, the same for both sides, and the interval is that of percentiles (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3).

    Parameters
    ----------
    a, b
        One value an instance, 0 or more; the mean over its seeds, for runs of one instance are not independent.
    shift
        Shift of the means; 0 for plain geometric means of positive values.
    confidence
        Probability that the interval aims at.
    weights
        Draws of :func:`resampling`, to share them among calls with the same number of instances.

    Returns
    -------
    Below 1, ``a`` is smaller.  Two means of 0 have the ratio 1.
    """
    count = len(a)
    if count == 0:
        return Ratio(np.nan, np.nan, np.nan)
    logs = np.stack([np.log1p(v / shift) if shift else np.log(v) for v in (a, b)], axis=1)
    value = float(_ratios(logs.mean(axis=0), shift))
    if count == 1:
        return Ratio(value, np.nan, np.nan)
    drawn = resampling(count) if weights is None else weights
    tail = (1 - confidence) / 2
    # A method without interpolation, which infinite ratios would turn into NaN.
    low, high = np.quantile(_ratios(drawn @ logs / count, shift), [tail, 1 - tail], method="inverted_cdf")
    return Ratio(value, float(low), float(high))


def _ratios(logs: Floats, shift: float) -> Floats:
    means = np.expm1(logs) if shift else np.exp(logs)
    top, bottom = means[..., 0], means[..., 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(top == bottom, 1.0, top / bottom)


def wilcoxon(differences: Floats) -> float:
    """Two-sided p value of the signed-rank test (Wilcoxon, Individual comparisons by ranking methods, 1945).

    Zero differences take part in the ranking and are then dropped (Pratt 1959).  Infinite differences rank above all
    others.  If all are zero there is no difference to be seen and p is 1; NaN if there are none at all.
    """
    if len(differences) == 0:
        return float("nan")
    finite = np.isfinite(differences)
    largest = float(np.abs(differences[finite]).max(initial=0.0))
    ranked = np.where(finite, differences, np.sign(differences) * (2 * largest + 1))
    if not ranked.any():
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(ranked, zero_method="pratt").pvalue)

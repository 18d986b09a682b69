"""Scored runs summed up: by configuration, by instance, configuration against configuration, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from combopt.bench import metrics
from combopt.bench.metrics import Ratio, Score, Steps
from combopt.bench.runs import Failure
from combopt.bench.table import FAILURE
from combopt.model import Floats, Ints
from combopt.solvers.gate import TOLERANCE

if TYPE_CHECKING:
    from combopt.bench.analysis import Analysis


@dataclass(frozen=True)
class Measure:
    """Something that configurations are compared by; smaller is better.

    ``shift`` is that of its geometric mean, ``floor`` the value below which profiles tell nothing apart; a
    difference of at most ``absolute + relative * value`` is a tie.
    """

    name: str
    title: str
    shift: float
    floor: float
    relative: float = 0.0
    absolute: float = 0.0


GAP = Measure("gap", "primal gap", shift=1e-3, floor=1e-4, absolute=1e-9)
SECONDS = Measure("seconds", "seconds", shift=1.0, floor=0.01, relative=0.01, absolute=0.01)
INTEGRAL = Measure("integral", "primal integral / limit", shift=1e-3, floor=1e-4, absolute=1e-9)
MEASURES = {measure.name: measure for measure in (GAP, SECONDS, INTEGRAL)}


@dataclass(frozen=True)
class Summary:
    """One configuration over all its runs.

    Attributes
    ----------
    configuration, label
        Its position in ``table.configurations``, and what stands there.
    runs, instances
        How many runs it has, on how many instances.
    failed, failures
        Runs that failed, in all and by kind; a claim that the table refutes counts as ``WRONG``.
    unanswered
        Runs that ended in good order but brought neither solution nor proof.
    optimal
        Runs with a proof that stands.
    best
        Answered runs whose objective is the best known.
    wins, unique_wins
        Instances, of those that another configuration ran as well, on which no other has a smaller mean gap over the
        seeds, and on which every other has a larger one.
    mean_gap, median_gap, max_gap, geometric_gap
        Of the primal gaps, in [0, 1]; the last is the shifted geometric mean.
    deviation
        Mean relative deviation from the best known, ``inf`` if one run has no answer.
    seconds
        Shifted geometric mean of the times, runs without answer penalised.
    integral
        Mean primal integral divided by the time limit, in [0, 1].
    reached, to_target
        Runs that reached the target, and the median time to it, ``inf`` if at most half of them did.
    """

    configuration: int
    label: str
    runs: int
    instances: int
    failed: int
    failures: dict[Failure, int]
    unanswered: int
    optimal: int
    best: int
    wins: int
    unique_wins: int
    mean_gap: float
    median_gap: float
    max_gap: float
    geometric_gap: float
    deviation: float
    seconds: float
    integral: float
    reached: int
    to_target: float


@dataclass(frozen=True, eq=False)
class Cells:
    """Each configuration on each instance, over its seeds; all of shape (instances, configurations).

    ``runs`` and ``answered`` are counts; the others are NaN where there are no runs.  ``objective`` and
    ``best_objective`` are mean and best over the answered runs, NaN where there are none.  ``std_gap`` is the
    standard deviation with the number of runs as divisor, ``seconds`` the shifted geometric mean.
    """

    runs: Ints
    answered: Ints
    mean_gap: Floats
    best_gap: Floats
    worst_gap: Floats
    std_gap: Floats
    objective: Floats
    best_objective: Floats
    seconds: Floats
    integral: Floats


class Pair(NamedTuple):
    """Configuration ``a`` against ``b`` over the ``instances`` that both ran, seeds averaged.

    ``ratio`` is below 1 where ``a`` is better; ``p`` is that of the signed-rank test.
    """

    a: int
    b: int
    instances: int
    score: Score
    ratio: Ratio
    p: float


class Profile(NamedTuple):
    """Performance profiles of the ``configurations`` (positions) over the ``problems`` (an instance with a seed)
    that all of them ran."""

    configurations: tuple[int, ...]
    problems: int
    steps: tuple[Steps, ...]


class Curves(NamedTuple):
    """Primal gap at ``times`` over all runs of each of the ``configurations`` (positions); ``mean`` and ``median``
    have the shape (configurations, times)."""

    configurations: tuple[int, ...]
    times: Floats
    mean: Floats
    median: Floats


def cells(analysis: Analysis) -> Cells:
    """Sums over the seeds."""
    table = analysis.table
    shape = (len(table.instances), len(table.configurations))
    size = shape[0] * shape[1]
    cell = table.instance * shape[1] + table.configuration
    runs = np.bincount(cell, minlength=size)
    answered = np.bincount(cell[analysis.answered], minlength=size)

    def mean(values: Floats, rows: npt.NDArray[np.bool_] | None = None) -> Floats:
        where = cell if rows is None else cell[rows]
        count = np.bincount(where, minlength=size)
        total = np.bincount(where, weights=values if rows is None else values[rows], minlength=size)
        return np.divide(total, count, out=np.full(size, np.nan), where=count > 0)

    def smallest(values: Floats) -> Floats:
        out = np.full(size, np.inf)
        np.minimum.at(out, cell, values)
        return np.where(np.isfinite(out), out, np.nan)

    mean_gap = mean(analysis.gap)
    sign = table.signs()
    valued = analysis.answered & ~np.isnan(table.objective)
    cost = np.where(valued, sign[table.instance] * table.objective, np.inf)
    columns = {
        "runs": runs,
        "answered": answered,
        "mean_gap": mean_gap,
        "best_gap": smallest(analysis.gap),
        "worst_gap": -smallest(-analysis.gap),
        "std_gap": np.sqrt(mean((analysis.gap - mean_gap[cell]) ** 2)),
        "objective": mean(table.objective, valued),
        "best_objective": np.repeat(sign, shape[1]) * smallest(cost),
        "seconds": SECONDS.shift * np.expm1(mean(np.log1p(analysis.time / SECONDS.shift))),
        "integral": mean(analysis.integral),
    }
    return Cells(**{name: column.reshape(shape) for name, column in columns.items()})


def summaries(analysis: Analysis) -> tuple[Summary, ...]:
    """One for each configuration that has runs."""
    table, over = analysis.table, analysis.cells
    gaps = np.where(over.runs > 0, over.mean_gap, np.inf)
    contested = (over.runs > 0).sum(axis=1, keepdims=True) > 1
    winner = (gaps <= gaps.min(axis=1, keepdims=True, initial=np.inf) + GAP.absolute) & (over.answered > 0) & contested
    alone = winner & (winner.sum(axis=1, keepdims=True) == 1)
    best = analysis.best[table.instance]
    slack = np.where(analysis.exact[table.instance], 0.0, TOLERANCE * np.maximum(1.0, np.abs(best)))
    reaches_best = analysis.answered & (np.abs(table.objective - best) <= slack)
    failures = analysis.failures
    rows = []
    for c in analysis.configurations:
        own = np.flatnonzero(table.configuration == c)
        gap = analysis.gap[own]
        kinds = np.bincount(failures[own], minlength=len(FAILURE)).tolist()
        rows.append(
            Summary(
                configuration=c,
                label=table.configurations[c],
                runs=len(own),
                instances=int((over.runs[:, c] > 0).sum()),
                failed=int(analysis.failed[own].sum()),
                failures={f: n for f, n in zip(FAILURE, kinds, strict=True) if n and f is not Failure.NONE},
                unanswered=int((~analysis.answered[own] & ~analysis.failed[own]).sum()),
                optimal=int(analysis.optimal[own].sum()),
                best=int(reaches_best[own].sum()),
                wins=int(winner[:, c].sum()),
                unique_wins=int(alone[:, c].sum()),
                mean_gap=float(gap.mean()),
                median_gap=float(np.median(gap)),
                max_gap=float(gap.max()),
                geometric_gap=float(metrics.shifted_geometric_mean(gap, GAP.shift)),
                deviation=float(analysis.deviation[own].mean()),
                seconds=float(metrics.shifted_geometric_mean(analysis.time[own], SECONDS.shift)),
                integral=float(analysis.integral[own].mean()),
                reached=int(np.isfinite(analysis.time_to_target[own]).sum()),
                to_target=float(np.median(analysis.time_to_target[own])),
            )
        )
    return tuple(rows)


def differences(a: Floats, b: Floats, measure: Measure) -> Floats:
    """``a - b``, and 0 where that is a tie."""
    tied = np.abs(a - b) <= measure.absolute + measure.relative * np.maximum(np.abs(a), np.abs(b))
    return np.where(tied, 0.0, a - b)


def compare(
    a: Floats, b: Floats, measure: Measure, *, confidence: float = 0.95, weights: Floats | None = None
) -> tuple[Score, Ratio, float]:
    """Score, ratio with interval, and p of two columns of a measure, one value an instance; ties are differences of
    0 in the test."""
    difference = differences(a, b, measure)
    ratio = metrics.ratio_of_means(a, b, measure.shift, confidence=confidence, weights=weights)
    return metrics.score(difference), ratio, metrics.wilcoxon(difference)


def pairs(analysis: Analysis, measure: Measure, confidence: float) -> tuple[Pair, ...]:
    """Every configuration against every later one."""
    over = analysis.cells
    column = {"gap": over.mean_gap, "seconds": over.seconds, "integral": over.integral}[measure.name]
    drawn: dict[int, Floats] = {}
    result = []
    for position, a in enumerate(analysis.configurations):
        for b in analysis.configurations[position + 1 :]:
            both = (over.runs[:, a] > 0) & (over.runs[:, b] > 0)
            count = int(both.sum())
            if count and count not in drawn:
                drawn[count] = metrics.resampling(count)
            outcome = compare(
                column[both, a], column[both, b], measure, confidence=confidence, weights=drawn.get(count)
            )
            result.append(Pair(a, b, count, *outcome))
    return tuple(result)


def problems(analysis: Analysis) -> tuple[Ints, Ints]:
    """For each run the number of its problem (instance and seed), and how many configurations ran each problem."""
    table = analysis.table
    key = table.instance * (int(table.seed.max(initial=0)) + 1) + table.seed
    _, problem, count = np.unique(key, return_inverse=True, return_counts=True)
    return problem, count


def profile(analysis: Analysis, values: Floats, floor: float) -> Profile:
    """Performance profiles over the problems that all configurations ran."""
    chosen = analysis.configurations
    problem, count = problems(analysis)
    column = np.searchsorted(np.array(chosen), analysis.table.configuration)
    matrix = np.full((len(count), len(chosen)), np.inf)
    matrix[problem, column] = values
    matrix = matrix[count == len(chosen)]
    return Profile(chosen, len(matrix), metrics.performance_profiles(matrix, floor))


def curves(analysis: Analysis, times: npt.ArrayLike | None) -> Curves:
    """Mean and median gap over time."""
    start, seconds, gaps = analysis.steps
    longest = float(analysis.horizon.max(initial=0.0)) or 1.0
    grid = np.geomspace(longest / 1000, longest, 61) if times is None else np.asarray(times, dtype=float)
    over_time = metrics.gaps_over_time(seconds, gaps, start, grid)
    over_time[~analysis.answered] = 1.0
    own = [over_time[analysis.table.configuration == c] for c in analysis.configurations]
    shape = (len(own), len(grid))
    return Curves(
        analysis.configurations,
        grid,
        np.array([rows.mean(axis=0) for rows in own]).reshape(shape),
        np.array([np.median(rows, axis=0) for rows in own]).reshape(shape),
    )

"""Two sets of runs side by side, pair by pair: has B become better than A?

Runs are paired by instance and seed.  Everything is said of B: it wins where it is better, and a ratio below 1 means
that it is better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from combopt.bench import metrics, summary
from combopt.bench.analysis import Analysis, analyse
from combopt.bench.metrics import Ratio, Score
from combopt.bench.runs import Reference
from combopt.bench.summary import MEASURES
from combopt.bench.table import FAILURE, STATUS, Bools, Table, firmer
from combopt.errors import UsageError
from combopt.model import Floats, Ints

METRICS = (*MEASURES, "objective")
_WORST = 2.0  # |a - b| / max(|a|, |b|) is never larger
_TIE = 1e-9


class Change(NamedTuple):
    """An instance on which the two differ.

    ``a`` and ``b`` are the means over its seeds in the units of the metric (objectives: over the answered runs),
    ``failed_a`` and ``failed_b`` count runs without answer, ``difference`` says by how much B is worse.
    """

    instance: str
    a: float
    b: float
    failed_a: int
    failed_b: int
    difference: float


class FailedRun(NamedTuple):
    """A run that failed or brought no answer."""

    instance: str
    seed: int
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Configuration ``b`` against ``a`` by one ``metric``.

    Attributes
    ----------
    a, b, metric
        The labels and what they are compared by.
    pairs, instances
        Pairs of runs with the same instance and seed, and how many instances these are of.
    only_a, only_b
        Runs without a partner, which do not take part.
    mean_a, mean_b
        Shifted geometric means over the instances; NaN for objectives, which have no common scale.
    score
        Wins, ties and losses of B by instance, seeds averaged.
    ratio, compared
        Mean of B over mean of A with its confidence interval, and the instances that it is over.  By objective it is
        the geometric mean of the quotients (inverted where larger is better) over the instances where a seed has an
        answer on both sides; by all other metrics it is over all instances.
    p
        Of the signed-rank test on the differences by instance.
    improvements, regressions
        Instances on which B is better, or worse, by most.
    failed_a, failed_b
        Runs of the pairs without answer.
    """

    a: str
    b: str
    metric: str
    pairs: int
    instances: int
    only_a: int
    only_b: int
    mean_a: float
    mean_b: float
    score: Score
    ratio: Ratio
    compared: int
    p: float
    improvements: tuple[Change, ...]
    regressions: tuple[Change, ...]
    failed_a: tuple[FailedRun, ...]
    failed_b: tuple[FailedRun, ...]


def compare(
    a: Table,
    b: Table,
    *,
    label_a: str | None = None,
    label_b: str | None = None,
    metric: str = "gap",
    seed: int = 0,
    confidence: float = 0.95,
    shown: int = 10,
) -> tuple[Comparison, ...]:
    """Compare two tables, which may be the same one with two labels.

    Gaps are to the best objective that either table or a reference knows.

    Parameters
    ----------
    a, b
        The runs.
    label_a, label_b
        The configurations to compare.  Without them each table has but one, or every label that both have is
        compared with itself.
    metric
        ``gap``, ``seconds``, ``integral`` or ``objective``.
    seed
        Of the bootstrap.
    confidence
        Of the interval.
    shown
        How many improvements and regressions to name.

    Raises
    ------
    UsageError
        E201 if a label is not there, or nothing can be paired.
    """
    if metric not in METRICS:
        raise UsageError("E201", f"{metric!r} is no metric", expected=", ".join(METRICS))
    chosen = _labels(a, b, label_a, label_b)
    offset = 0 if a is b else len(a.configurations)
    analysis = analyse(a if a is b else side_by_side(a, b))
    results = []
    for first, second in chosen:
        rows = _Pairing.of(analysis, a.configurations.index(first), offset + b.configurations.index(second))
        results.append(rows.comparison(first, second, metric, seed, confidence, shown))
    if not any(result.pairs for result in results):
        raise UsageError(
            "E201", "no run of A has the same instance and seed as one of B", remedy="Run both on the same suite."
        )
    return tuple(results)


def side_by_side(a: Table, b: Table) -> Table:
    """Both tables in one; the configurations of ``b`` come after those of ``a`` and stay apart from them."""
    rows = {row.digest: row for row in (*a.instances, *b.instances)}
    position = {digest: k for k, digest in enumerate(rows)}
    references: dict[str, Reference | None] = dict.fromkeys(rows)
    for table in (a, b):
        for row, reference in zip(table.instances, table.references, strict=True):
            references[row.digest] = firmer(references[row.digest], reference, row.sense)
    columns = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in Table.columns()}
    columns["instance"] = np.concatenate(
        [np.array([position[r.digest] for r in t.instances], dtype=np.int64)[t.instance] for t in (a, b)]
    )
    columns["configuration"] = np.concatenate([a.configuration, b.configuration + len(a.configurations)])
    columns["store"] = np.repeat([0, 1], [a.runs, b.runs])
    return replace(
        a,
        instances=tuple(rows.values()),
        references=tuple(references.values()),
        configurations=tuple(f"{label} (A)" for label in a.configurations)
        + tuple(f"{label} (B)" for label in b.configurations),
        trace_start=np.concatenate([a.trace_start, b.trace_start[1:] + a.trace_start[-1]]),
        trace=np.concatenate([a.trace, b.trace]),
        **columns,
    )


def _labels(a: Table, b: Table, label_a: str | None, label_b: str | None) -> list[tuple[str, str]]:
    for table, label, side in ((a, label_a, "A"), (b, label_b, "B")):
        if label is not None and label not in table.configurations:
            raise UsageError("E201", f"{side} has no runs of {label!r}", expected=", ".join(table.configurations))
    left = (label_a,) if label_a is not None else a.configurations
    right = (label_b,) if label_b is not None else b.configurations
    if a is b and left == right and len(left) == 1:
        raise UsageError("E201", "A and B are the same runs", expected=f"two of {', '.join(a.configurations)}")
    if len(left) == 1 and len(right) == 1:
        return [(left[0], right[0])]
    both = [label for label in left if label in right]
    if a is b or not both:
        raise UsageError(
            "E201",
            "which runs to compare is not clear",
            expected=f"a label after each file, as in RUNS.db#LABEL; A has {', '.join(a.configurations)};"
            f" B has {', '.join(b.configurations)}",
        )
    return [(label, label) for label in both]


@dataclass(frozen=True, eq=False)
class _Pairing:
    """Rows of the joint analysis: ``a[k]`` and ``b[k]`` have the same instance and seed; ``group[k]`` numbers the
    instance, ``names`` names it."""

    analysis: Analysis
    a: Ints
    b: Ints
    group: Ints
    names: tuple[str, ...]
    only_a: int
    only_b: int

    @classmethod
    def of(cls, analysis: Analysis, a: int, b: int) -> _Pairing:
        table = analysis.table
        key = table.instance * (int(table.seed.max(initial=0)) + 1) + table.seed
        rows_a, rows_b = (np.flatnonzero(table.configuration == c) for c in (a, b))
        _, in_a, in_b = np.intersect1d(key[rows_a], key[rows_b], assume_unique=True, return_indices=True)
        instances, group = np.unique(table.instance[rows_a[in_a]], return_inverse=True)
        names = tuple(table.names[k] for k in instances.tolist())
        unpaired = len(rows_a) - len(in_a), len(rows_b) - len(in_b)
        return cls(analysis, rows_a[in_a], rows_b[in_b], group, names, *unpaired)

    def mean(self, values: Floats) -> Floats:
        """Means over the pairs of each instance; NaN values do not count, and give NaN where there are no others."""
        count = len(self.names)
        known = ~np.isnan(values)
        total = np.bincount(self.group[known], weights=values[known], minlength=count)
        number = np.bincount(self.group[known], minlength=count)
        return np.divide(total, number, out=np.full(count, np.nan), where=number > 0)

    def _count(self, chosen: Bools) -> list[int]:
        """How many of the pairs of each instance are chosen."""
        return np.bincount(self.group[chosen], minlength=len(self.names)).tolist()

    def comparison(self, a: str, b: str, metric: str, seed: int, confidence: float, shown: int) -> Comparison:
        mean_a = mean_b = np.nan
        if metric == "objective":
            left, right, difference, score, ratio, compared = self._by_objective(seed, confidence)
            p = metrics.wilcoxon(difference)
        else:
            measure = MEASURES[metric]
            values = self.analysis.values(metric)
            left, right = self._mean_of(values[self.a], metric), self._mean_of(values[self.b], metric)
            weights = metrics.resampling(len(left), seed=seed) if len(left) > 1 else None
            score, ratio, p = summary.compare(right, left, measure, confidence=confidence, weights=weights)
            mean_a, mean_b = (float(metrics.shifted_geometric_mean(v, measure.shift)) for v in (left, right))
            difference = summary.differences(right, left, measure)
            compared = len(left)
        order = np.argsort(difference, kind="stable")
        lost_a, lost_b = (self._count(~self.analysis.answered[rows]) for rows in (self.a, self.b))
        changes = [
            Change(self.names[k], float(left[k]), float(right[k]), lost_a[k], lost_b[k], float(difference[k]))
            for k in order.tolist()
        ]
        return Comparison(
            a=a, b=b, metric=metric, pairs=len(self.a), instances=len(self.names), only_a=self.only_a,
            only_b=self.only_b, mean_a=mean_a, mean_b=mean_b, score=score, ratio=ratio, compared=compared, p=p,
            improvements=tuple(c for c in changes[:shown] if c.difference < 0),
            regressions=tuple(c for c in changes[: -shown - 1 : -1] if c.difference > 0),
            failed_a=self._failed(self.a), failed_b=self._failed(self.b),
        )  # fmt: skip

    def _mean_of(self, values: Floats, metric: str) -> Floats:
        if metric != "seconds":
            return self.mean(values)
        shift = summary.SECONDS.shift
        return shift * np.expm1(self.mean(np.log1p(values / shift)))

    def _by_objective(self, seed: int, confidence: float) -> tuple[Floats, Floats, Floats, Score, Ratio, int]:
        table, answered = self.analysis.table, self.analysis.answered
        sign = table.signs()[table.instance[self.a]]
        x, y = (np.where(answered[rows], table.objective[rows], np.nan) for rows in (self.a, self.b))
        worse = np.where(np.isnan(y), 1.0, 0.0) - np.where(np.isnan(x), 1.0, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.where(x == y, 0.0, sign * (y - x) / np.maximum(np.abs(x), np.abs(y)))
            logs = np.where(x == y, 0.0, sign * np.sign(x) * np.log(y / x))
        difference = self.mean(np.where(np.isnan(relative), _WORST * worse, relative))
        difference[np.abs(difference) <= _TIE] = 0.0
        score = metrics.score(difference)
        # quotients exist where both have an answer, and of the same sign
        means = self.mean(np.where(np.isfinite(logs), logs, np.nan))
        quotient = np.exp(means[~np.isnan(means)])
        compared = len(quotient)
        weights = metrics.resampling(compared, seed=seed) if compared > 1 else None
        ratio = metrics.ratio_of_means(quotient, np.ones(compared), 0.0, confidence=confidence, weights=weights)
        return self.mean(x), self.mean(y), difference, score, ratio, compared

    def _failed(self, rows: Ints) -> tuple[FailedRun, ...]:
        analysis, table = self.analysis, self.analysis.table
        found = []
        for row in rows[~analysis.answered[rows]].tolist():
            if analysis.failed[row]:
                reason = analysis.reasons.get(row) or str(FAILURE[analysis.failures[row]])
            else:
                reason = f"no answer: {STATUS[table.status[row]]}"
            found.append(FailedRun(table.names[table.instance[row]], int(table.seed[row]), reason))
        return tuple(found)

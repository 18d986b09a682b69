"""What a table of runs says: every run scored, claims checked against each other, configurations summed up.

The rule for failures, in one place: a run that failed for whatever reason, or brought no answer, has primal gap 1, a
primal integral of its whole time limit, an infinite deviation, the time limit times ``penalty`` as its time, and
never reaches a target.  It is never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from combopt.bench import metrics, summary
from combopt.bench.crosscheck import Finding, crosscheck
from combopt.bench.metrics import Ratio, Score, Steps
from combopt.bench.runs import Failure
from combopt.bench.summary import MEASURES, Cells, Curves, Measure, Pair, Profile, Summary
from combopt.bench.table import FAILURE, STATUS, Bools, Table
from combopt.errors import UsageError
from combopt.model import Floats, Ints
from combopt.result import Status

__all__ = [
    "MEASURES", "Analysis", "Cells", "Curves", "Finding", "Measure", "Pair", "Profile", "Ratio", "Score", "Steps",
    "Summary", "analyse",
]  # fmt: skip

TARGET = 0.01
_FLOORS = {"gap": summary.GAP.floor, "target": summary.SECONDS.floor, "proof": summary.SECONDS.floor}


@dataclass(frozen=True, eq=False)
class Analysis:
    """A table with its runs scored.  Arrays of shape (runs,) go with the rows of the table.

    Parameters
    ----------
    table
        What was analysed.
    target
        Primal gap at which the target counts as reached.
    penalty
        Factor on the time limit of runs without answer (2 and 10 give the PAR2 and PAR10 of the literature).
    best
        Best known objective of each instance, be it the reference or found in the table; NaN if there is none; shape
        (instances,).
    exact
        Whether the objectives of an instance are integers, so that equal means equal, shape (instances,).
    refuted
        Runs with a claim that a checked solution of the table contradicts, shape (runs,).
    reasons
        What contradicts it, in a clause, by row.
    failed
        Runs with a failure of their own or refuted, shape (runs,).
    answered
        Runs, not failed, with a solution, or with a proof that there is none, shape (runs,).
    optimal
        Answered runs that proved optimality, infeasibility or unboundedness, shape (runs,).
    gap
        Primal gap to ``best`` in [0, 1], shape (runs,).
    deviation
        Relative deviation from ``best`` (0.02: two per cent worse), ``inf`` without answer, shape (runs,).
    horizon
        End of the primal integral: the time limit, or the longest run of the instance if there is no limit, shape
        (runs,).
    integral
        Primal integral divided by ``horizon``, in [0, 1], shape (runs,).
    time
        Seconds of an answered run; else ``horizon`` times ``penalty``, or the seconds if they are more; shape (runs,).
    time_to_best, time_to_target, time_to_proof
        When the final objective was found, the target reached, the proof done; ``inf`` for never; shape (runs,).
    steps
        The incumbents as step functions: ``start`` of shape (runs + 1,), seconds and primal gap of all points.
    improved
        Best known values that were beaten.
    contradicted
        References called proven that were beaten: the reference or the instance is not what it claims to be.
    disputed
        Claims of runs that contradict a reference value; nobody checked that one, so they do not count as failed.
    """

    table: Table
    target: float
    penalty: float
    best: Floats
    exact: Bools
    refuted: Bools
    reasons: dict[int, str]
    failed: Bools
    answered: Bools
    optimal: Bools
    gap: Floats
    deviation: Floats
    horizon: Floats
    integral: Floats
    time: Floats
    time_to_best: Floats
    time_to_target: Floats
    time_to_proof: Floats
    steps: tuple[Ints, Floats, Floats]
    improved: tuple[Finding, ...]
    contradicted: tuple[Finding, ...]
    disputed: tuple[Finding, ...]

    @cached_property
    def configurations(self) -> tuple[int, ...]:
        """Positions of the configurations that have runs here."""
        return tuple(np.unique(self.table.configuration).tolist())

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of instances that have runs, in alphabetical order."""
        return tuple(sorted({self.table.instances[k].kind for k in np.unique(self.table.instance).tolist()}))

    @cached_property
    def failures(self) -> Ints:
        """How each run failed, as a position in ``FAILURE``: its own failure, else ``WRONG`` if refuted."""
        own = self.table.failure
        return np.where(self.refuted & (own == FAILURE.index(Failure.NONE)), FAILURE.index(Failure.WRONG), own)

    @cached_property
    def complete(self) -> bool:
        """Whether all configurations ran the same instances with the same seeds.

        If not, their summaries are not over the same problems; only pairs and profiles compare like with like.
        """
        return bool((summary.problems(self)[1] == len(self.configurations)).all())

    @cached_property
    def cells(self) -> Cells:
        """Each configuration on each instance."""
        return summary.cells(self)

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """One for each of :attr:`configurations`, in that order."""
        return summary.summaries(self)

    def for_kind(self, kind: str) -> Analysis:
        """The analysis of the instances of one kind; configurations keep their positions."""
        if self.kinds == (kind,):
            return self
        return analyse(self.table.of_kind(kind), target=self.target, penalty=self.penalty)

    def values(self, measure: str) -> Floats:
        """A column by name: ``gap``, ``seconds``, ``integral``, ``deviation``, ``best``, ``target`` or ``proof``
        (times to them); shape (runs,)."""
        columns = {
            "gap": self.gap, "seconds": self.time, "integral": self.integral, "deviation": self.deviation,
            "best": self.time_to_best, "target": self.time_to_target, "proof": self.time_to_proof,
        }  # fmt: skip
        if measure not in columns:
            raise UsageError("E201", f"{measure!r} is no measure", expected=", ".join(columns))
        return columns[measure]

    def pairs(self, measure: str = "gap", *, confidence: float = 0.95) -> tuple[Pair, ...]:
        """Every configuration against every later one by ``gap``, ``seconds`` or ``integral``."""
        if measure not in MEASURES:
            raise UsageError("E201", f"{measure!r} is no measure", expected=", ".join(MEASURES))
        return summary.pairs(self, MEASURES[measure], confidence)

    def profile(self, measure: str = "gap") -> Profile:
        """Performance profiles by ``gap``, time to ``target`` or time to ``proof``.

        Failures, and times of never, are never within any factor of the best; gaps of runs without answer neither.
        """
        if measure not in _FLOORS:
            raise UsageError("E201", f"{measure!r} has no profile", expected=", ".join(_FLOORS))
        values = np.where(self.answered, self.values(measure), np.inf)
        return summary.profile(self, values, _FLOORS[measure])

    def curves(self, times: npt.ArrayLike | None = None) -> Curves:
        """Mean and median gap over time, by default at 61 times from a thousandth of the longest horizon to it."""
        return summary.curves(self, times)

    def runtime_distributions(self) -> tuple[Steps, ...]:
        """For each of :attr:`configurations` the share of its runs that reached the target by a time."""
        return tuple(
            metrics.distribution(self.time_to_target[self.table.configuration == c]) for c in self.configurations
        )


def analyse(table: Table, *, target: float = TARGET, penalty: float = 1.0) -> Analysis:
    """Score every run of a table.

    Parameters
    ----------
    table
        The runs.
    target
        Primal gap to the best known objective at which the target counts as reached, in [0, 1).
    penalty
        Factor on the time limit of runs without answer, 1 or more.
    """
    if not 0 <= target < 1:
        raise UsageError("E201", f"target = {target}", expected="a gap from 0 to below 1")
    if not penalty >= 1:
        raise UsageError("E201", f"penalty = {penalty}", expected="a factor of 1 or more")
    verdicts = crosscheck(table)
    best = verdicts.best[table.instance]
    failed = (table.failure != FAILURE.index(Failure.NONE)) | verdicts.refuted
    has_objective = ~np.isnan(table.objective)
    is_infeasible = table.status == STATUS.index(Status.INFEASIBLE)
    is_unbounded = table.status == STATUS.index(Status.UNBOUNDED)
    # A proof that there is no solution is an answer unless somebody knows one.
    nothing_to_find = (is_infeasible | is_unbounded) & ~has_objective & np.isnan(best)
    answered = ~failed & (has_objective | nothing_to_find)
    optimal = answered & (is_infeasible | is_unbounded | (table.status == STATUS.index(Status.OPTIMAL)))

    horizon = _horizon(table)
    start, seconds, objective = _steps(table)
    run = np.repeat(np.arange(table.runs), np.diff(start))
    last = start[1:] - 1
    gaps = metrics.primal_gap(objective, best[run])
    gaps[last[nothing_to_find]] = 0.0
    is_final = objective == table.objective[run]
    is_final[last[nothing_to_find]] = True

    sign = table.signs()[table.instance]
    deviation = np.where(nothing_to_find, 0.0, metrics.deviation(table.objective, best, sign))
    return Analysis(
        table=table,
        target=target,
        penalty=penalty,
        best=verdicts.best,
        exact=verdicts.exact,
        refuted=verdicts.refuted,
        reasons=verdicts.reasons,
        failed=failed,
        answered=answered,
        optimal=optimal,
        gap=np.where(answered, gaps[last], 1.0),
        deviation=np.where(answered, deviation, np.inf),
        horizon=horizon,
        integral=np.where(answered, metrics.step_integral(seconds, gaps, start, horizon) / horizon, 1.0),
        time=np.where(answered, table.seconds, np.maximum(table.seconds, penalty * horizon)),
        time_to_best=np.where(answered, metrics.first_time(seconds, is_final, start), np.inf),
        time_to_target=np.where(answered, metrics.first_time(seconds, gaps <= target, start), np.inf),
        time_to_proof=np.where(optimal, table.seconds, np.inf),
        steps=(start, seconds, gaps),
        improved=verdicts.improved,
        contradicted=verdicts.contradicted,
        disputed=verdicts.disputed,
    )


def _horizon(table: Table) -> Floats:
    longest = np.full(len(table.instances), 1e-3)
    np.maximum.at(longest, table.instance, table.seconds)
    return np.where(np.isfinite(table.limit), table.limit, longest[table.instance])


def _steps(table: Table) -> tuple[Ints, Floats, Floats]:
    """The traces, each with the end of the run as one more point: start, seconds, objective."""
    start = table.trace_start + np.arange(table.runs + 1)
    last = start[1:] - 1
    seconds, objective = np.empty(start[-1]), np.empty(start[-1])
    is_trace = np.ones(start[-1], dtype=bool)
    is_trace[last] = False
    seconds[is_trace], objective[is_trace] = table.trace[:, 0], table.trace[:, 1]
    latest = np.zeros(table.runs)
    some = table.trace_start[:-1] < table.trace_start[1:]
    latest[some] = table.trace[table.trace_start[1:][some] - 1, 0]
    seconds[last], objective[last] = np.maximum(table.seconds, latest), table.objective
    return start, seconds, objective

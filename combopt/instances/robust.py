"""Two-stage robust optimisation: decide now, see what comes, then decide the rest; the worst case counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError, UnsupportedError, UsageError
from combopt.instances.mip import CONTINUOUS, INTEGER, Mip
from combopt.instances.robust_stage import Layout, SecondStage, best_per_scenario, cleaned
from combopt.instances.solutions import Point, RobustPlan
from combopt.instances.uncertainty import LARGEST, Uncertainty
from combopt.model import Evaluation, Exactness, Floats, Instance, Ints, Sense, Solution, Violation, frozen_array, show

SHOWN = 8
"""Most factors of a scenario that a sentence names."""

Bools = npt.NDArray[np.bool_]
Form = Literal["scenarios", "objective", "rows"]


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoStageRobust(Instance):
    """``min over x of the max over xi of the min over y``, both stages mixed-integer (``max min max`` likewise).

    Parameters
    ----------
    first
        The first stage: its columns are ``x``, its rows hold without regard to ``xi``, its objective is the cost of
        ``x`` alone.
    second
        The second stage.  Columns with the name of a first-stage column are that column; the others are the recourse
        ``y``.  Its objective is added to that of the first stage.
    uncertainty
        The set of all ``xi``.
    term_row, term_column, term_factor
        ``int64[k]``: the coefficient of ``second`` in this row and column rises by ``value * xi[factor]``.  Row -1 is
        the objective; column -1 is the constant: of a row its right-hand side (both sides), of the objective its
        offset.  Terms of the same place add up.
    term_value
        ``float64[k]``.

    What can be certified, and so evaluated and solved (:attr:`form`): with a list of scenarios, any dependence and any
    recourse; with a box or polyhedron, an uncertain objective with any recourse, or uncertain right-hand sides and
    coefficients of first-stage columns with continuous recourse.
    """

    kind: ClassVar[str] = "robust"
    solution_type: ClassVar[type[Solution]] = RobustPlan
    name: str = "robust"
    sense: Sense = field(init=False, default=Sense.MIN)
    first: Mip
    second: Mip
    uncertainty: Uncertainty
    term_row: Ints
    term_column: Ints
    term_factor: Ints
    term_value: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "sense", self.first.sense)
        count = len(frozen_array(self.term_row, np.int64, (None,), "term_row"))
        for name in ("term_row", "term_column", "term_factor"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.int64, (count,), name))
        object.__setattr__(self, "term_value", frozen_array(self.term_value, np.float64, (count,), "term_value"))
        _check_stages(self.first, self.second)
        _check_terms(self)

    @classmethod
    def build(
        cls,
        first: Mip,
        second: Mip,
        uncertainty: Uncertainty,
        terms: Iterable[tuple[str, str, int | str, float]] = (),
        name: str = "robust",
    ) -> TwoStageRobust:
        """The instance with terms by name: ``(row or "objective", column or "rhs", factor, value)``, the factor by
        name or number.

        Raises
        ------
        InputError
            E117 if a name refers to nothing.
        """
        rows = {"objective": -1, **{row: i for i, row in enumerate(second.rows)}}
        columns = {"rhs": -1, **{column: j for j, column in enumerate(second.columns)}}
        factors: dict[int | str, int] = {factor: f for f, factor in enumerate(uncertainty.factors)}
        factors.update({f: f for f in range(uncertainty.dimension)})
        found: list[tuple[int, int, int]] = []
        values: list[float] = []
        for number, (row, column, factor, value) in enumerate(terms):
            place = f"term {number}: "
            if row not in rows:
                raise InputError(
                    "E117", f"{place}the second stage has no row {row!r}", expected='a row, or "objective"'
                )
            if column not in columns:
                raise InputError("E117", f"{place}the second stage has no column {column!r}", expected='one, or "rhs"')
            if factor not in factors:
                raise InputError("E117", f"{place}the uncertainty set has no factor {factor!r}")
            found.append((rows[row], columns[column], factors[factor]))
            values.append(value)
        table = np.array(found, dtype=np.int64).reshape(-1, 3)
        return cls(
            name=name, first=first, second=second, uncertainty=uncertainty, term_row=table[:, 0],
            term_column=table[:, 1], term_factor=table[:, 2], term_value=np.array(values, dtype=np.float64),
        )  # fmt: skip

    @cached_property
    def layout(self) -> Layout:
        """How the columns and terms of the second stage split."""
        return Layout.of(self)

    @cached_property
    def rate(self) -> Floats:
        """``float64[m, q]``: how the costs of the recourse columns rise with the factors."""
        terms = self.layout.cost_own
        rate = np.zeros((len(self.layout.own), self.uncertainty.dimension))
        np.add.at(rate, (self.layout.place[self.term_column[terms]], self.term_factor[terms]), self.term_value[terms])
        return rate

    @cached_property
    def matrix(self) -> Any:
        """The matrix of the second stage, a sparse array by rows."""
        from scipy.sparse import csr_array

        second = self.second
        shape = (len(second.rows), len(second.columns))
        return csr_array((second.row_value, second.row_column, second.row_start), shape=shape)

    @cached_property
    def own_matrix(self) -> Any:
        """The recourse columns of :attr:`matrix`."""
        return self.matrix[:, self.layout.own]

    @property
    def recourse(self) -> tuple[str, ...]:
        """Names of the recourse columns, in the order of :attr:`RobustPlan.recourse`."""
        return tuple(self.second.columns[j] for j in self.layout.own)

    @cached_property
    def form(self) -> Form | None:
        """Which of the forms that can be certified the instance has, ``None`` if none."""
        return None if self.uncertifiable() else self._form()

    def _form(self) -> Form:
        if self.uncertainty.discrete:
            return "scenarios"
        return "rows" if (self.term_row >= 0).any() else "objective"

    def uncertifiable(self) -> str | None:
        """A clause that says why no worst case can be certified, ``None`` if it can."""
        if self._form() != "rows":
            return None
        layout = self.layout
        instead = "; take a list of scenarios instead"
        if layout.matrix.size:
            row, column, factor = self._named(int(layout.matrix[0]))
            return f"the coefficient of recourse column {column!r} in row {row!r} depends on {factor}{instead}"
        whole = np.flatnonzero(self.second.integral[layout.own])
        if whole.size:
            row, _, factor = self._named(int(np.flatnonzero(self.term_row >= 0)[0]))
            column = self.second.columns[layout.own[whole[0]]]
            return f"row {row!r} depends on {factor} and recourse column {column!r} is integer{instead}"
        if layout.cost_own.size:
            _, column, factor = self._named(int(layout.cost_own[0]))
            row, _, other = self._named(int(np.flatnonzero(self.term_row >= 0)[0]))
            return f"the cost of recourse column {column!r} depends on {factor} and row {row!r} on {other}{instead}"
        return None

    def _named(self, term: int) -> tuple[str, str, str]:
        row, column = int(self.term_row[term]), int(self.term_column[term])
        return (
            "objective" if row < 0 else self.second.rows[row],
            "rhs" if column < 0 else self.second.columns[column],
            f"factor {self.uncertainty.factors[int(self.term_factor[term])]!r}",
        )

    @cached_property
    def scenarios(self) -> Floats:
        """The scenarios that decide the worst case where not the objective alone is uncertain: those of the list, or
        the vertices of the set (Zeng and Zhao 2013, section 3).

        Raises
        ------
        UnsupportedError
            E202 if there are too many vertices.
        """
        relevant = np.zeros(self.uncertainty.dimension, dtype=bool)
        relevant[self.term_factor[self.term_value != 0]] = True
        return self.uncertainty.vertices(relevant)

    def size(self) -> dict[str, int]:
        found = {
            "columns": len(self.first.columns),
            "recourse": len(self.layout.own),
            "rows": len(self.first.rows) + len(self.second.rows),
            "factors": self.uncertainty.dimension,
        }
        return {**found, "scenarios": len(self.uncertainty.scenarios)} if self.uncertainty.discrete else found

    def conventions(self) -> tuple[str, ...]:
        return ("objective: worst case over the uncertainty set with the recourse decisions of the plan held ready",)

    def evaluate(self, solution: Solution) -> Evaluation:
        """The worst case that the plan guarantees, from the data alone.

        In every scenario the best held decision that is feasible there is taken.  Where a polyhedral set moves rows,
        the vertices decide: between them a mixture of the decisions at the vertices is feasible and no worse than the
        worst of them.  Where the objective alone is uncertain, the mixture by ``weights`` counts, or the best single
        decision.

        Raises
        ------
        InputError
            E302 if the plan has another shape than the instance.
        UnsupportedError
            E202 if no worst case of the instance can be certified (see :meth:`uncertifiable`).
        """
        self.own(solution)
        assert isinstance(solution, RobustPlan)
        if (reason := self.uncertifiable()) is not None:
            raise UnsupportedError("E202", f"no worst case of {self.name} can be certified: {reason}")
        recourse = self._shaped(solution)
        checked = self.first.evaluate(Point(self.first.columns, solution.first))
        x = self.rounded(solution.first)
        decisions, usable = cleaned(self, recourse)
        stage = SecondStage.at(self, x)
        judge = self._mixture if self.form == "objective" else self._by_scenario
        worst, violations, notes = judge(stage, decisions, usable, solution)
        return Evaluation(
            worst, (*checked.violations, *violations), self._exactness(checked), (*checked.notes, *notes)
        )

    def rounded(self, x: Floats) -> Floats:
        """A first stage with the values of integer columns made whole, and all within their bounds."""
        return np.clip(np.where(self.first.integral, np.rint(x), x), self.first.lower, self.first.upper)

    def _exactness(self, checked: Evaluation) -> Exactness:
        """Recourse decisions that are not whole hold within the tolerance."""
        whole = self.second.integral[self.layout.own].all()
        return checked.exactness if whole else Exactness.TOLERANCE

    def _shaped(self, plan: RobustPlan) -> Floats:
        n, m = len(self.first.columns), len(self.layout.own)
        if len(plan.first) != n:
            raise InputError("E302", f"the plan has {len(plan.first)} first-stage values", expected=f"{n}")
        if len(plan.recourse) and plan.recourse.shape[1] != m:
            raise InputError("E302", f"the recourse decisions have {plan.recourse.shape[1]} values", expected=f"{m}")
        if len(plan.scenario) not in (0, self.uncertainty.dimension):
            expected = f"{self.uncertainty.dimension}, or none"
            raise InputError("E302", f"the scenario has {len(plan.scenario)} values", expected=expected)
        return plan.recourse.reshape(-1, m)

    def _by_scenario(
        self, stage: SecondStage, decisions: Floats, usable: Bools, plan: RobustPlan
    ) -> tuple[float, list[Violation], list[str]]:
        """The worst over scenarios (or vertices) of the best decision that serves it."""
        scenarios = self.scenarios
        base, slope = stage.affine(decisions)
        costs = base[:, None] + slope @ scenarios.T
        serves = stage.serves(decisions, scenarios) & usable[:, None]
        best = best_per_scenario(costs, serves, self.sense)
        unserved = np.flatnonzero(~np.isfinite(best))
        if unserved.size:
            return float(best[unserved[0]]), [self._unserved(stage, decisions, usable, scenarios, unserved)], []
        value = float(best.max() if self.sense is Sense.MIN else best.min())
        worst = np.flatnonzero(np.abs(best - value) <= 1e-9 * max(1.0, abs(value)))
        if plan.scenario.size:  # of several that are as bad, the one that the plan names
            worst = worst[np.abs(scenarios[worst] - plan.scenario).max(axis=1).argsort(kind="stable")]
        return value, [], [f"worst scenario: {self.describe(scenarios[worst[0]])}"]

    def _unserved(
        self, stage: SecondStage, decisions: Floats, usable: Bools, scenarios: Floats, unserved: Ints
    ) -> Violation:
        xi = scenarios[unserved[0]]
        more = f" (and in {len(unserved) - 1} other scenarios)" if len(unserved) > 1 else ""
        label = f"recourse in scenario {self.describe(xi)}"
        if not usable.any():
            why = "none is held ready" if not len(decisions) else "none is whole and within its bounds"
            return Violation(label, 1.0, f"no decision serves it: {why}{more}")
        excess = stage.excess(decisions[usable], xi)
        nearest = int(excess.max(axis=1).argmin())
        row = int(excess[nearest].argmax())
        amount = float(excess[nearest, row])
        why = f"the nearest breaks row {self.second.rows[row]} by {amount:.6g}"
        return Violation(label, amount, f"no decision serves it: {why}{more}")

    def _mixture(
        self, stage: SecondStage, decisions: Floats, usable: Bools, plan: RobustPlan
    ) -> tuple[float, list[Violation], list[str]]:
        """The worst case of the mixture, or of the best single decision if that is better.

        The cost of a mixture is affine in ``xi``; by the theorem of minimax the best mixture has the worst case of the
        first stage (Arslan and Detienne 2022, section 2).
        """
        anywhere, bad = self.uncertainty.centre(), np.inf if self.sense is Sense.MIN else -np.inf
        fits = usable & stage.serves(decisions, anywhere[None])[:, 0]
        if not fits.any():
            found = self._unserved(stage, decisions, usable, anywhere[None], np.zeros(1, dtype=np.int64))
            return bad, [found], []
        weights = plan.weights
        mixtures = np.eye(len(decisions))[fits]
        notes = []
        if weights.size:
            if (weights < -1e-9).any() or abs(float(weights.sum()) - 1) > 1e-6:
                message = f"they are from {weights.min():.6g} to {weights.max():.6g} with sum {weights.sum():.6g}"
                return bad, [Violation("weights", 1.0, f"{message}, expected 0 or more with sum 1")], []
            mixture = np.maximum(weights, 0.0)
            if mixture[~fits].any():
                notes.append("weights passed over: they mix in a decision that is not feasible")
            else:
                mixtures = np.vstack([mixture / mixture.sum(), mixtures])
        base, slope = stage.affine(decisions)
        sign = 1.0 if self.sense is Sense.MIN else -1.0
        worst, _ = self.uncertainty.largest(sign * mixtures @ slope)
        values = mixtures @ base + sign * worst
        value = float(values.min() if self.sense is Sense.MIN else values.max())
        if plan.scenario.size and self.uncertainty.contains(plan.scenario):
            there = (base + slope @ plan.scenario)[fits]
            best = float(there.min() if self.sense is Sense.MIN else there.max())
            notes.append(f"worst scenario known: {self.describe(plan.scenario)}, where the plan costs {show(best)}")
        return value, [], notes

    def describe(self, xi: Floats) -> str:
        """A scenario in words: its number, or the factors that are not 0."""
        names = self.uncertainty.factors
        used = np.flatnonzero(np.abs(xi) > 1e-9).tolist()
        text = ", ".join(f"{names[i]} = {xi[i]:.6g}" for i in used[:SHOWN]) or "all factors 0"
        if len(used) > SHOWN:
            text += f" and {len(used) - SHOWN} more"
        if self.uncertainty.discrete:
            number = int(np.abs(self.uncertainty.scenarios - xi).sum(axis=1).argmin())
            return f"{number + 1} of {len(self.uncertainty.scenarios)} ({text})"
        return text

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 5, family: str = "facility") -> TwoStageRobust:
        """A random instance of one of the families in :mod:`combopt.instances.robust_families`: ``facility`` (sites to
        open, demand uncertain within a budget) or ``projects`` (returns uncertain, later choices whole)."""
        from combopt.instances.robust_families import FAMILIES

        if family not in FAMILIES:
            raise UsageError("E201", f"family {family!r}", expected=", ".join(FAMILIES))
        if n < 1:
            raise UsageError("E201", f"n = {n}", expected="a whole number, 1 or more")
        return FAMILIES[family](rng, n)


def _check_stages(first: Mip, second: Mip) -> None:
    if first.sense is not second.sense:
        raise InputError("E120", f"the first stage is to {first.sense}, the second to {second.sense}", expected="one")
    for label, mip in (("first", first), ("second", second)):
        if mip.sos or mip.indicators:
            found = f"the {label} stage has special ordered sets or indicators"
            raise InputError("E119", found, expected="rows and columns alone")
        for j in np.flatnonzero((mip.domain != CONTINUOUS) & (mip.domain != INTEGER)).tolist():
            found = f"the {label} stage: column {mip.columns[j]!r} is semi-continuous"
            raise InputError("E119", found, expected="continuous or integer columns")
    if not first.columns:
        raise InputError("E118", "the first stage has no columns")
    places = {name: i for i, name in enumerate(first.columns)}
    for j, name in enumerate(second.columns):
        if (i := places.get(name)) is None:
            continue
        one = (first.lower[i], first.upper[i], int(first.domain[i]))
        two = (second.lower[j], second.upper[j], int(second.domain[j]))
        if one != two:
            raise InputError(
                "E120", f"column {name!r} is {_column(*one)} in the first stage, {_column(*two)} in the second",
                expected="the same in both, as it is one column",
                remedy="Give recourse columns names of their own.",
            )  # fmt: skip


def _column(lower: float, upper: float, domain: int) -> str:
    return f"[{lower:g}, {upper:g}] {'integer' if domain == INTEGER else 'continuous'}"


def _check_terms(instance: TwoStageRobust) -> None:
    limits = (
        ("term_row", len(instance.second.rows), -1, "row"),
        ("term_column", len(instance.second.columns), -1, "column"),
        ("term_factor", instance.uncertainty.dimension, 0, "factor"),
    )
    for name, size, least, word in limits:
        values = getattr(instance, name)
        for k in np.flatnonzero((values < least) | (values >= size)).tolist()[:1]:
            raise InputError("E117", f"term {k} refers to {word} {values[k]}", expected=f"{least} to {size - 1}")
    for k in np.flatnonzero(~(np.abs(instance.term_value) <= LARGEST)).tolist()[:1]:
        raise InputError("E114", f"term {k} has the value {instance.term_value[k]}", expected=f"at most {LARGEST:g}")

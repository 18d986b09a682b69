"""The two-stage robust knapsack: accept items now, produce, repair or outsource them when profits are known.

Arslan and Detienne, Decomposition-based approaches for a class of two-stage robust binary optimization problems,
INFORMS Journal on Computing 34 (2022), section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.packing import LARGEST_TOTAL, check_amounts, check_scale, in_units
from combopt.instances.solutions import RobustPlan, numbers
from combopt.model import Evaluation, Floats, Instance, Ints, Sense, Solution, Violation, frozen_array, show

if TYPE_CHECKING:
    from combopt.instances.robust import TwoStageRobust

FAMILIES = ("UN", "WC", "ASC", "SC")
"""Correlation of profit and weight: none, weak, almost strong, strong."""
TOLERANCE = 1e-6
"""How far a decision may be from 0 or 1, a weight of a mixture from its bounds, a scenario from the set."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RobustKnapsack(Instance):
    """Robust knapsack with a budget of uncertainty and recourse.

    An accepted item (x = 1) is produced (y = 1) and earns ``profit - deviation * xi``, or is produced and repaired
    (r = 1) and earns ``profit`` at the weight ``weight + repair``, or is outsourced: ``profit - outsourcing``.
    The scenario xi lies in the box from 0 to 1 and sums to at most ``budget``; x is chosen before it is known, y and r
    after.  What is maximised is the profit in the worst case.

    The recourse decisions of a plan are rows of ``2 n`` entries, y before r.  A plan is worth what its mixture of
    recourse decisions guarantees: the mixed profit, less the ``budget`` largest mixed losses.  By minimax this is the
    exact worst case of the first stage if the mixture is the best.  Without weights it is the best single row.

    Parameters
    ----------
    profit, deviation, outsourcing
        ``float64[n]``; the deviation, the loss at xi = 1, is not negative.
    weight, repair
        ``int64[n]``, 0 or more: weight when produced, and what is added when repaired.
    capacity
        0 or more.
    budget
        Entries of the scenario that may be 1 at the same time; need not be whole.
    weight_scale
        A power of ten; above 1 where weights have decimals: those of the file are ``weight / weight_scale``, and the
        same holds for ``repair`` and ``capacity``.
    """

    kind: ClassVar[str] = "robust_knapsack"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = RobustPlan
    name: str = "robust-knapsack"
    profit: Floats
    deviation: Floats
    repair: Ints
    weight: Ints
    outsourcing: Floats
    capacity: int
    budget: float
    weight_scale: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "profit", frozen_array(self.profit, np.float64, (None,), "profit"))
        n = len(self.profit)
        if not n:
            raise InputError("E118", "there are no items")
        for name in ("deviation", "outsourcing"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, (n,), name))
        for name in ("weight", "repair"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.int64, (n,), name))
            check_amounts(getattr(self, name), name)
        for name in ("profit", "deviation", "outsourcing"):
            wrong = np.flatnonzero(~(np.abs(getattr(self, name)) <= LARGEST_TOTAL / n))
            if wrong.size:
                raise InputError("E114", f"{name} {wrong[0] + 1} is {getattr(self, name)[wrong[0]]}")
        if (self.deviation < 0).any():
            at = int(np.argmax(self.deviation < 0))
            raise InputError("E114", f"deviation {at + 1} is {show(self.deviation[at])}", expected="at least 0")
        object.__setattr__(self, "capacity", int(self.capacity))
        if not 0 <= self.capacity <= LARGEST_TOTAL:
            raise InputError("E114", f"the capacity is {self.capacity}", expected=f"0 to {LARGEST_TOTAL}")
        object.__setattr__(self, "budget", float(self.budget))
        if not 0 <= self.budget < np.inf:
            found = f"the budget of uncertainty is {self.budget}"
            raise InputError("E114", found, expected="0 or more", remedy="Below 0 no scenario is possible.")
        check_scale(self.weight_scale, "weight_scale")

    @property
    def items(self) -> int:
        return len(self.profit)

    def size(self) -> dict[str, int]:
        return {"items": self.items}

    def conventions(self) -> tuple[str, ...]:
        return ("the objective is the worst-case profit, minus the cost that the papers minimise",)

    def worst_case(self, exposed: Floats) -> Floats:
        """The scenario ``float64[n]`` that does most damage where entry i costs ``exposed[i]`` at 1."""
        scenario = np.zeros(self.items)
        order = np.argsort(-exposed, kind="stable")
        whole = min(int(self.budget), self.items)
        scenario[order[:whole]] = 1.0
        if whole < self.items:
            scenario[order[whole]] = self.budget - whole
        scenario[exposed <= 0] = 0.0
        return scenario

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, RobustPlan)
        n = self.items
        if len(solution.first) != n or (len(solution.recourse) and solution.recourse.shape[1] != 2 * n):
            raise InputError(
                "E302",
                f"a plan of {len(solution.first)} items with recourse rows of {solution.recourse.shape[1]} entries",
                expected=f"{n} items, and {2 * n} entries a row (y, then r)",
            )
        if solution.scenario.size not in (0, n):
            raise InputError("E302", f"a scenario of {solution.scenario.size} entries", expected=f"{n}, or none")
        violations = _binary(solution.first[None, :], "x", "item")
        violations += self._recourse_violations(solution)
        violations += self._mixture_violations(solution)
        x = solution.first > 0.5
        accepted = float((self.profit - self.outsourcing)[x].sum())
        rows = solution.recourse if len(solution.recourse) else np.zeros((1, 2 * n))
        y, r = rows[:, :n] > 0.5, rows[:, n:] > 0.5
        values, exposed = y @ self.outsourcing, (y & ~r) * self.deviation
        if solution.weights.size:
            share = solution.weights / max(float(solution.weights.sum()), TOLERANCE)
            values, exposed = np.array([share @ values]), (share @ exposed)[None, :]
        damage = [self.worst_case(row) for row in exposed]
        totals = [value - row @ xi for value, row, xi in zip(values.tolist(), exposed, damage, strict=True)]
        best = int(np.argmax(totals))
        return Evaluation(
            accepted + float(totals[best]),
            tuple(violations),
            notes=(f"accepted items: {numbers(x)}", self._damage(exposed[best])),
        )

    def _recourse_violations(self, plan: RobustPlan) -> list[Violation]:
        n = self.items
        if not len(plan.recourse):
            return [Violation("recourse", 1, "no recourse decision is held ready, so none serves any scenario")]
        violations = _binary(plan.recourse[:, :n], "y", "recourse") + _binary(plan.recourse[:, n:], "r", "recourse")
        x, y, r = plan.first > 0.5, plan.recourse[:, :n] > 0.5, plan.recourse[:, n:] > 0.5
        for k in np.flatnonzero((y & ~x).any(axis=1)).tolist():
            item = int(np.argmax(y[k] & ~x)) + 1
            violations.append(Violation(f"recourse {k + 1}", 1, f"produces item {item}, which is not accepted"))
        for k in np.flatnonzero((r & ~y).any(axis=1)).tolist():
            item = int(np.argmax(r[k] & ~y[k])) + 1
            violations.append(Violation(f"recourse {k + 1}", 1, f"repairs item {item}, which is not produced"))
        used = y.astype(np.int64) @ self.weight + r.astype(np.int64) @ self.repair
        for k in np.flatnonzero(used > self.capacity).tolist():
            excess = in_units(int(used[k]) - self.capacity, self.weight_scale)
            violations.append(Violation("capacity", float(excess), f"is exceeded by {excess} in recourse {k + 1}"))
        return violations

    def _mixture_violations(self, plan: RobustPlan) -> list[Violation]:
        violations = []
        if plan.weights.size:
            low, total = float(plan.weights.min()), float(plan.weights.sum())
            if low < 0:
                violations.append(Violation("weights", -low, f"one of the mixture is {show(low)}, below 0"))
            if abs(total - 1) > TOLERANCE:
                violations.append(Violation("weights", abs(total - 1), f"of the mixture sum to {show(total)}, not 1"))
        if plan.scenario.size:
            outside = max(-float(plan.scenario.min()), float(plan.scenario.max()) - 1)
            outside = max(outside, float(plan.scenario.sum()) - self.budget)
            if outside > TOLERANCE * self.items:
                violations.append(Violation("scenario", outside, "lies outside the uncertainty set"))
        return violations

    def _damage(self, exposed: Floats) -> str:
        """The worst case of the plan in words."""
        hit = self.worst_case(exposed) * exposed
        order = [i for i in np.argsort(-hit, kind="stable").tolist() if hit[i] > 0]
        if not order:
            return "worst case: no scenario costs this plan anything"
        some = ", ".join(f"item {i + 1} by {show(round(float(hit[i]), 2))}" for i in order[:5])
        rest = f" and {len(order) - 5} more" if len(order) > 5 else ""
        return f"worst case of the mixture: profit falls by {show(round(float(hit.sum()), 2))} ({some}{rest})"

    def to_robust(self) -> TwoStageRobust:
        """The same problem as a general two-stage one; its recourse is y, then r."""
        from combopt.instances.mip import MipBuilder
        from combopt.instances.robust import TwoStageRobust
        from combopt.instances.uncertainty import Uncertainty

        n = self.items
        first, second = MipBuilder(self.name, self.sense), MipBuilder(self.name, self.sense)
        for i in range(n):
            first.binary(f"x{i + 1}", float(self.profit[i] - self.outsourcing[i]))
        x = [second.binary(f"x{i + 1}") for i in range(n)]
        y = [second.binary(f"y{i + 1}", float(self.outsourcing[i])) for i in range(n)]
        r = [second.binary(f"r{i + 1}") for i in range(n)]
        for i in range(n):
            second.row({x[i]: 1.0, y[i]: -1.0}, lower=0.0, name=f"accepted{i + 1}")
            second.row({y[i]: 1.0, r[i]: -1.0}, lower=0.0, name=f"produced{i + 1}")
        load = {y[i]: float(self.weight[i]) for i in range(n)} | {r[i]: float(self.repair[i]) for i in range(n)}
        second.row({column: value for column, value in load.items() if value}, upper=self.capacity, name="capacity")
        terms = [("objective", f"y{i + 1}", i, -float(self.deviation[i])) for i in range(n)]
        terms += [("objective", f"r{i + 1}", i, float(self.deviation[i])) for i in range(n)]
        uncertainty = Uncertainty.budget(n, min(self.budget, float(n)))
        return TwoStageRobust.build(first.build(), second.build(), uncertainty, terms, name=self.name)

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 40,
        family: str = "UN",
        h: int = 40,
        delta: float = 0.5,
        budget_factor: float = 0.1,
        largest: int = 1000,
        parts: int = 100,
    ) -> RobustKnapsack:
        """A random instance of one of the :data:`FAMILIES`, as Arslan and Detienne draw them.

        ``h`` of ``parts + 1`` parts of the total weight are the capacity; ``delta`` in (0, 1] spreads the deviations,
        ``budget_factor`` is the budget of uncertainty per item.  ``largest`` is R, ``parts`` is H.  All data are
        truncated to integers, 1 at least, as in the published files.
        """
        if family not in FAMILIES:
            raise UsageError("E201", f"family {family!r}", expected=", ".join(FAMILIES))
        if n < 1 or largest < 1 or parts < 1 or not 0 <= h <= parts + 1 or not 0 <= delta <= 1 or budget_factor < 0:
            found = f"n={n}, largest={largest}, parts={parts}, h={h}, delta={delta}, budget_factor={budget_factor}"
            raise UsageError("E201", found, expected="n, largest and parts from 1, h from 0, delta from 0 to 1")
        wide, narrow = largest / 20, largest / 1000
        c = rng.integers(1, largest + 1, n).astype(np.float64)
        low, high = {
            "UN": (np.ones(n), np.full(n, float(largest))),
            "WC": (c - wide, c + wide),
            "ASC": (c + largest / 10 - narrow, c + largest / 10 + narrow),
            "SC": (c + largest / 10, c + largest / 10),
        }[family]
        profit = _whole(rng.uniform(low, high))
        deviation = _whole(profit * rng.uniform((1 - delta) / 2, (1 + delta) / 2, n))
        outsourcing = _whole(profit * rng.uniform(1.1, 1.5, n))
        half = deviation / 2
        low, high = {
            "UN": (np.ones(n), c),
            "WC": (half - wide / 2, half + wide / 2),
            "ASC": (half + c / 10 - narrow, half + c / 10 + narrow),
            "SC": (half + c / 10, half + c / 10),
        }[family]
        repair = _whole(rng.uniform(low, high))
        return cls(
            name=f"robust-knapsack-{family}-{n}",
            profit=profit,
            deviation=deviation,
            repair=repair.astype(np.int64),
            weight=c.astype(np.int64),
            outsourcing=outsourcing,
            capacity=int(h * int(c.sum()) // (parts + 1)),
            budget=round(budget_factor * n, 9),
        )


def _whole(values: Floats) -> Floats:
    return np.maximum(1.0, np.floor(values))


def _binary(values: Floats, what: str, each: str) -> list[Violation]:
    """Violations of 0 and 1 by rows of decisions; one for every row, and for every entry of a single one."""
    off = np.minimum(np.abs(values), np.abs(values - 1))
    if each == "item":
        return [
            Violation(f"item {i + 1}", float(off[0, i]), f"{what} is {show(float(values[0, i]))}, not 0 or 1")
            for i in np.flatnonzero(off[0] > TOLERANCE).tolist()
        ]
    worst = off.max(axis=1, initial=0.0)
    return [
        Violation(f"{each} {k + 1}", float(worst[k]), f"{what} of item {int(off[k].argmax()) + 1} is not 0 or 1")
        for k in np.flatnonzero(worst > TOLERANCE).tolist()
    ]

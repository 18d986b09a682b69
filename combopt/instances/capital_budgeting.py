"""Capital budgeting under uncertainty: invest now, or later at a lower profit once costs and profits are known.

Subramanyam, Gounaris and Wiesemann (2020), K-adaptability in two-stage mixed-integer robust optimization.
Mathematical Programming Computation 12, 193-224, section 5; here without loans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.errors import InputError
from combopt.instances.capital_budgeting_kernels import LOST, compiled, least
from combopt.instances.mip import MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import RobustPlan, numbers
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Evaluation, Floats, Instance, Ints, Sense, Solution, Violation, frozen_array, show

FEASIBLE = 1e-9
"""Relative tolerance on the budget."""
BINARY = 1e-6
"""By how much a decision may differ from 0 or 1."""
PLAIN = 6
"""Up to so many decisions an evaluation takes less time than loading the compiler would."""
NODES = 2_000_000
"""Nodes after which an evaluation tells its lower bound; some thousand are needed as a rule."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CapitalBudgeting(Instance):
    """Choose projects now (x), see the risk factors xi in [-1, 1]^q, choose further projects (y); the profit in the
    worst case is maximised:

        max over x of min over xi of max over y of r(xi)'(x + k y)
        with x + y <= 1, c(xi)'(x + y) <= B, c(xi)'x <= B in every scenario, x and y binary,
        c_i(xi) = (1 + phi_i'xi / 2) c_i and r_i(xi) = (1 + psi_i'xi / 2) r_i.

    A recourse decision is lost once its cost passes the budget, so the least profit may be approached and never
    reached; it is understood as this limit.

    Parameters
    ----------
    cost, profit
        ``float64[n]``: nominal cost c and profit r, 0 or more.
    cost_factors, profit_factors
        ``float64[n, q]``: phi and psi, absolute values of a row adding up to at most 2, so that nothing gets negative.
    budget
        B, 0 or more.
    late
        k, the share of its profit that a project still brings when it is chosen late, 0 to 1.
    stated_budget
        The budget that the file states, where another is used (see :meth:`conventions`).
    """

    kind: ClassVar[str] = "capital_budgeting"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = RobustPlan
    name: str = "capital-budgeting"
    cost: Floats
    profit: Floats
    cost_factors: Floats
    profit_factors: Floats
    budget: float
    late: float = 0.8
    stated_budget: float | None = None

    def __post_init__(self) -> None:
        n = len(_amounts(self, "cost", (None,)))
        if not n:
            raise InputError("E118", "there are no projects")
        _amounts(self, "profit", (n,))
        q = _factors(self, "cost_factors", (n, None)).shape[1]
        _factors(self, "profit_factors", (n, q))
        if not q:
            raise InputError("E118", "there are no risk factors", expected="at least one")
        for name in ("budget", "late", "stated_budget"):
            value = getattr(self, name)
            if value is None and name == "stated_budget":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < LARGEST:
                raise InputError("E114", f"{name} is {value!r}", expected=f"a number from 0 to {LARGEST:g}")
            object.__setattr__(self, name, float(value))
        if self.late > 1:
            raise InputError("E114", f"late is {self.late:g}", expected="a share from 0 to 1")

    @property
    def projects(self) -> int:
        return len(self.cost)

    @property
    def factors(self) -> int:
        return self.cost_factors.shape[1]

    @property
    def limit(self) -> float:
        """The budget with its tolerance: what costs more is not affordable."""
        return self.budget + FEASIBLE * max(1.0, self.budget)

    def size(self) -> dict[str, int]:
        return {"projects": self.projects, "factors": self.factors}

    def conventions(self) -> tuple[str, ...]:
        budget = f"budget {show(self.budget)}"
        if self.stated_budget is not None and self.stated_budget != self.budget:
            budget += f" (the file states {show(self.stated_budget)}; the published values use the whole part)"
        return (
            f"{budget}; a project chosen late brings {show(self.late)} of its profit; no loans",
            "profit in the worst case over the factors, each within -1 and 1, is maximised; "
            "where it is only approached, its limit counts",
        )

    def costs(self, scenarios: Floats) -> Floats:
        """``float64[..., n]``: the costs of the projects in scenarios ``float64[..., q]``."""
        found: Floats = (1 + scenarios @ self.cost_factors.T / 2) * self.cost
        return found

    def profits(self, scenarios: Floats) -> Floats:
        """``float64[..., n]``: the profits of the projects in scenarios ``float64[..., q]``."""
        found: Floats = (1 + scenarios @ self.profit_factors.T / 2) * self.profit
        return found

    def worst_cost(self, first: Floats) -> tuple[float, Floats]:
        """What the projects cost in the scenario where they are dearest, and that scenario."""
        slope = (first * self.cost) @ self.cost_factors / 2
        return float(self.cost @ first + np.abs(slope).sum()), np.where(slope < 0, -1.0, 1.0)

    def affine(self, first: Floats, recourse: Floats) -> tuple[Floats, Floats]:
        """Value and cost of the recourse decisions ``float64[k, n]`` beside ``first``, as affine functions of xi:
        two ``float64[k, 1 + q]``, the constant first."""
        value = self.profit * (first + self.late * recourse)
        cost = self.cost * (first + recourse)
        return (
            np.column_stack([value.sum(axis=1), value @ self.profit_factors / 2]),
            np.column_stack([cost.sum(axis=1), cost @ self.cost_factors / 2]),
        )

    def evaluate(self, solution: Solution) -> Evaluation:
        """The profit that the plan guarantees: the least, over all scenarios, of its best decision affordable there.

        Exact up to rounding, see :func:`guarantee`.  The plan has to hold a decision for every scenario; doing
        nothing more (all zeros) is one that suits all of them.
        """
        self.own(solution)
        assert isinstance(solution, RobustPlan)
        n = self.projects
        if len(solution.first) != n or (len(solution.recourse) and solution.recourse.shape[1] != n):
            shape = solution.recourse.shape
            text = f"a first stage of {len(solution.first)} projects and recourse decisions of shape {shape}"
            raise InputError("E302", text, expected=f"{n} projects in each")
        violations: list[Violation] = []
        first = np.clip(np.round(solution.first), 0, 1)
        _fractional(solution.first, "first stage", violations)
        worst, corner = self.worst_cost(first)
        if worst > self.limit:
            message = f"costs {show(worst)} where xi = {words(corner)}, {show(worst - self.budget)} too much"
            violations.append(Violation("budget", worst - self.budget, message))
        recourse = np.clip(np.round(solution.recourse), 0, 1).reshape(-1, n)
        for k, decision in enumerate(solution.recourse):
            _fractional(decision, f"recourse {k + 1}", violations)
            twice = np.flatnonzero(recourse[k] * first)
            if twice.size:
                message = f"project {twice[0] + 1} is chosen now and again later"
                violations.append(Violation(f"recourse {k + 1}", float(twice.size), message))
        found = guarantee(self, first, recourse)
        if found.served:
            notes = (f"projects chosen now: {numbers(first)}", f"worst scenario xi = {words(found.scenario)}")
            return Evaluation(found.value, tuple(violations), notes=notes)
        message = "no decision is held" if not len(recourse) else "no decision held is affordable"
        message += f" where xi = {words(found.scenario)}; doing nothing more is one for every scenario"
        violations.append(Violation("recourse", 1, message))
        found = guarantee(self, first, np.vstack([recourse, np.zeros(n)]))
        return Evaluation(found.value if found.served else 0.0, tuple(violations))

    def to_robust(self, scenarios: Floats) -> TwoStageRobust:
        """The problem over the ``scenarios: float64[s, q]`` alone, as a general instance; a relaxation.

        Over the whole box the general kind has no exact evaluation: matrix and objective are uncertain, and the
        recourse is integer.
        """
        first, second = MipBuilder("invest now", Sense.MAX), MipBuilder("invest later", Sense.MAX)
        projects = range(self.projects)
        x = [first.binary(f"x{i + 1}") for i in projects]
        slope = self.cost[:, None] * self.cost_factors / 2
        sizes = [first.column(f"size{j + 1}") for j in range(self.factors)]
        for j, size in enumerate(sizes):  # at least the absolute value of the change of the costs with the factor
            for sign in (1.0, -1.0):
                first.row({**{x[i]: sign * float(slope[i, j]) for i in projects}, size: -1.0}, upper=0.0)
        total = {**{x[i]: float(self.cost[i]) for i in projects}, **dict.fromkeys(sizes, 1.0)}
        first.row(total, upper=self.limit, name="budget")
        now = [second.binary(f"x{i + 1}", float(self.profit[i])) for i in projects]
        later = [second.binary(f"y{i + 1}", self.late * float(self.profit[i])) for i in projects]
        prices = {column[i]: float(self.cost[i]) for column in (now, later) for i in projects}
        second.row(prices, upper=self.limit, name="budget")
        for i in projects:
            second.row({now[i]: 1.0, later[i]: 1.0}, upper=1.0, name=f"once{i + 1}")
        gain = self.profit[:, None] * self.profit_factors / 2
        terms = [
            (row, f"{letter}{i + 1}", j, share * float(table[i, j]))
            for row, table, late in (("objective", gain, self.late), ("budget", slope, 1.0))
            for letter, share in (("x", 1.0), ("y", late))
            for i in projects
            for j in range(self.factors)
        ]
        return TwoStageRobust.build(
            first.build(), second.build(), Uncertainty.finite(scenarios), [t for t in terms if t[3]], name=self.name
        )

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 10, factors: int = 4) -> CapitalBudgeting:
        """A random instance of the published distribution: costs uniform in [1, 10], profits a fifth of them, rows of
        phi and psi uniform on the simplex, the budget half of all costs, of which the whole part counts."""
        cost = rng.uniform(1, 10, n)
        stated = float(cost.sum() / 2)
        phi, psi = (_simplex(rng, n, factors) for _ in range(2))
        return cls(
            name=f"capital-budgeting-{n}", cost=cost, profit=cost / 5, cost_factors=phi, profit_factors=psi,
            budget=float(int(stated)), stated_budget=stated,
        )  # fmt: skip


LARGEST = 1e12
"""Costs, profits and budgets are at most this."""


@dataclass(frozen=True)
class Guarantee:
    """What held decisions guarantee: at least ``lower``, at most ``value``, equal unless a limit was reached.

    ``value`` is reached (or approached) in ``scenario``, where the decisions ``lost`` pass the budget.  ``served``
    is false if no decision is affordable there.
    """

    value: float
    lower: float
    scenario: Floats
    lost: Ints
    served: bool
    nodes: int


def guarantee(
    instance: CapitalBudgeting, first: Floats, recourse: Floats, *, points: Floats | None = None, margin: float = 0.0,
    nodes: int = NODES,
) -> Guarantee:  # fmt: skip
    """The least profit over all scenarios of the best of the decisions ``recourse`` (``float64[k, n]``) there.

    A branch and bound over which decisions are lost, with linear programs in q + 1 variables
    (:mod:`~combopt.instances.capital_budgeting_kernels`); relative error about 1e-10.

    Parameters
    ----------
    points
        ``float64[p, q]``: scenarios to look at first, which makes it quicker.
    margin
        A decision is lost only where it passes the budget by this much, so that the scenario found lies beyond.
    nodes
        Limit on the nodes.
    """
    q = instance.factors
    value, cost = instance.affine(first, recourse)
    # Below all others and affordable everywhere: what is left where no decision is.
    scale = 1.0 + float(instance.profit.sum())
    value = np.vstack([value, [-scale] + [0.0] * q])
    cost = np.vstack([cost, np.zeros(1 + q)])
    first_points = np.vstack([np.ones(q), -np.ones(q)] if points is None else [points, np.ones(q), -np.ones(q)])
    call = compiled() if len(value) > PLAIN else least
    found, lower, scenario, states, count = call(
        value, cost, instance.limit + margin, np.ascontiguousarray(first_points), nodes
    )
    return Guarantee(found, lower, scenario, np.flatnonzero(states[:-1] == LOST), found > -scale / 2, count)


def words(scenario: Floats) -> str:
    """A scenario for people."""
    return "(" + ", ".join(f"{value:.4g}" for value in scenario.tolist()) + ")"


def _fractional(decision: Floats, what: str, violations: list[Violation]) -> None:
    off = np.abs(decision - np.clip(np.round(decision), 0, 1))
    if (off > BINARY).any():
        i = int(off.argmax())
        message = f"project {i + 1} is {show(float(decision[i]))}, neither 0 nor 1"
        violations.append(Violation(what, float(off[i]), message))


def _amounts(instance: CapitalBudgeting, name: str, shape: tuple[int | None, ...]) -> Floats:
    values = frozen_array(getattr(instance, name), np.float64, shape, name)
    wrong = np.flatnonzero(~((values >= 0) & (values <= LARGEST)))
    if wrong.size:
        found = f"{name} of project {wrong[0] + 1} is {values[wrong[0]]:g}"
        raise InputError("E114", found, expected=f"a number from 0 to {LARGEST:g}")
    object.__setattr__(instance, name, values)
    return values


def _factors(instance: CapitalBudgeting, name: str, shape: tuple[int | None, ...]) -> Floats:
    values = frozen_array(getattr(instance, name), np.float64, shape, name)
    total = np.abs(values).sum(axis=1)
    wrong = np.flatnonzero(~(total <= 2 + 1e-9))
    if wrong.size:
        found = f"{name} of project {wrong[0] + 1} have absolute values that add up to {total[wrong[0]]:g}"
        raise InputError("E114", found, expected="at most 2: else a cost or profit is negative in some scenario")
    object.__setattr__(instance, name, values)
    return values


def _simplex(rng: np.random.Generator, n: int, factors: int) -> Any:
    """Rows uniform on the unit simplex: the spacings of sorted uniform numbers."""
    cuts = np.sort(rng.uniform(size=(n, factors - 1)), axis=1)
    return np.diff(np.hstack([np.zeros((n, 1)), cuts, np.ones((n, 1))]), axis=1)

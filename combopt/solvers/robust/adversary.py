"""The adversary: the worst case of one first stage, with the decisions that prove it, or a scenario that breaks it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from combopt.errors import SolverError, UnsupportedError
from combopt.instances.exact import ABSOLUTE
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_stage import Reach, SecondStage, cleaned
from combopt.instances.solutions import RobustPlan
from combopt.model import Floats, Ints
from combopt.solvers.base import Session
from combopt.solvers.robust.cutting import Master
from combopt.solvers.robust.recourse import Answer, Ended, Recourse, sign_of

NEAR = 1e-9
"""Relative difference of costs that does not matter."""
STRICT = 1e-9
"""Tolerance of rows for decisions found elsewhere: main problems make the most of a wider one."""
KEPT = 600
"""Most recourse decisions, and most dual solutions, that are carried from one first stage to the next."""
CUTS = 5000
"""Most rounds of cutting planes for one first stage."""


@dataclass(frozen=True)
class Verdict:
    """What the adversary found out about a first stage; costs are to be minimised.

    Parameters
    ----------
    guarantee
        What ``plan`` guarantees; infinite without a plan.
    worst
        Cost of the best recourse in ``scenario``: no plan with this first stage guarantees less.  Infinite where the
        recourse is infeasible there.
    scenario
        The worst scenario found, ``None`` if the run was stopped before there was one.
    plan
        The first stage with the recourse decisions; ``None`` if the adversary was cut off.
    """

    guarantee: float
    worst: float
    scenario: Floats | None
    plan: RobustPlan | None = None


@dataclass
class Adversary:
    """Judges one first stage after the other; decisions and dual solutions found for one are tried for the next.

    ``offer`` takes the first plan for a first stage that nothing is known to be better than, long before the verdict.
    """

    instance: TwoStageRobust
    session: Session
    offer: Callable[[Verdict], None] | None = None
    pool: list[Floats] = field(default_factory=list)
    duals: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recourse = Recourse(self.instance, self.session)
        self.sign = sign_of(self.instance)

    def remember(self, decisions: Floats) -> None:
        """Take over recourse decisions found elsewhere; they are checked before they count."""
        self.pool.extend(np.asarray(decisions, float))
        del self.pool[: max(0, len(self.pool) - KEPT)]

    def judge(self, x: Floats, cutoff: float = math.inf) -> Verdict:
        """The worst case of the first stage ``x``; soon given up once it is known to cost ``cutoff`` or more."""
        stage = SecondStage.at(self.instance, x)
        self.recourse.place(stage)
        form = self.instance.form
        if form == "objective":
            return _Exchange(self, stage, x, cutoff).run()
        return _Scenarios(self, stage, x, cutoff).run()

    def early(self, verdict: Verdict, cutoff: float) -> None:
        """Hand over a plan before its worst case is known to be that of its first stage."""
        if self.offer is not None and verdict.plan is not None and math.isinf(cutoff):
            self.offer(verdict)

    def pooled(self) -> Floats:
        """The decisions kept so far that are within their bounds, ``float64[k, m]``."""
        table = np.array(self.pool).reshape(-1, len(self.instance.layout.own))
        within, ok = cleaned(self.instance, table)
        return within[ok]


@dataclass
class _Scenarios:
    """A list of scenarios, or the vertices of a polyhedron.

    A scenario needs no recourse problem of its own if a held decision serves it at no more than the worst cost that is
    proved already.  Where the recourse is a linear program, dual solutions say by weak duality where it pays to look
    first; what is left then is served in groups: one decision for the hardest sides of a group, or, if that costs too
    much, one each for its two halves.
    """

    adversary: Adversary
    stage: SecondStage
    x: Floats
    cutoff: float

    def run(self) -> Verdict:
        owner = self.adversary
        layout = owner.instance.layout
        self.scenarios = owner.instance.scenarios
        self.decisions: list[Floats] = []
        self.costs: list[Floats] = []
        self.held = np.full(len(self.scenarios), math.inf)
        self.solved = np.zeros(len(self.scenarios), dtype=bool)
        self.worst, self.where = -math.inf, -1
        self._hold(owner.pooled(), Reach.of(self.stage, self.scenarios, STRICT))
        self.reach = Reach.of(self.stage, self.scenarios, ABSOLUTE)
        self.lower = self._dual_bounds(owner.duals)
        grouped = owner.recourse.linear and not layout.matrix.size and not layout.cost_own.size
        while (open_ := self._open(np.arange(len(self.held)))).size:
            at = int(open_[np.lexsort((-self.held[open_], -self.lower[open_]))[0]])
            if grouped and self.where >= 0 and self.lower[at] <= _above(self.worst):
                broken = self._serve_groups(open_)
            else:
                broken = self._solve(at)
            if broken is not None:
                return broken
        return self._verdict()

    def _open(self, indices: Ints) -> Ints:
        """Those of the scenarios that are neither solved nor served at the worst cost so far."""
        return indices[~self.solved[indices] & (self.held[indices] > _above(self.worst))]

    def _solve(self, at: int) -> Verdict | None:
        """Solve the recourse in one scenario; a verdict if that, or the clock, ends the judgement."""
        owner = self.adversary
        answer = owner.recourse.solve(self.scenarios[at])
        if answer.ended is Ended.INFEASIBLE:
            return Verdict(math.inf, math.inf, self.scenarios[at])
        if answer.y is None:
            return self._verdict()
        self.solved[at] = True
        self.lower[at] = answer.cost
        if answer.cost > self.worst:
            self.worst, self.where = answer.cost, at
        owner.remember(answer.y[None])
        self._hold(answer.y[None], self.reach)
        if not self.held[at] < math.inf:
            raise SolverError(  # no certificate can hold it
                "E301",
                f"the recourse in scenario {owner.instance.describe(self.scenarios[at])} breaks a row",
                remedy="Scale the numbers of the second stage.",
            )
        self._learn(answer)
        return Verdict(math.inf, self.worst, self.scenarios[self.where]) if self.worst >= self.cutoff else None

    def _serve_groups(self, indices: Ints) -> Verdict | None:
        """Serve scenarios by as few decisions as it takes, splitting groups that cost too much in one."""
        stack = [indices]
        while stack:
            group = stack.pop()
            if group is not indices:
                group = self._open(group)
            if not group.size:
                continue
            spread = np.ptp(self.scenarios[group], axis=0)
            if len(group) == 1 or not spread.any():
                if (broken := self._solve(int(group[0]))) is not None:
                    return broken
                continue
            answer = self._solve_group(group)
            if answer.ended is Ended.STOPPED:
                return self._verdict()
            if answer.y is not None:
                self._hold(answer.y[None], self.reach)
                self._learn(answer)
                if group is indices:
                    self.adversary.early(self._verdict(), self.cutoff)
                group = self._open(group)
            if group.size:
                stack += self._halves(group, spread, answer)
        return None

    def _solve_group(self, group: Ints) -> Answer:
        """One recourse for the highest lower and the lowest upper sides of a group."""
        move = self.scenarios[group] @ self.stage.slope.T
        low, high = self.stage.low + move.max(axis=0), self.stage.high + move.min(axis=0)
        if (low > high).any():
            return Answer(Ended.INFEASIBLE)
        return self.adversary.recourse.solve(self.scenarios[group[0]], (low, high))

    def _halves(self, group: Ints, spread: Floats, answer: Answer) -> list[Ints]:
        """Two halves by the factor that counts most, as the dual values say; the worse half last."""
        weight = np.zeros(len(spread)) if answer.duals is None else answer.duals @ self.stage.slope
        score = np.abs(weight) * spread
        factor = int((score if score.any() else spread).argmax())
        values = self.scenarios[group, factor]
        high = values > (values.min() + values.max()) / 2
        halves = [group[~high], group[high]]
        if not (halves[0].size and halves[1].size):
            return [group[:1], group[1:]]
        return halves if weight[factor] >= 0 else halves[::-1]

    def _learn(self, answer: Answer) -> None:
        """Keep the dual solution and what it says."""
        if answer.duals is not None:
            owner = self.adversary
            owner.duals.append(answer.duals)
            del owner.duals[: max(0, len(owner.duals) - KEPT)]
            np.maximum(self.lower, self._dual_bounds([answer.duals]), out=self.lower)

    def _hold(self, decisions: Floats, reach: Reach) -> None:
        """Note the cost of each decision in each scenario, infinite where it does not serve."""
        if not len(decisions):
            return
        base, slope = self.stage.affine(decisions)
        costs = self.adversary.sign * (base[:, None] + slope @ self.scenarios.T)
        costs[~reach.serves(decisions)] = math.inf
        for y, row in zip(decisions, costs, strict=True):
            if (row < self.held).any():
                self.decisions.append(y)
                self.costs.append(row)
                np.minimum(self.held, row, out=self.held)

    def _dual_bounds(self, duals: list[Floats]) -> Floats:
        """``float64[s]``: the best lower bound of the recourse cost in each scenario that the dual solutions give.

        They only order the work, so rounding does no harm.
        """
        stage, recourse, sign = self.stage, self.adversary.recourse, self.adversary.sign
        if not duals or not recourse.linear or self.adversary.instance.layout.matrix.size:
            return np.full(len(self.scenarios), -math.inf)
        pi = np.array(duals)
        low, high = np.isfinite(stage.low), np.isfinite(stage.high)
        pi[((pi > 0) & ~low) | ((pi < 0) & ~high)] = 0.0
        sides = np.where(pi > 0, np.where(low, stage.low, 0.0), np.where(high, stage.high, 0.0))
        reduced = sign * stage.cost - pi @ stage.instance.own_matrix
        reduced[np.abs(reduced) <= 1e-9] = 0.0
        with np.errstate(invalid="ignore"):
            at_bounds = np.where(
                reduced > 0, reduced * recourse.lower, np.where(reduced < 0, reduced * recourse.upper, 0)
            )
        constant = (pi * sides).sum(axis=1) + at_bounds.sum(axis=1) + sign * stage.constant
        table = constant[:, None] + (pi @ stage.slope + sign * stage.drift) @ self.scenarios.T
        return np.asarray(np.nan_to_num(table, nan=-math.inf).max(axis=0))

    def _verdict(self) -> Verdict:
        """What the held decisions guarantee, if they serve all scenarios."""
        scenario = self.scenarios[self.where] if self.where >= 0 else None
        guarantee = float(self.held.max())
        if not math.isfinite(guarantee):
            return Verdict(math.inf, self.worst, scenario)
        chosen = _cover(np.array(self.costs) <= _above(guarantee))
        known = np.zeros(0) if scenario is None else scenario
        plan = RobustPlan(self.x, np.array([self.decisions[k] for k in chosen]), scenario=known)
        return Verdict(guarantee, self.worst, scenario, plan)


def _above(cost: float) -> float:
    """The cost with its tolerance."""
    return cost + NEAR * max(1.0, abs(cost)) if math.isfinite(cost) else cost


def _cover(serves: npt.NDArray[np.bool_]) -> list[int]:
    """Decisions (rows) that together serve every scenario (column), those that serve most first."""
    chosen: list[int] = []
    left = np.array(serves.any(axis=0))
    count = serves.sum(axis=1)
    while left.any():
        best = int(count.argmax())
        chosen.append(best)
        new = np.flatnonzero(left & serves[best])
        left[new] = False
        count = count - serves[:, new].sum(axis=1)
    return chosen


@dataclass
class _Exchange:
    """Only the objective is uncertain: the worst case is the maximum over xi of a concave function, found by cutting
    planes (Kelley 1960).  The recourse at a trial xi gives a cut; the multipliers of the cuts mix the decisions into
    one whose worst case is the maximum over xi (the theorem of minimax)."""

    adversary: Adversary
    stage: SecondStage
    x: Floats
    cutoff: float

    def run(self) -> Verdict:
        owner, uncertainty = self.adversary, self.adversary.instance.uncertainty
        centre = uncertainty.centre()
        decisions = owner.pooled()
        decisions = np.unique(decisions[self.stage.serves(decisions, centre[None], STRICT)[:, 0]], axis=0)
        if not len(decisions):
            answer = owner.recourse.solve(centre)
            if answer.ended is Ended.INFEASIBLE:
                return Verdict(math.inf, math.inf, centre)
            if answer.y is None:
                return Verdict(math.inf, -math.inf, None)
            decisions = answer.y[None]
            owner.remember(decisions)
        self.decisions = decisions
        master = Master(owner.instance.uncertainty, owner.session, centre)
        master.cut(*self._affine(decisions))
        worst, scenario = -math.inf, centre
        owner.early(self._verdict(np.eye(len(decisions))[0], worst, scenario), self.cutoff)
        for _ in range(CUTS):
            top, xi, weights = master.solve()
            if owner.session.stopping:
                return self._verdict(weights, worst, scenario)
            answer = owner.recourse.solve(xi)
            if answer.y is None:
                return self._verdict(weights, worst, scenario)
            if answer.cost > worst:
                worst, scenario = answer.cost, xi
            if worst >= self.cutoff:
                return Verdict(math.inf, worst, scenario)
            base, slope = self._affine(answer.y[None])
            if float(base[0] + slope[0] @ xi) >= top - NEAR * max(1.0, abs(top)):
                return self._verdict(weights, worst, scenario)
            owner.remember(answer.y[None])
            self.decisions = np.vstack([self.decisions, answer.y])
            master.cut(base, slope)
        return self._verdict(weights, worst, scenario)

    def _affine(self, decisions: Floats) -> tuple[Floats, Floats]:
        base, slope = self.stage.affine(decisions)
        return self.adversary.sign * base, self.adversary.sign * slope

    def _verdict(self, weights: Floats, worst: float, scenario: Floats) -> Verdict:
        """The plan with the decisions that the mixture uses."""
        weights = np.where(weights > 1e-12, weights, 0.0)
        total = weights.sum()
        if not total > 0:
            return Verdict(math.inf, worst, scenario)
        used = np.flatnonzero(weights)
        plan = RobustPlan(self.x, self.decisions[used], weights[used] / total, scenario)
        base, slope = self._affine(plan.recourse)
        mixed, _ = self.adversary.instance.uncertainty.largest((plan.weights @ slope)[None])
        singles, _ = self.adversary.instance.uncertainty.largest(slope)
        guarantee = min(float(plan.weights @ base + mixed[0]), float((base + singles).min()))
        return Verdict(guarantee, worst, scenario, plan)


def refuse(instance: TwoStageRobust) -> str | None:
    """Why the worst case of the instance cannot be certified; ``None`` if it can."""
    if (reason := instance.uncertifiable()) is not None:
        return reason
    if instance.form == "rows":
        try:
            _ = instance.scenarios
        except UnsupportedError as error:
            return error.found
    return None

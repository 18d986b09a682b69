"""What k recourse decisions guarantee, and the scenario where they fail: the separation problem of k-adaptability.

Subramanyam, Gounaris and Wiesemann (2020), section "Solution scheme": of a first stage and k decisions, the scenario
is sought in which the best decision that is feasible there is worst.  There it is a mixed-integer program; here each
form of uncertainty has a way of its own, all of them exact:

- a list of scenarios: each is looked at;
- the objective alone is uncertain: a linear program over xi;
- capital budgeting: :func:`~combopt.instances.capital_budgeting.guarantee`.

Costs are to be minimised, as everywhere in this package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from combopt.instances.capital_budgeting import CapitalBudgeting, guarantee
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.robust_stage import SecondStage
from combopt.instances.solutions import RobustPlan
from combopt.model import Floats, Instance
from combopt.solvers.base import Session
from combopt.solvers.robust import capital_recourse
from combopt.solvers.robust.adversary import Adversary, refuse
from combopt.solvers.robust.cutting import Master
from combopt.solvers.robust.recourse import sign_of


@dataclass(frozen=True)
class Judged:
    """What a first stage with some decisions costs in the worst case.

    Parameters
    ----------
    plan
        The first stage with these decisions.
    cost
        What ``plan`` guarantees; infinite where some scenario has no decision.
    beyond
        The cost in ``scenario``, where decisions that are lost are so by more than rounding.
    scenario
        ``float64[q]``: where the decisions are worst.
    """

    plan: RobustPlan
    cost: float
    beyond: float
    scenario: Floats


class Policies(Protocol):
    """An instance as k-adaptability sees it.

    ``view`` is the general two-stage program; ``idle`` says that doing nothing is a decision for every scenario, so
    that a policy nothing is asked of is one; ``first`` is the scenario to begin with.
    """

    view: TwoStageRobust
    idle: bool
    first: Floats

    def judge(self, x: Floats, held: Floats) -> Judged:
        """The worst case of the first stage ``x`` with the decisions ``held: float64[k, m]``."""

    def complete(self, x: Floats, held: Floats) -> RobustPlan | None:
        """The plan of ``x`` with all the decisions that its worst case needs; ``held`` are some to begin with."""


def policies(instance: Instance, session: Session) -> Policies:
    """How the instance is looked at."""
    if isinstance(instance, CapitalBudgeting):
        return _Capital(instance, session)
    view = instance.to_robust() if isinstance(instance, RobustKnapsack) else instance
    assert isinstance(view, TwoStageRobust)
    return _Mixed(view, session) if view.form == "objective" else _Listed(view, session)


def unfit(instance: Instance) -> str | None:
    """Why the instance has no k-adaptable form that is solved here; ``None`` if it has one."""
    if not isinstance(instance, TwoStageRobust):
        return None
    if (reason := refuse(instance)) is not None:
        return reason
    if instance.form == "rows":
        return "what k decisions guarantee where rows move is not decided at the vertices; take a list of scenarios"
    return None


def shortfall(view: TwoStageRobust, x: Floats, held: Floats, scenario: Floats, cost: float) -> Floats:
    """``float64[k]``: by how much each decision misses ``cost``, or the row it breaks most, in a scenario."""
    stage = SecondStage.at(view, x)
    base, slope = stage.affine(held)
    found = sign_of(view) * (base + slope @ scenario) - cost
    if len(view.second.rows):
        found = np.maximum(found, stage.excess(held, scenario).max(axis=1))
    return np.asarray(found)


class _General:
    """What the forms of general two-stage programs share."""

    idle = False

    def __init__(self, view: TwoStageRobust, session: Session) -> None:
        self.view, self.session, self.sign = view, session, sign_of(view)
        self.adversary = Adversary(view, session)
        self.first = view.uncertainty.centre() if view.form == "objective" else view.scenarios[0]

    def complete(self, x: Floats, held: Floats) -> RobustPlan | None:
        self.adversary.remember(held)
        return self.adversary.judge(x).plan


class _Listed(_General):
    """A list of scenarios."""

    def judge(self, x: Floats, held: Floats) -> Judged:
        stage, scenarios = SecondStage.at(self.view, x), self.view.scenarios
        base, slope = stage.affine(held)
        costs = self.sign * (base[:, None] + slope @ scenarios.T)
        served = stage.serves(held, scenarios)
        best = np.where(served, costs, math.inf).min(axis=0, initial=math.inf)
        lost = np.flatnonzero(np.isinf(best))
        if lost.size and len(held):  # of those that are not served the one that lacks most
            lack = [float(stage.excess(held, scenarios[s]).max(axis=1).min()) for s in lost]
            worst = int(lost[int(np.argmax(lack))])
        else:
            worst = int(best.argmax())
        cost = float(best[worst])
        return Judged(RobustPlan(x, held, scenario=scenarios[worst]), cost, cost, scenarios[worst])


class _Mixed(_General):
    """The objective alone is uncertain: the largest t over xi that is no more than the cost of any decision."""

    def judge(self, x: Floats, held: Floats) -> Judged:
        stage, uncertainty = SecondStage.at(self.view, x), self.view.uncertainty
        base, slope = (self.sign * part for part in stage.affine(held))
        master = Master(uncertainty, self.session, self.first)
        master.cut(base, slope)
        cost, xi, weights = master.solve()
        if math.isinf(cost):  # to stop
            return Judged(RobustPlan(x, held), cost, cost, xi)
        mixture = weights / weights.sum()
        most, _ = uncertainty.largest((mixture @ slope)[None])
        guaranteed = float(mixture @ base + most[0])
        return Judged(RobustPlan(x, held, mixture, xi), guaranteed, float((base + slope @ xi).min()), xi)


class _Capital:
    """Capital budgeting: a decision is lost where it passes the budget."""

    idle = True

    def __init__(self, instance: CapitalBudgeting, session: Session) -> None:
        self.instance, self.session = instance, session
        self.first = np.zeros(instance.factors)
        self.view = instance.to_robust(self.first[None])
        self.met = self.first[None]

    def judge(self, x: Floats, held: Floats) -> Judged:
        instance = self.instance
        first = x[: instance.projects]
        margin = capital_recourse.BEYOND * max(1.0, instance.budget)
        found = guarantee(instance, first, held, points=self.met, margin=margin)
        exact = guarantee(instance, first, held, points=found.scenario[None])
        self.met = np.unique(np.vstack([self.met, found.scenario]), axis=0)
        plan = RobustPlan(first, held, scenario=found.scenario)
        cost = -exact.lower if exact.served else math.inf
        return Judged(plan, cost, -found.value if found.served else math.inf, found.scenario)

    def complete(self, x: Floats, held: Floats) -> RobustPlan | None:
        found = capital_recourse.complete(
            self.instance, x[: self.instance.projects], held=held, points=self.met,
            stopping=lambda: self.session.stopping,
        )  # fmt: skip
        return found.plan

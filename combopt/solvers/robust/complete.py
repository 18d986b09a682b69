"""From a bare first stage to a plan with a certificate: its exact worst case, or what is known of it in time."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np

from combopt.budget import Budget
from combopt.errors import InputError, SolverError, UnsupportedError
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.solutions import Point, RobustPlan
from combopt.model import Evaluation, Floats, Instance, Violation, show
from combopt.solvers.base import Session
from combopt.solvers.robust import capital_recourse, knapsack_game
from combopt.solvers.robust.adversary import Adversary, Verdict, refuse
from combopt.solvers.robust.recourse import sign_of


def worst_case(instance: TwoStageRobust, first: Any, *, time_limit: float = 60.0, seed: int = 0) -> Verdict:
    """What is known of the worst case of the first stage ``first: float64[n]`` within ``time_limit`` seconds.

    ``guarantee`` and ``worst`` of the verdict, here in the sense of the instance, enclose the worst case; they are
    equal up to tolerance unless time ran out, and infinite (and bad) if the recourse is infeasible in ``scenario``.

    Raises
    ------
    InputError
        E302 if the first stage has another length, or breaks a row or bound of its own.
    UnsupportedError
        E202 if no worst case of the instance can be certified.
    """
    if (reason := refuse(instance)) is not None:
        raise UnsupportedError("E202", f"no worst case of {instance.name} can be certified: {reason}")
    x = np.asarray(first, dtype=np.float64)
    if x.shape != (len(instance.first.columns),):
        raise InputError("E302", f"a first stage of shape {x.shape}", expected=f"{len(instance.first.columns)} values")
    checked = instance.first.evaluate(Point(instance.first.columns, x))
    if not checked.feasible:
        raise InputError("E302", f"the first stage is infeasible: {checked.violations[0]}")
    session = Session(Budget(time_limit=time_limit, seed=seed), time.monotonic() + time_limit, lambda event: None)
    found = Adversary(instance, session).judge(instance.rounded(x))
    sign = sign_of(instance)
    return Verdict(sign * found.guarantee, sign * found.worst, found.scenario, found.plan)


def complete(instance: TwoStageRobust, first: Any, *, time_limit: float = 60.0, seed: int = 0) -> RobustPlan:
    """The plan with this first stage that guarantees its worst case; if time runs out, the best plan found.

    Raises
    ------
    InputError, UnsupportedError
        As :func:`worst_case`; E120 if some scenario leaves no recourse, naming it.
    SolverError
        E301 if time ran out before there was a plan.
    """
    found = worst_case(instance, first, time_limit=time_limit, seed=seed)
    if found.plan is not None:
        return found.plan
    if math.isinf(found.worst) and found.scenario is not None:
        words = instance.describe(found.scenario)
        raise InputError("E120", f"the first stage leaves no recourse in scenario {words}")
    raise SolverError("E301", "no plan was found in time", remedy="Allow more time.")


def evaluated(instance: Instance, plan: RobustPlan, *, time_limit: float = 60.0) -> Evaluation:
    """What a plan without recourse decisions is worth: it is completed to the exact worst case of its first stage.

    A first stage that is infeasible, or leaves no recourse in some scenario, has violations that say so.  If the
    ``time_limit`` of a general program runs out, the best plan found counts, and a note says so.

    Raises
    ------
    InputError
        E302 if the plan has another shape than the instance.
    UnsupportedError
        E202 if no worst case of the instance can be certified.
    SolverError
        E301 if time ran out before there was a plan.
    """
    bare = instance.evaluate(plan)
    notes = ["the plan holds no recourse: its first stage was completed"]
    if isinstance(instance, (CapitalBudgeting, RobustKnapsack)):
        width = len(plan.first) * (2 if isinstance(instance, RobustKnapsack) else 1)
        idle = instance.evaluate(RobustPlan(plan.first, np.zeros((1, width))))
        if not idle.feasible:  # doing nothing more is a recourse, so it is the first stage that is wrong
            wrong = tuple(v for v in idle.violations if v.constraint != "recourse")
            return dataclasses.replace(idle, violations=wrong or idle.violations)
        found = instance.evaluate(_own(instance, np.round(plan.first)))
    elif isinstance(instance, TwoStageRobust):
        if not instance.first.evaluate(Point(instance.first.columns, plan.first)).feasible:
            return bare
        verdict = worst_case(instance, plan.first, time_limit=time_limit)
        if verdict.plan is None and math.isinf(verdict.worst) and verdict.scenario is not None:
            label = f"recourse in scenario {instance.describe(verdict.scenario)}"
            lacking = Violation(label, 1.0, "no decision at all is feasible there")
            return dataclasses.replace(bare, violations=(lacking,))
        if verdict.plan is None:
            raise SolverError("E301", "no plan was found in time", remedy="Allow more time.")
        found = instance.evaluate(verdict.plan)
        if abs(verdict.guarantee - verdict.worst) > 1e-6 * max(1.0, abs(verdict.guarantee)):
            notes.append(f"time ran out: its worst case may be as good as {show(verdict.worst)}")
    else:
        return bare
    return dataclasses.replace(found, notes=(*notes, *found.notes))


def _own(instance: CapitalBudgeting | RobustKnapsack, first: Floats) -> RobustPlan:
    """The completed plan, by the way that each kind has of its own."""
    if isinstance(instance, CapitalBudgeting):
        return capital_recourse.complete(instance, first).plan
    return knapsack_game.complete(instance, first).plan

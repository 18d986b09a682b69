"""From a bare first stage to a plan with a certificate: its exact worst case, or what is known of it in time."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from combopt.budget import Budget
from combopt.errors import InputError, SolverError, UnsupportedError
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import Point, RobustPlan
from combopt.solvers.base import Session
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

"""Random two-stage robust programs: facility location with uncertain demand, projects with uncertain returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from combopt.instances.mip import MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Sense

PENALTY = 60.0
"""Cost of a unit of demand that is not met: more than any way through the square."""


def facility(rng: np.random.Generator, n: int) -> TwoStageRobust:
    """``n`` sites and as many customers in the unit square; which sites to open before the demand is known.

    Demand of customer ``i`` is ``d_i + e_i xi_i`` with ``xi`` in the unit box and sum at most ``ceil(n / 4)``, but not
    more than 3, from 40 sites on 2, so that all vertices can be listed.  It is served at 10 times the distance a unit,
    or not met at a penalty, so that recourse is always feasible.
    """
    sites, customers = rng.random((n, 2)), rng.random((n, 2))
    distance = np.sqrt(((customers[:, None] - sites[None]) ** 2).sum(axis=2))
    demand = rng.integers(5, 36, size=n)
    extra = np.maximum(1, np.rint(demand * rng.uniform(0.2, 1.0, size=n))).astype(np.int64)
    capacity = rng.integers(40, 121, size=n)
    opening = np.rint(rng.uniform(60, 140, size=n) + capacity)
    first = MipBuilder("facility-first")
    second = MipBuilder("facility-second")
    for j in range(n):
        first.binary(f"open{j}", float(opening[j]))
    is_open = [second.binary(f"open{j}") for j in range(n)]
    serve = [[second.column(f"serve{i}_{j}", round(10 * distance[i, j], 3)) for j in range(n)] for i in range(n)]
    unmet = [second.column(f"unmet{i}", PENALTY) for i in range(n)]
    for i in range(n):
        second.row([*((y, 1.0) for y in serve[i]), (unmet[i], 1.0)], lower=float(demand[i]), name=f"demand{i}")
    for j in range(n):
        supply = [(serve[i][j], 1.0) for i in range(n)]
        second.row([*supply, (is_open[j], -float(capacity[j]))], upper=0.0, name=f"capacity{j}")
    factors = tuple(f"demand{i}" for i in range(n))
    terms = [(f"demand{i}", "rhs", i, float(extra[i])) for i in range(n)]
    uncertainty = Uncertainty.budget(n, min(-(-n // 4), 3 if n < 40 else 2), factors=factors)
    return TwoStageRobust.build(first.build(), second.build(), uncertainty, terms, name=f"robust-facility-{n}")


def projects(rng: np.random.Generator, n: int) -> TwoStageRobust:
    """``n`` projects: start one now, later complete it for its return or leave it; completing takes of a resource.

    The return of project ``i`` is ``r_i - s_i xi_i`` with ``xi`` in the unit box and sum at most ``ceil(n / 4)``; for
    a further amount of the resource its return is insured, ``r_i`` whatever comes.
    """
    gain = rng.integers(20, 101, size=n)
    loss = np.maximum(1, np.rint(gain * rng.uniform(0.2, 1.0, size=n))).astype(np.int64)
    cost = np.rint(gain * rng.uniform(0.1, 0.5, size=n))
    need, insurance = rng.integers(5, 31, size=n), rng.integers(5, 31, size=n)
    resource = max(int(need.max()), 3 * int(need.sum()) // 5)
    first = MipBuilder("projects-first", Sense.MAX)
    second = MipBuilder("projects-second", Sense.MAX)
    for i in range(n):
        first.binary(f"start{i}", -float(cost[i]))
    start = [second.binary(f"start{i}") for i in range(n)]
    complete = [second.binary(f"complete{i}", float(gain[i])) for i in range(n)]
    insure = [second.binary(f"insure{i}") for i in range(n)]
    for i in range(n):
        second.row([(complete[i], 1.0), (start[i], -1.0)], upper=0.0, name=f"started{i}")
        second.row([(insure[i], 1.0), (complete[i], -1.0)], upper=0.0, name=f"completed{i}")
    uses = [(complete[i], float(need[i])) for i in range(n)] + [(insure[i], float(insurance[i])) for i in range(n)]
    second.row(uses, upper=float(resource), name="resource")
    terms = [("objective", f"complete{i}", i, -float(loss[i])) for i in range(n)]
    terms += [("objective", f"insure{i}", i, float(loss[i])) for i in range(n)]
    uncertainty = Uncertainty.budget(n, -(-n // 4), factors=tuple(f"project{i}" for i in range(n)))
    return TwoStageRobust.build(first.build(), second.build(), uncertainty, terms, name=f"robust-projects-{n}")


FAMILIES: dict[str, Callable[[np.random.Generator, int], TwoStageRobust]] = {
    "facility": facility,
    "projects": projects,
}
"""Name to generator of (random numbers, size)."""

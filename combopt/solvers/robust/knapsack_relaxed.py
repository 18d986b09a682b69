"""The robust knapsack with relaxed recourse, as a mixed-integer program: a bound, and good first stages.

With y and r continuous, max over the recourse and min over the scenario may be exchanged, and the budget set has the
dual ``min budget u + sum v`` with ``u + v_i >= deviation_i (y_i - r_i)``.
"""

from __future__ import annotations

import numpy as np

from combopt.instances.mip import Mip, MipBuilder
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.solutions import Point
from combopt.model import Floats, Sense


def relaxed(instance: RobustKnapsack, cuts: tuple[tuple[Floats, Floats, float], ...] = ()) -> Mip:
    """The program; its first ``n`` columns are x.

    Parameters
    ----------
    cuts
        Valid inequalities of the recourse, ``a y + b r <= c``.
    """
    n = instance.items
    builder = MipBuilder(instance.name, Sense.MAX)
    x = [builder.binary(f"x{i + 1}", instance.profit[i] - instance.outsourcing[i]) for i in range(n)]
    y = [builder.column(f"y{i + 1}", instance.outsourcing[i], 0.0, 1.0) for i in range(n)]
    r = [builder.column(f"r{i + 1}", 0.0, 0.0, 1.0) for i in range(n)]
    v = [builder.column(f"v{i + 1}", -1.0) for i in range(n)]
    u = builder.column("u", -min(instance.budget, float(n)))
    for i in range(n):
        builder.row([(x[i], 1.0), (y[i], -1.0)], lower=0.0)
        builder.row([(y[i], 1.0), (r[i], -1.0)], lower=0.0)
        loss = float(instance.deviation[i])
        if loss > 0:
            builder.row([(u, 1.0), (v[i], 1.0), (y[i], -loss), (r[i], loss)], lower=0.0)
    unit = max(1.0, float(instance.capacity))
    load = [(y[i], instance.weight[i] / unit) for i in range(n)]
    load += [(r[i], instance.repair[i] / unit) for i in range(n)]
    builder.row([term for term in load if term[1]], upper=instance.capacity / unit)
    for a, b, c in cuts:
        terms = [(y[i], a[i]) for i in range(n)] + [(r[i], b[i]) for i in range(n)]
        builder.row([term for term in terms if term[1]], upper=c)
    return builder.build()


def start(mip: Mip, first: Floats) -> Point:
    """A first stage as a start of the program, which completes it."""
    return Point(mip.columns[: len(first)], np.asarray(first, dtype=np.float64))

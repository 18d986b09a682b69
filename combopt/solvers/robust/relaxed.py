"""Relaxed recourse: where the objective alone is uncertain, one compact program that bounds the robust one.

With the recourse relaxed to ``Y_R(x)``, a polyhedron, the order of max over xi and min over y may be exchanged, and
the inner maximum, over ``lower <= xi <= upper`` and ``A xi <= b``, has the dual

    min  b pi + upper mu - lower nu    with    A' pi + mu - nu = a(x, y),    pi, mu, nu >= 0,

where ``a`` is how the cost rises with each factor, affine in ``x`` and ``y`` (for a budget set: Arslan and Detienne
2022, section 2).  What results is a mixed-integer program in ``x`` with continuous ``y``.  Its value is a bound of the
robust program, the value itself where the recourse is continuous.
"""

from __future__ import annotations

import math

import numpy as np

from combopt.solvers.robust.main import Main


def add_relaxed(main: Main) -> None:
    """Add to a main problem that its theta is no less than the worst case with relaxed recourse."""
    instance, program, sign = main.instance, main.program, main.sign
    second, layout, uncertainty = instance.second, instance.layout, instance.uncertainty
    anywhere = uncertainty.centre()  # rows do not depend on the scenario
    places = main.places(main.own_columns(whole=False))
    main.second_rows(places, anywhere)
    q, m = uncertainty.dimension, len(uncertainty.rhs)

    def multipliers(count: int) -> np.ndarray:
        none = np.zeros(count)
        return program.add_columns(none, none, np.full(count, math.inf), np.zeros(count, dtype=np.int64))

    pi, mu, nu = multipliers(m), multipliers(q), multipliers(q)
    rise = np.zeros((q, len(second.columns)))
    cost_terms = np.concatenate([layout.cost_first, layout.cost_own])
    np.add.at(
        rise, (instance.term_factor[cost_terms], instance.term_column[cost_terms]), instance.term_value[cost_terms]
    )
    drift = np.zeros(q)
    np.add.at(drift, instance.term_factor[layout.offset], instance.term_value[layout.offset])
    for f in range(q):
        used, rows = np.flatnonzero(rise[f]), np.flatnonzero(uncertainty.matrix[:, f])
        columns = np.concatenate([pi[rows], [mu[f], nu[f]], places[used]])
        values = np.concatenate([uncertainty.matrix[rows, f], [1.0, -1.0], -sign * rise[f, used]])
        program.add_row(columns, values, sign * drift[f], sign * drift[f])
    used = np.flatnonzero(second.cost)
    columns = np.concatenate([[main.theta], places[used], pi, mu, nu])
    values = np.concatenate(
        [[1.0], -sign * second.cost[used], -uncertainty.rhs, -uncertainty.upper, uncertainty.lower]
    )
    program.add_row(columns, values, sign * second.offset, math.inf)

"""Second stages of general two-stage programs, solved: what flat value networks learn from.

First stages are drawn at random and moved to the nearest feasible one, or solve the instance for one scenario drawn,
at costs that are shaken: networks are asked about good first stages above all.  Of the scenarios one third each is
anywhere in the set, a vertex, and a vertex that one of the first stages suffers from, to which the multipliers of its
recourse point; of a list of scenarios any.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.budget import Budget
from combopt.errors import InputError, UnsupportedError
from combopt.instances.mip import CONTINUOUS
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_stage import SecondStage
from combopt.instances.solutions import Point
from combopt.instances.uncertainty import Uncertainty
from combopt.learned.value.program import in_words, numbers, size, structure
from combopt.model import Floats
from combopt.solvers.base import Session
from combopt.solvers.robust.main import Growing, Main, solve_mip
from combopt.solvers.robust.recourse import Answer, Ended, Recourse, sign_of

FIRSTS, SCENARIOS = 20, 25
"""First stages and scenarios of a draw: as many values as published, and more first stages, of which one instance has
no others to offer."""
CLIMBS = 3
"""Most recourse problems on the way to a scenario that hurts."""
NODES, GAP = 200, 0.01
"""Of the programs that give good first stages: quick, and the same on every machine."""


def loose(instance: TwoStageRobust) -> str | None:
    """Name of a first-stage column without finite bounds, if there is one."""
    first = instance.first
    wide = np.flatnonzero(~(np.isfinite(first.lower) & np.isfinite(first.upper)))
    return first.columns[wide[0]] if wide.size else None


def robust_values(rng: np.random.Generator, draw: Any, count: int) -> dict[str, npt.NDArray[Any]]:
    """Values of ``count`` draws of :data:`FIRSTS` first stages and :data:`SCENARIOS` scenarios each, of instances of
    one shape that ``draw`` gives.

    The arrays are those of :mod:`combopt.learned.value.robust`.

    Raises
    ------
    InputError
        E120 if the instances are not all of one shape, or have no feasible first stage.
    UnsupportedError
        E202 if no worst case can be certified, or a first-stage column has no finite bounds.
    """
    rows: list[tuple[Any, ...]] = []
    shape, entries = (0, 0, 0, 0), ""
    for _ in range(count):
        instance = draw(rng)
        assert isinstance(instance, TwoStageRobust)
        _check(instance)
        if not rows:
            shape, entries = size(instance), structure(instance)
        elif structure(instance) != entries:
            raise InputError(
                "E120", f"{instance.name} has {in_words(size(instance))}, an instance before it {in_words(shape)}",
                expected="instances of one shape, that differ in numbers alone",
            )  # fmt: skip
        rows.append((numbers(instance), *_draw(rng, instance)))
    tables = [np.array(table) for table in zip(*rows, strict=True)]
    return {
        "kind": np.array(TwoStageRobust.kind), "size": np.array(shape, np.int64), "structure": np.array(entries),
        "numbers": tables[0], "first": tables[1].astype(np.float32), "scenario": tables[2].astype(np.float32),
        "value": tables[3].astype(np.float32),
    }  # fmt: skip


def _check(instance: TwoStageRobust) -> None:
    reason = instance.uncertifiable()
    if reason is None and (name := loose(instance)) is not None:
        reason = f"first-stage column {name!r} has no finite bounds, which units of a network need"
    if reason is not None:
        raise UnsupportedError("E202", f"no network can be used for {instance.name}: {reason}")


def _draw(rng: np.random.Generator, instance: TwoStageRobust) -> tuple[Floats, Floats, Floats]:
    """First stages, scenarios, and what the second stage is worth at each pair."""
    session = Session(Budget(), math.inf, lambda event: None)
    recourse = Recourse(instance, session)
    uncertainty = instance.uncertainty
    firsts = []
    for k in range(FIRSTS):
        x = _good(rng, instance, session, vertex(rng, uncertainty)) if k % 2 else None
        firsts.append(_random(rng, instance, session) if x is None else x)
    stages = [SecondStage.at(instance, x) for x in firsts]
    scenarios = []
    for k in range(SCENARIOS):
        xi = vertex(rng, uncertainty) if k % 3 else inside(rng, uncertainty)
        if k % 3 == 2 and not uncertainty.discrete:
            xi = _hurting(rng, recourse, stages[k % FIRSTS], xi)
        scenarios.append(xi)
    table = [[second_value(recourse, stage, x, xi) for xi in scenarios]
             for stage, x in zip(stages, firsts, strict=True)]  # fmt: skip
    return np.array(firsts), np.array(scenarios), np.array(table)


def second_value(recourse: Recourse, stage: SecondStage, x: Floats, xi: Floats) -> float:
    """The objective of the second stage ``stage``, that of the first stage ``x``, in scenario ``xi``; NaN where it is
    not feasible."""
    recourse.place(stage)
    answer = recourse.solve(xi)
    if answer.ended is not Ended.OPTIMAL:
        return math.nan
    first = stage.instance.first
    return recourse.sign * answer.cost - float(first.cost @ x) - float(first.offset)


# --- first stages --------------------------------------------------------------------------------------------------


def _random(rng: np.random.Generator, instance: TwoStageRobust, session: Session) -> Floats:
    """Columns at random, binary ones with one probability for all; moved to the nearest feasible first stage."""
    first = instance.first
    n = len(first.columns)
    x = first.lower + rng.random(n) * (first.upper - first.lower)
    binary = first.integral & (first.upper - first.lower == 1)
    x[binary] = first.lower[binary] + (rng.random(n) < rng.random())[binary]
    x = instance.rounded(x)
    if first.evaluate(Point(first.columns, x)).feasible:
        return x
    program = Growing()
    program.add_columns(np.zeros(n), first.lower, first.upper, first.domain)
    program.add_rows(first.row_start, first.row_column, first.row_value, first.row_lower, first.row_upper)
    width = np.maximum(first.upper - first.lower, 1e-9)
    far = program.add_columns(1.0 / width, np.zeros(n), width, np.full(n, CONTINUOUS)).tolist()
    for j, d in enumerate(far):
        program.add_row([j, d], [1.0, -1.0], -math.inf, float(x[j]))
        program.add_row([j, d], [1.0, 1.0], float(x[j]), math.inf)
    nearest = _solved(program, session)
    if nearest is None:
        raise InputError("E120", f"no feasible first stage of {instance.name} was found")
    return instance.rounded(nearest[:n])


def _good(rng: np.random.Generator, instance: TwoStageRobust, session: Session, xi: Floats) -> Floats | None:
    """The first stage that is best in one scenario at shaken costs; ``None`` where there is no such."""
    main = Main(instance)
    main.add(xi)
    cost = main.program.cost
    for j, share in enumerate(rng.uniform(0.5, 1.5, main.n).tolist()):
        cost[j] *= share
    values = _solved(main.program, session)
    return None if values is None else instance.rounded(values[: main.n])


def _solved(program: Growing, session: Session) -> Floats | None:
    budget = Budget(nodes=NODES, gap=GAP, threads=1)
    return solve_mip(program.build(), session, "highs", budget, None, lambda bound: None).values


# --- scenarios -----------------------------------------------------------------------------------------------------


def vertex(rng: np.random.Generator, uncertainty: Uncertainty) -> Floats:
    """Where a random direction ends in the set, as a rule a vertex; every other direction has positive entries."""
    q = uncertainty.dimension
    if uncertainty.discrete:
        return uncertainty.scenarios[int(rng.integers(len(uncertainty.scenarios)))]
    slope = rng.normal(size=q)
    if rng.random() < 0.5:
        slope = np.abs(slope)
    return uncertainty.largest(slope[None])[1][0]


def inside(rng: np.random.Generator, uncertainty: Uncertainty) -> Floats:
    """A point anywhere in the set: a mixture of vertices; of a list one of its scenarios."""
    if uncertainty.discrete:
        return vertex(rng, uncertainty)
    some = np.array([vertex(rng, uncertainty) for _ in range(4)])
    found: Floats = rng.dirichlet(np.ones(len(some))) @ some
    return found


def _hurting(rng: np.random.Generator, recourse: Recourse, stage: SecondStage, xi: Floats) -> Floats:
    """Where the multipliers of the recourse lead from ``xi``, their sizes shaken."""
    uncertainty = stage.instance.uncertainty
    shake = rng.uniform(0.5, 1.5, uncertainty.dimension)
    recourse.place(stage)
    for _ in range(CLIMBS):
        answer = recourse.solve(xi)
        if answer.y is None:
            return xi
        new = uncertainty.largest((shake * _rise(stage, answer))[None])[1][0]
        if np.array_equal(new, xi):
            return xi
        xi = new
    return xi


def _rise(stage: SecondStage, answer: Answer) -> Floats:
    """How the cost, to be minimised, rises with each factor."""
    assert answer.y is not None
    rise = sign_of(stage.instance) * (stage.drift + answer.y @ stage.rate)
    return rise if answer.duals is None else rise + answer.duals @ stage.slope

"""Mixed-integer programs with known answers, for the tests of the MIP solvers."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from combopt.budget import Budget
from combopt.instances.mip import INTEGER, Mip, MipBuilder
from combopt.instances.solutions import Point
from combopt.model import Instance, Sense, Solution
from combopt.solvers.base import Event, Outcome, Session, Solver

INF = math.inf


def knapsack(offset: float = 0.0) -> Mip:
    """Best value 23 + offset: items 1, 2 and 5."""
    program = MipBuilder(name="knapsack", sense=Sense.MAX, offset=offset)
    items = [program.binary(f"x{i}", value) for i, value in enumerate((8, 11, 6, 4, 7, 6))]
    program.row(dict(zip(items, (5, 7, 4, 3, 5, 3), strict=True)), upper=14)
    return program.build()


def integer(sense: Sense = Sense.MIN, offset: float = 0.0, rows: bool = True) -> Mip:
    """min 3x + 2y + offset with 2x + y >= 7, x + 3y >= 6, integers: x = 3, y = 1, 11 + offset (max: negated)."""
    sign = 1 if sense is Sense.MIN else -1
    program = MipBuilder(name="integer", sense=sense, offset=offset)
    x, y = (program.column(name, sign * cost, 0, 100, INTEGER) for name, cost in (("x", 3), ("y", 2)))
    if rows:
        program.row({x: 2, y: 1}, lower=7)
        program.row({x: 1, y: 3}, lower=6)
    return program.build()


def infeasible() -> Mip:
    """2x = 3 in whole numbers."""
    program = MipBuilder(name="infeasible")
    program.row({program.column("x", 1, 0, 9, INTEGER): 2}, 3, 3)
    return program.build()


def unbounded() -> Mip:
    """min -x with x >= 0, and a row that leaves that open."""
    program = MipBuilder(name="unbounded")
    x, y = program.column("x", -1, 0, INF, INTEGER), program.column("y", 0, 0, INF, INTEGER)
    program.row({x: 1, y: -1}, upper=4)
    return program.build()


def unbounded_but_infeasible() -> Mip:
    """As :func:`unbounded`, with 2z = 3 besides."""
    program = MipBuilder(name="neither")
    x, z = program.column("x", -1, 0, INF, INTEGER), program.column("z", 0, 0, 9, INTEGER)
    program.row({z: 2}, 3, 3)
    program.row({x: 1, z: -1}, lower=-50)
    return program.build()


def market_split(rows: int = 5, columns: int = 40) -> Mip:
    """Cornuejols and Dawande's market split, the excess minimised: feasible at once, and proved by no one soon.

    Pure integer, so that every solver takes it.
    """
    rng = np.random.default_rng(0)
    program = MipBuilder(name="market-split")
    for j in range(columns):
        program.binary(f"x{j}")
    for i in range(rows):
        weights = rng.integers(0, 100, columns)
        half = int(weights.sum()) // 2
        over, under = (program.column(f"{name}{i}", 1, 0, 5000, INTEGER) for name in ("over", "under"))
        program.row({**dict(enumerate(weights.tolist())), over: -1, under: 1}, half, half)
    return program.build()


def far_start(program: Mip) -> Point:
    """A feasible but bad point of :func:`market_split`: nothing is chosen."""
    values = np.zeros(len(program.columns))
    for i, half in enumerate(program.row_lower.tolist()):
        values[program.columns.index(f"under{i}")] = half
    return Point(program.columns, values)


def session(limit: float = 30.0, start: Solution | None = None, **budget: Any) -> tuple[Session, list[Event]]:
    """A session with the list of what a solver hands over."""
    events: list[Event] = []
    limits = Budget(time_limit=limit, threads=budget.pop("threads", 1), **budget)
    return Session(limits, time.monotonic() + limit, events.append, start), events


def handed_over(solver: Solver, program: Instance, **options: Any) -> tuple[Outcome, list[Event]]:
    """What a solver says when it is run without the harness."""
    run, events = session(**options)
    return solver.run(program, run), events

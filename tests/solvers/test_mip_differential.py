"""All MIP solvers against plain enumeration on many small programs.

COMBOPT_FUZZ scales the number of programs (three times its value).
"""

from __future__ import annotations

import math
import os
from fractions import Fraction

import numpy as np
import pytest

from combopt import api
from combopt.instances.mip import INTEGER, SEMIINTEGER, Indicator, Mip, MipBuilder, Sos
from combopt.model import Ints, Sense
from combopt.result import Status
from tests.brute import mip

COUNT = 3 * int(os.environ.get("COMBOPT_FUZZ", "500"))
PARTS = 10
SOLVERS = ("scip", "highs", "cpsat")
UNIT = 10**6
"""All numbers of the programs are whole multiples of 1 / UNIT."""


def small(rng: np.random.Generator) -> Mip:
    """A random pure integer program: equality knapsacks, ranges, free and empty rows, decimals, fixed and crossing
    bounds, semi-integer columns, indicators and special ordered sets; four in five have a feasible point."""
    columns = int(rng.integers(1, 6))
    program = MipBuilder(sense=rng.choice(list(Sense)), offset=float(rng.integers(-5, 6)))
    scale, large = float(rng.choice([1, 1, 1, 0.5, 0.1, 0.001])), int(rng.choice([1, 1, 1, 10, 1000]))
    width = int(rng.choice([1, 1, 2, 3, 5] if columns < 5 else [1, 1, 2, 3]))
    inside = np.zeros(columns, dtype=np.int64)
    for j in range(columns):
        low = int(rng.integers(-5, 6)) if rng.random() < 0.5 else 0
        high = low + int(rng.integers(0, width + 1)) - int(rng.random() < 0.02)
        domain = SEMIINTEGER if rng.random() < 0.1 else INTEGER
        cost = int(rng.integers(-9, 10)) * int(rng.random() < 0.85)
        program.column(f"x{j}", round(cost * scale, 6), low, high, domain)
        inside[j] = rng.integers(low, max(low, high) + 1)
    feasible = rng.random() < 0.8
    indicators = []
    for i in range(int(rng.integers(0, 6))):
        row = random_row(rng, program, inside, large, feasible)
        if rng.random() < 0.15:
            switch = program.binary(f"z{i}", float(rng.integers(-4, 5)))
            indicators.append(Indicator(row=row, column=switch, active=int(rng.integers(0, 2))))
    sets: tuple[Sos, ...] = ()
    if columns > 1 and rng.random() < 0.15:
        members = tuple(rng.permutation(columns)[: int(rng.integers(2, columns + 1))].tolist())
        sets = (Sos(type=int(rng.integers(1, 3)), columns=members, weights=tuple(range(1, len(members) + 1))),)
    return program.build(sos=sets, indicators=tuple(indicators))


def random_row(rng: np.random.Generator, program: MipBuilder, inside: Ints, large: int, feasible: bool) -> int:
    """Add a row; through or next to the point ``inside`` if the program is to be feasible."""
    values = rng.integers(-9, 10, len(inside)) * (rng.random(len(inside)) < 0.7) * large
    unit = float(rng.choice([1, 1, 1, 0.1, 0.25]))
    middle = int(values @ inside) if feasible else int(rng.integers(-15, 16)) * large
    slack, kind = int(rng.integers(0, 4)), rng.random()
    low, high = (middle, middle) if kind < 0.25 else (middle - slack, middle + slack)
    terms = {j: round(float(v) * unit, 6) for j, v in enumerate(values.tolist()) if v}
    return program.row(
        terms,
        -math.inf if 0.25 <= kind < 0.5 or kind > 0.97 else round(low * unit, 6),
        math.inf if 0.5 <= kind < 0.75 or kind > 0.97 else round(high * unit, 6),
    )


def best(program: Mip) -> Fraction | None:
    """The optimum by trying all points, in whole multiples of 1 / UNIT; ``None`` if there is no feasible point."""
    ranges = []
    for low, high, domain in zip(program.lower, program.upper, program.domain, strict=True):
        values = set(range(math.ceil(low), math.floor(high) + 1)) | ({0} if domain == SEMIINTEGER else set())
        ranges.append(sorted(values))
    points = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(ranges)).astype(np.int64)
    holds = np.ones(len(points), dtype=bool)
    switch = {indicator.row: indicator for indicator in program.indicators}
    for i in range(len(program.rows)):
        entries = slice(program.row_start[i], program.row_start[i + 1])
        activity = points[:, program.row_column[entries]] @ units(program.row_value[entries])
        low, high = program.row_lower[i] * UNIT, program.row_upper[i] * UNIT
        good = (activity >= np.rint(low)) & (activity <= np.rint(high))
        if i in switch:
            good |= points[:, switch[i].column] != switch[i].active
        holds &= good
    for group in program.sos:
        used = points[:, list(group.columns)] != 0
        first, last = used.argmax(axis=1), used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
        holds &= ~used.any(axis=1) | (last - first < group.type)
    if not holds.any():
        return None
    objectives = points[holds] @ units(program.cost)
    found = objectives.min() if program.sense is Sense.MIN else objectives.max()
    return Fraction(int(found), UNIT) + Fraction(program.offset)


def units(values: np.ndarray) -> Ints:
    return np.rint(values * UNIT).astype(np.int64)


FAMILIES = {"integer": (small, best), "mixed": (mip.small, mip.best)}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", range(PARTS))
def test_all_solvers_agree_with_enumeration(family: str, part: int) -> None:
    generate, optimum = FAMILIES[family]
    disagreements = []
    for number in range(part, COUNT // len(FAMILIES), PARTS):
        program = generate(np.random.default_rng([1, number]))
        truth = optimum(program)
        for name in SOLVERS:
            solver = api.make_solver(name)
            if not solver.accepts(program):
                continue
            result = api.solve(program, solver, isolate=False, threads=1, time_limit=20)
            # A solver may use its tolerance on a continuous column.
            right = (
                result.status is Status.INFEASIBLE
                if truth is None
                else result.status is Status.OPTIMAL and result.objective == pytest.approx(float(truth), abs=2e-6)
            )
            if not right or any("handed over" in message for message in result.messages):
                disagreements.append((number, name, truth, str(result.status), result.objective, result.messages))
    assert not disagreements


def test_most_programs_reach_every_solver() -> None:
    programs = [small(np.random.default_rng([1, number])) for number in range(100)]
    assert all(api.make_solver(name).accepts(program) for name in ("scip", "cpsat") for program in programs)
    assert sum(api.make_solver("highs").accepts(program) for program in programs) > 40


def wide_program() -> Mip:
    """A program that HiGHS 1.13.1 calls optimal at -8654, its presolve on or off, while -8657 is feasible."""
    program = MipBuilder(offset=-18)
    for name, cost, low, high in (
        ("a", 5, -5367, -585), ("b", -6, 0, math.inf), ("c", -2, 0, 3085), ("d", 6, 0, 2593), ("e", -3, -4042, 443)
    ):  # fmt: skip
        program.column(name, cost, low, high, INTEGER)
    for low, values, high in (
        (958, (0, -6, 6, 0, 0), 974),
        (-8820, (-3, 8, 9, 4, 9), -8820),
        (-math.inf, (-5, -6, -4, 4, -7), 53385),
        (-26174, (2, 1, -1, -6, 2), math.inf),
        (-math.inf, (-5, 0, -2, -8, -3), 22975),
        (-8385, (0, 9, -3, -4, 0), -2565),
    ):
        program.row({j: v for j, v in enumerate(values) if v}, low, high)
    return program.build()


@pytest.mark.parametrize(
    "name",
    ["scip", "cpsat", pytest.param("highs", marks=pytest.mark.xfail(reason="HiGHS 1.13.1 cuts the optimum off"))],
)
def test_wide_bounds(name: str) -> None:
    result = api.solve(wide_program(), name, isolate=False, threads=1, time_limit=20)
    assert (result.status, result.objective) == (Status.OPTIMAL, -8657)


def test_fractional_bounds_of_integers() -> None:
    """The presolve of HiGHS 1.13.1 calls this infeasible unless the bounds are rounded first."""
    program = MipBuilder()
    x, y = program.binary("x", -700), program.column("y", -5, -0.5, 1.75, INTEGER)
    program.row({x: -93.0, y: -57.9}, lower=-57.9)
    program.row({x: -0.9, y: -0.5}, upper=0.2)
    for name in SOLVERS:
        result = api.solve(program.build(), name, isolate=False, threads=1, time_limit=20)
        assert (result.status, result.objective) == (Status.OPTIMAL, -5)

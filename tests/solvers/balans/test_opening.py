"""How a run of ``balans`` begins: points without a search, and the share of the plain solver."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from combopt import api
from combopt.budget import Budget
from combopt.instances.mip import INTEGER, Mip, MipBuilder
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.solvers.balans.search import PLAIN_SHARE, Search
from combopt.solvers.balans.simple import simple_points
from combopt.solvers.balans.solver import Balans
from combopt.solvers.balans.space import MipSpace
from combopt.solvers.base import Event, Session
from combopt.solvers.lns.loop import Pace


def session(seconds: float, began: float | None = None) -> Session:
    until = (time.monotonic() if began is None else began) + seconds
    return Session(Budget(time_limit=seconds, threads=1), until, lambda event: None)


def feasible(mip: Mip) -> list[float]:
    points = [Point(mip.columns, values) for values in simple_points(MipSpace(mip))]
    return [float(mip.evaluate(point).objective) for point in points if mip.evaluate(point).feasible]


def covering() -> Mip:
    """Everything at its upper bound covers; nothing lower that is tried does."""
    builder = MipBuilder("cover", sense=Sense.MIN)
    columns = [builder.binary(f"x{j}", 1.0 + j) for j in range(4)]
    for j in range(4):
        builder.row({columns[j]: 1.0, columns[(j + 1) % 4]: 1.0}, lower=1.0)
    return builder.build()


def mixed() -> Mip:
    """``x + s >= 3``, ``y - s >= 1`` and ``z <= 1``: ``s`` is pulled both ways, the others in one."""
    builder = MipBuilder("mixed", sense=Sense.MIN)
    x = builder.column("x", 1.0, lower=0.0, upper=5.5, domain=INTEGER)
    y = builder.column("y", 1.0, lower=-2.5, upper=4.0, domain=INTEGER)
    s = builder.column("s", 1.0, lower=2.0, upper=math.inf)
    z = builder.column("z", -1.0, lower=0.0, upper=3.0, domain=INTEGER)
    builder.row({x: 1.0, s: 1.0}, lower=3.0)
    builder.row({z: 1.0}, upper=1.0)
    builder.row({y: 1.0, s: -1.0}, lower=1.0)
    return builder.build()


def test_simple_points_of_packing_and_covering() -> None:
    assert 10.0 in feasible(covering())
    packing = api.generate("mkp", seed=1, n=20).to_mip().instance
    assert isinstance(packing, Mip)
    assert feasible(packing)[0] == 0.0


def test_simple_points_keep_bounds_and_follow_locks() -> None:
    mip = mixed()
    for values in simple_points(MipSpace(mip)):
        assert (values[mip.integral] == np.rint(values[mip.integral])).all()
        assert (values >= mip.lower).all()
        assert (values <= mip.upper).all()
    assert feasible(mip) == [5.0 + 4.0 + 2.0]


def test_searches_are_short_at_first() -> None:
    began = time.monotonic()
    pace = Pace(session(600.0), 60, 0.1, 20.0, 0.1, began)
    assert pace.seconds == 0.1
    assert pace.most == pytest.approx(10.0, abs=0.1)
    later = Pace(session(600.0, began - 30.0), 60, 0.1, 20.0, 0.1, began - 30.0)
    assert later.seconds == pytest.approx(3.0, abs=0.1)
    late = Pace(session(600.0, began - 300.0), 60, 0.1, 20.0, 0.1, began - 300.0)
    assert late.seconds == late.most == pytest.approx(10.0)
    assert Pace(session(600.0), 60, 5.0, 5.0, 0.1, began).seconds == 5.0


def test_the_first_plain_solver_has_its_share() -> None:
    search = Search(Balans(), MipSpace(covering()), ["scip", "highs"], session(100.0))

    class Plain:
        over = failed = False
        turns = 0

        def run(self, seconds: float, stopping: object) -> None:
            Plain.turns += 1
            time.sleep(0.05)

        def tell(self, event: Event) -> None:
            pass

    scip, highs = search.searchers
    scip.background = Plain()  # type: ignore[assignment]
    while scip.worked < PLAIN_SHARE * search.pace.elapsed or not Plain.turns:
        search._give_its_share()
    turns = Plain.turns
    search._give_its_share()
    assert Plain.turns == turns  # it has had its part
    scip.beside = True  # at work all the time on another core: now it is the turn of the next one
    highs.background = Plain()  # type: ignore[assignment]
    time.sleep(0.1)
    search._give_its_share()
    assert Plain.turns == turns + 1
    assert highs.worked > 0
    Plain.over = True
    time.sleep(0.5)
    search._give_its_share()
    assert Plain.turns == turns + 1


def test_the_opening_ends_with_what_others_find_if_all_plain_solvers_work_elsewhere() -> None:
    mip = covering()
    search = Search(Balans(), MipSpace(mip), ["scip"], session(30.0))

    class Others:
        alive = True
        outcomes = ()

        def news(self) -> list[Event]:
            return [Event(time.monotonic(), solution=Point(mip.columns, np.ones(4)))]

    search.team = Others()  # type: ignore[assignment]
    began = time.monotonic()
    assert search._turns([], 1.0) is None
    assert time.monotonic() - began < 5.0
    assert search.best is not None
    assert search.best.value == 10.0

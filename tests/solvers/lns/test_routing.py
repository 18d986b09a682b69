"""The solver ``routing_lns``: parts that join up exactly, better routes than the start, repeatable runs."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from combopt.budget import Budget
from combopt.errors import UsageError
from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.result import Result, StoppedBy
from combopt.solvers.base import Event, Session
from combopt.solvers.insertion import insertion_routes
from combopt.solvers.lns.engine import Found, State
from combopt.solvers.lns.loop import Incumbent, Inside
from combopt.solvers.lns.routing import OPERATORS, TOOLS, PartSearcher, RouteTuple, RoutingLns, joined, part_of
from combopt.solvers.savings import savings_routes
from tests.solvers.routing import alone, here, medium

KINDS = ["cvrp", "ovrp", "vrptw"]


def first(instance: Any) -> RouteTuple:
    routes = insertion_routes(instance) if isinstance(instance, Vrptw) else savings_routes(instance)
    assert routes is not None
    return tuple(map(tuple, routes))


def state_of(instance: Any, routes: RouteTuple) -> State[RouteTuple]:
    found = Found(routes, float(instance.evaluate(Routes(routes)).objective))
    return State(found, found, [found])


def lengths(instance: Any) -> float:
    return float(instance.evaluate(Routes(first(instance))).objective)


def explicit(instance: Any, rng: np.random.Generator) -> Cvrp:
    """The same customers with an asymmetric matrix, service times and a limit on the length of routes."""
    matrix = instance.metric.full() + rng.integers(0, 30, size=(instance.nodes, instance.nodes))
    service = np.append(0.0, rng.integers(0, 9, instance.customers).astype(float))
    return Cvrp(
        metric=Metric(rule="EXPLICIT", matrix=matrix),
        demand=instance.demand,
        capacity=instance.capacity,
        max_length=float(2.5 * matrix.max()),
        service=service,
    )


@pytest.mark.parametrize("kind", [*KINDS, "explicit"])
def test_a_part_is_worth_what_its_routes_are_worth_in_the_whole(kind: str) -> None:
    rng = np.random.default_rng(4)
    instance = explicit(medium("cvrp"), rng) if kind == "explicit" else medium(kind)
    routes = first(instance)
    whole = instance.evaluate(Routes(routes))
    assert whole.feasible
    for _ in range(20):
        chosen = tuple(rng.choice(len(routes), size=rng.integers(1, len(routes)), replace=False).tolist())
        part, nodes = part_of(instance, routes, chosen)
        assert part.customers == sum(len(routes[r]) for r in chosen)
        own = tuple(tuple(np.searchsorted(nodes, routes[r]).tolist()) for r in chosen)
        alone_in_whole = instance.evaluate(Routes(tuple(routes[r] for r in chosen))).objective
        assert part.evaluate(Routes(own)).feasible
        assert part.evaluate(Routes(own)).objective == alone_in_whole
        assert sorted(joined(routes, chosen, nodes, own)) == sorted(routes)
        # every customer on a route of its own: infeasible for none of these kinds
        apart = tuple((c,) for c in range(1, part.nodes))
        after = instance.evaluate(Routes(joined(routes, chosen, nodes, apart)))
        gain = part.evaluate(Routes(own)).objective - part.evaluate(Routes(apart)).objective
        assert after.feasible == part.evaluate(Routes(apart)).feasible
        assert whole.objective - after.objective == pytest.approx(gain, rel=0, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tool", ["sisr", "pyvrp"])
@pytest.mark.parametrize("operator", ["neighbours", "sector"])
def test_a_step_improves_the_whole_by_as_much_as_the_part(kind: str, tool: str, operator: str) -> None:
    if kind not in TOOLS[tool].solver.info.kinds:
        return
    instance = medium(kind, n=80)
    routes = first(instance)
    state = state_of(instance, routes)
    events: list[Event] = []
    session = Session(Budget(iterations=1, threads=1), time.monotonic() + 30, events.append)
    incumbent: Incumbent[RouteTuple] = Incumbent(instance, session, Routes)
    searcher = PartSearcher(tool, TOOLS[tool], instance, incumbent, Inside(session), counted=True)
    gained = 0.0
    for seed in range(4):
        chosen = OPERATORS[operator](instance).build(state, 0.5, np.random.default_rng(seed))
        attempt = searcher.search(chosen, state, 10.0, seed)
        if attempt.found is None:
            continue
        kept = [routes[r] for r in range(len(routes)) if r not in chosen.routes]
        new = [route for route in attempt.found.solution if route not in kept]
        assert attempt.found.solution[: len(kept)] == tuple(kept)
        evaluation = instance.evaluate(Routes(attempt.found.solution))
        assert evaluation.feasible
        assert evaluation.objective == attempt.found.value
        before = instance.evaluate(Routes(tuple(routes[r] for r in chosen.routes))).objective
        after = instance.evaluate(Routes(tuple(new))).objective
        gain = state.best.value - attempt.found.value
        assert gain > 0
        assert gain == pytest.approx(before - after, rel=0, abs=1e-9)
        gained += gain
    assert gained > 0
    assert events


def test_the_fleet_of_a_part_is_what_the_others_leave() -> None:
    instance = medium("vrptw")
    routes = first(instance)
    tight = type(instance).from_dict(instance.to_dict() | {"vehicles": len(routes)})
    part, _ = part_of(tight, routes, (0, 2, 3))
    assert part.vehicles == 3
    assert part_of(medium("cvrp"), first(medium("cvrp")), (0, 1))[0].vehicles is None


def test_parts_are_neighbours_and_of_the_size_asked_for() -> None:
    # four groups of customers around the depot, two routes each
    points = [[0.0, 0]]
    for x, y in ((9, 1), (1, 9), (-9, -1), (-1, -9)):
        points += [[10 * x + i, 10 * y] for i in range(6)]
    instance = Cvrp(
        metric=Metric(rule="EUC_2D", coordinates=np.array(points)), demand=np.array([0] + [1] * 24), capacity=3
    )
    routes = tuple(tuple(range(k, k + 3)) for k in range(1, 25, 3))
    state = state_of(instance, routes)
    for operator in OPERATORS.values():
        seen = set()
        for seed in range(40):
            chosen = operator(instance).build(state, 0.25, np.random.default_rng(seed)).routes
            assert len(chosen) == 2
            seen.add(tuple(sorted(chosen)))
        # two routes of one group, or in a sector also the next ones of two groups
        assert {(0, 1), (2, 3), (4, 5), (6, 7)} <= seen
        assert all(len({r // 2 for r in pair}) == 1 or operator is OPERATORS["sector"] for pair in seen)
        everything = operator(instance).build(state, 1.0, np.random.default_rng(0)).routes
        assert sorted(everything) == list(range(8))


@pytest.mark.parametrize("kind", KINDS)
def test_it_improves_on_the_start_and_stays_feasible(kind: str) -> None:
    instance = medium(kind, n=100)
    begin = Routes(first(instance))
    result = here(instance, "routing_lns", start=begin, iterations=6)
    assert result.rejected == 0
    assert result.objective is not None
    assert result.objective < lengths(instance)
    assert result.stopped_by is StoppedBy.ITERATIONS
    assert len(result.steps) == 6
    values = [point.objective for point in result.trace]
    assert values[0] == lengths(instance)
    assert values == sorted(values, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_counted_steps_repeats_itself(kind: str) -> None:
    instance = medium(kind, n=60)
    one, two, other = (here(instance, "routing_lns", iterations=6, seed=seed) for seed in (5, 5, 6))

    def account(result: Result) -> list[dict[str, object]]:
        return [{k: v for k, v in step.items() if k != "seconds"} for step in result.steps]

    assert account(one) == account(two)
    assert one.solution == two.solution
    assert account(one) != account(other)


def test_a_fleet_that_insertion_cannot_keep_is_left_to_pyvrp() -> None:
    instance = medium("vrptw", n=40, seed=4)
    routes = first(instance)
    tight = type(instance).from_dict(instance.to_dict() | {"vehicles": len(routes) - 1})
    result = here(tight, "routing_lns", iterations=4)
    assert result.rejected == 0
    assert result.objective is not None


def test_tiny_instances_end_by_themselves() -> None:
    assert here(alone(1), "routing_lns").objective == 10
    result = here(alone(3), "routing_lns", iterations=5)
    assert result.objective == 10


def test_sectors_need_coordinates() -> None:
    instance = explicit(medium("cvrp"), np.random.default_rng(4))
    result = here(instance, "routing_lns", iterations=8, options={"searchers": "sisr", "opening": 0})
    assert {step["operator"] for step in result.steps if step["ending"] == "empty"} == {"sector"}
    assert {step["operator"] for step in result.steps if step["ending"] != "empty"} == {"neighbours"}
    assert result.objective is not None
    assert result.objective < lengths(instance)


@pytest.mark.parametrize("searcher", ["sisr", "pyvrp"])
def test_it_stops_soon_when_asked(searcher: str) -> None:
    instance = medium("cvrp", n=300)
    events: list[Event] = []
    session = Session(Budget(threads=1, time_limit=120.0), time.monotonic() + 120, events.append)
    solver = RoutingLns(searchers=searcher, opening=0.0)
    thread = threading.Thread(target=solver.run, args=(instance, session))
    thread.start()
    while not any(event.step for event in events):
        time.sleep(0.01)
    session.request_stop()
    thread.join(20)
    assert not thread.is_alive()


def test_what_cannot_be_searched_is_refused() -> None:
    instance = medium("vrptw")
    assert RoutingLns(searchers="sisr").why_not(instance) == "sisr cannot search its parts"
    assert RoutingLns().why_not(instance) is None


@pytest.mark.parametrize(
    "options",
    [{"operators": "sector,nothing"}, {"searchers": "lkh"}, {"part": 1}, {"opening": 1.0}, {"policy": "luck"}],
)
def test_unknown_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        here(alone(3), "routing_lns", iterations=1, options=options)

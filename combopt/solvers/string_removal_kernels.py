"""The loop of slack induction by string removals (Christiaens and Vanden Berghe 2020), for numba.

Routes are doubly linked lists; 0, the depot, stands at both ends.  An iteration removes strings of customers from
neighbouring routes and inserts them greedily elsewhere; what is not accepted is undone step by step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]
Near = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

# rows of Plan.at
AFTER, BEFORE, ROUTE, BEST_AFTER, BEST_BEFORE, MOVED, LEFT, RIGHT, HOME, ORDER = range(10)
# rows of Plan.of
LOAD, SIZE, UNUSED, TOUCHED = range(4)
# places in Plan.info
STATE, FREE, REMOVED = range(3)
# places in Plan.value
COST, BEST = range(2)


# how distances are found (Problem.rule)
MATRIX, NEAREST, EXACT, TENTHS, UP = range(5)


class Problem(NamedTuple):
    """What does not change: ``matrix: float32[n, n]`` with its transpose ``back``, or ``points: float64[n, 2]``, as
    ``rule`` says; ``near: int32[n, k]`` (customers, nearest first, filled up with 0); ``demand: int64[n]``,
    ``service: float64[n]``, and the limits of a route.  Routes that are not ``closed`` end at their last customer.
    """

    rule: int
    matrix: Matrix
    back: Matrix
    points: Points
    closed: bool
    near: Near
    demand: Ints
    service: Floats
    capacity: int
    limit: float


class Settings(NamedTuple):
    """Average number of customers removed, longest string, probability that a string is split and that the part
    kept grows, probability of a blink; and how many neighbours an insertion looks at."""

    removals: int
    longest: int
    split: float
    deeper: float
    blink: float
    places: int


class Plan(NamedTuple):
    """Routes of a set of customers; those elsewhere have the route -1.

    ``at: int64[10, n]`` holds, by customer: who comes after and before, the route, the same for the best routes; and
    the log of an iteration: who was removed, from between whom and which route, and the order of insertion with
    ``key: float64[n]``.  ``of: int64[4, r]`` holds, by route: load, size, the stack of unused routes, and the
    iteration that last took from it; ``length: float64[r]`` its length.  ``leg: float64[n]`` is the way from a
    customer to the next.  ``members: int64[m]`` is the set.
    """

    at: Table
    of: Table
    length: Floats
    leg: Floats
    key: Floats
    members: Ints
    info: Ints
    value: Floats


def distance(problem: Problem, i: int, j: int) -> float:
    """The way from ``i`` to ``j``; 0 into the depot if routes are open."""
    if problem.rule == MATRIX:
        return float(problem.matrix[i, j])
    if i == j or (j == 0 and not problem.closed):
        return 0.0
    x = problem.points[i, 0] - problem.points[j, 0]
    y = problem.points[i, 1] - problem.points[j, 1]
    length = math.sqrt(x * x + y * y)
    if problem.rule == NEAREST:
        return math.floor(length + 0.5)
    if problem.rule == TENTHS:
        return math.floor(10.0 * length + 1e-9)
    if problem.rule == UP:
        return math.ceil(length)
    return length


def distance_from(problem: Problem, j: int, i: int) -> float:
    """The way from ``i`` to ``j``, quick for many ``i`` in a row: what it reads lies together."""
    if problem.rule == MATRIX:
        return float(problem.back[j, i])
    return distance(problem, i, j)


def draw(plan: Plan) -> float:
    """A random number in [0, 1): the linear congruential generator of drand48."""
    state = (int(plan.info[STATE]) * 25214903917 + 11) & 281474976710655
    plan.info[STATE] = state
    return state / 281474976710656.0


def take_out(problem: Problem, plan: Plan, customer: int) -> None:
    """Remove a customer from its route."""
    before, after, r = plan.at[BEFORE, customer], plan.at[AFTER, customer], plan.at[ROUTE, customer]
    joined = distance(problem, before, after)
    change = joined - distance_from(problem, customer, before) - plan.leg[customer]
    if before:
        plan.at[AFTER, before] = after
        plan.leg[before] = joined
    if after:
        plan.at[BEFORE, after] = before
    plan.at[ROUTE, customer] = -1
    plan.of[LOAD, r] -= problem.demand[customer]
    plan.of[SIZE, r] -= 1
    plan.length[r] += change - problem.service[customer]
    plan.value[COST] += change
    if plan.of[SIZE, r] == 0:
        plan.length[r] = 0.0
        plan.of[UNUSED, plan.info[FREE]] = r
        plan.info[FREE] += 1


def put_in(problem: Problem, plan: Plan, customer: int, before: int, after: int, r: int) -> None:
    """Insert a customer between two neighbours of route ``r``; an unused route must be the top of the stack."""
    if plan.of[SIZE, r] == 0:
        plan.info[FREE] -= 1
    there, onward = distance_from(problem, customer, before), distance(problem, customer, after)
    change = there + onward - (plan.leg[before] if before else distance(problem, 0, after))
    plan.at[BEFORE, customer], plan.at[AFTER, customer] = before, after
    plan.leg[customer] = onward
    if before:
        plan.at[AFTER, before] = customer
        plan.leg[before] = there
    if after:
        plan.at[BEFORE, after] = customer
    plan.at[ROUTE, customer] = r
    plan.of[LOAD, r] += problem.demand[customer]
    plan.of[SIZE, r] += 1
    plan.length[r] += change + problem.service[customer]
    plan.value[COST] += change


def log_out(problem: Problem, plan: Plan, customer: int) -> None:
    """Remove a customer and note where it was."""
    k = plan.info[REMOVED]
    plan.at[MOVED, k] = customer
    plan.at[LEFT, k], plan.at[RIGHT, k] = plan.at[BEFORE, customer], plan.at[AFTER, customer]
    plan.at[HOME, k] = plan.at[ROUTE, customer]
    plan.info[REMOVED] = k + 1
    take_out(problem, plan, customer)


def remove_string(problem: Problem, plan: Plan, customer: int, length: int, kept: int) -> None:
    """Remove a string of ``length`` customers that holds ``customer``, but for ``kept`` in a row within it."""
    steps = int(draw(plan) * length)
    first = customer
    while steps > 0 and plan.at[BEFORE, first]:
        first = plan.at[BEFORE, first]
        steps -= 1
    # too near the end of the route, the string begins earlier
    last, reach = first, 1
    while reach < length and plan.at[AFTER, last]:
        last = plan.at[AFTER, last]
        reach += 1
    while reach < length:
        first = plan.at[BEFORE, first]
        reach += 1
    keep_from = 1 + int(draw(plan) * (length - kept)) if kept else length
    at = first
    for k in range(length):
        following = plan.at[AFTER, at]
        if k < keep_from or k >= keep_from + kept:
            log_out(problem, plan, at)
        at = following


def ruin(problem: Problem, settings: Settings, plan: Plan, iteration: int) -> None:
    """Remove strings from routes near a random customer (section 5.2)."""
    plan.info[REMOVED] = 0
    members = len(plan.members)
    used = len(plan.length) - plan.info[FREE]
    longest = min(float(settings.longest), members / used)
    most = 4.0 * settings.removals / (1.0 + longest) - 1.0
    strings = int(draw(plan) * most + 1.0)
    seed = plan.members[int(draw(plan) * members)]
    done = 0
    for k in range(-1, problem.near.shape[1]):
        customer = seed if k < 0 else problem.near[seed, k]
        if k >= 0 and customer == 0:
            break
        r = plan.at[ROUTE, customer]
        if r < 0 or plan.of[TOUCHED, r] == iteration:
            continue
        plan.of[TOUCHED, r] = iteration
        size = plan.of[SIZE, r]
        length = int(draw(plan) * min(float(size), longest) + 1.0)
        length = min(length, size)
        kept = 0
        if 1 < length < size and draw(plan) < settings.split:
            kept = 1
            while length + kept < size and draw(plan) < settings.deeper:
                kept += 1
        remove_string(problem, plan, customer, length + kept, kept)
        done += 1
        if done >= strings:
            break


def sort_removed(problem: Problem, plan: Plan) -> None:
    """Order the removed customers at random, by demand, or by distance from the depot, far or near first."""
    count = plan.info[REMOVED]
    kind = draw(plan) * 11.0
    for k in range(count):
        customer = plan.at[MOVED, k]
        plan.at[ORDER, k] = customer
        if kind < 4.0:
            plan.key[k] = draw(plan)
        elif kind < 8.0:
            plan.key[k] = -float(problem.demand[customer])
        elif kind < 10.0:
            plan.key[k] = -distance(problem, 0, customer)
        else:
            plan.key[k] = distance(problem, 0, customer)
    for k in range(1, count):
        customer, key, j = plan.at[ORDER, k], plan.key[k], k - 1
        while j >= 0 and plan.key[j] > key:
            plan.key[j + 1], plan.at[ORDER, j + 1] = plan.key[j], plan.at[ORDER, j]
            j -= 1
        plan.key[j + 1], plan.at[ORDER, j + 1] = key, customer


def recreate(problem: Problem, settings: Settings, plan: Plan) -> int:
    """Insert the removed customers, each at its cheapest place, some places overlooked (section 5.3); how many went
    in before one did not fit anywhere."""
    count = plan.info[REMOVED]
    for k in range(count):
        customer = plan.at[ORDER, k]
        room = problem.capacity - problem.demand[customer]
        spare = problem.limit - problem.service[customer]
        cost, before, after, target = math.inf, 0, 0, -1
        to_depot, from_depot = distance(problem, customer, 0), distance(problem, 0, customer)
        if plan.info[FREE] and to_depot + from_depot <= spare:
            cost, target = to_depot + from_depot, plan.of[UNUSED, plan.info[FREE] - 1]
        for p in range(settings.places):
            v = problem.near[customer, p]
            r = plan.at[ROUTE, v]
            if v == 0:
                break
            if r < 0 or plan.of[LOAD, r] > room or draw(plan) < settings.blink:
                continue
            w = plan.at[AFTER, v]
            change = distance_from(problem, customer, v) + distance(problem, customer, w) - plan.leg[v]
            if change < cost and plan.length[r] + change <= spare:
                cost, before, after, target = change, v, w, r
            w = plan.at[BEFORE, v]
            change = distance_from(problem, customer, w) + distance(problem, customer, v)
            change -= plan.leg[w] if w else distance(problem, 0, v)
            if change < cost and plan.length[r] + change <= spare:
                cost, before, after, target = change, w, v, r
        if target < 0:
            return k
        put_in(problem, plan, customer, before, after, target)
    return count


def undo(problem: Problem, plan: Plan, inserted: int) -> None:
    """Put everything back to where it was before the iteration."""
    for k in range(inserted - 1, -1, -1):
        take_out(problem, plan, plan.at[ORDER, k])
    for k in range(plan.info[REMOVED] - 1, -1, -1):
        put_in(problem, plan, plan.at[MOVED, k], plan.at[LEFT, k], plan.at[RIGHT, k], plan.at[HOME, k])


def search(problem: Problem, settings: Settings, plan: Plan, first: int, iterations: int, temperature: float) -> None:
    """Iterations of ruin and recreate, accepted as in simulated annealing at one temperature (section 5.4).

    ``first`` is the number of the first iteration, larger than any before.  The best routes are kept in
    ``best_after`` and ``best_before``.
    """
    for iteration in range(first, first + iterations):
        old = plan.value[COST]
        ruin(problem, settings, plan, iteration)
        sort_removed(problem, plan)
        inserted = recreate(problem, settings, plan)
        if inserted < plan.info[REMOVED] or plan.value[COST] >= old - temperature * math.log(1.0 - draw(plan)):
            undo(problem, plan, inserted)
            plan.value[COST] = old
        elif plan.value[COST] < plan.value[BEST] * (1.0 - 1e-9):
            plan.value[BEST] = plan.value[COST]
            for customer in plan.members:
                plan.at[BEST_AFTER, customer] = plan.at[AFTER, customer]
                plan.at[BEST_BEFORE, customer] = plan.at[BEFORE, customer]

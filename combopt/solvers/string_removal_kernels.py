"""The loop of slack induction by string removals (Christiaens and Vanden Berghe 2020), for numba.

Routes are doubly linked lists; 0, the depot, stands at both ends.  An iteration removes strings of customers from
neighbouring routes and inserts them greedily elsewhere; what is not accepted is undone step by step.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

# places in Plan.info
STATE, FREE, REMOVED = range(3)
# places in Plan.value
COST, BEST = range(2)


class Problem(NamedTuple):
    """What does not change: ``matrix: float32[n, n]``, ``near: int32[n, k]`` (customers, nearest first, filled up
    with 0), ``demand: int64[n]``, ``service: float64[n]``, and the limits of a route."""

    matrix: Any
    near: Any
    demand: Any
    service: Any
    capacity: int
    limit: float


class Settings(NamedTuple):
    """The parameters of the paper: average number of customers removed, longest string, probability that a string
    is split and that the part kept grows, probability of a blink; and how many neighbours an insertion looks at."""

    removals: int
    longest: int
    split: float
    deeper: float
    blink: float
    places: int


class Plan(NamedTuple):
    """Routes of a set of customers; those elsewhere have the route -1.

    By customer: ``after, before, route, best_after, best_before: int64[n]``.  By route: ``load, size: int64[r]``,
    ``length: float64[r]``.  ``free: int64[r]`` is the stack of unused routes and ``members: int64[m]`` the set.
    ``moved, left, right, home, key`` log what an iteration removes, in order; ``touched: int64[r]`` has the
    iteration that last took from a route.
    """

    after: Any
    before: Any
    route: Any
    load: Any
    size: Any
    length: Any
    free: Any
    members: Any
    moved: Any
    left: Any
    right: Any
    home: Any
    order: Any
    key: Any
    touched: Any
    best_after: Any
    best_before: Any
    info: Any
    value: Any


def draw(plan: Plan) -> float:
    """A random number in [0, 1): the linear congruential generator of drand48."""
    state = (int(plan.info[STATE]) * 25214903917 + 11) & 281474976710655
    plan.info[STATE] = state
    return state / 281474976710656.0


def take_out(problem: Problem, plan: Plan, customer: int) -> None:
    """Remove a customer from its route."""
    d = problem.matrix
    before, after, r = plan.before[customer], plan.after[customer], plan.route[customer]
    change = float(d[before, after]) - float(d[before, customer]) - float(d[customer, after])
    if before:
        plan.after[before] = after
    if after:
        plan.before[after] = before
    plan.route[customer] = -1
    plan.load[r] -= problem.demand[customer]
    plan.size[r] -= 1
    plan.length[r] += change - problem.service[customer]
    plan.value[COST] += change
    if plan.size[r] == 0:
        plan.length[r] = 0.0
        plan.free[plan.info[FREE]] = r
        plan.info[FREE] += 1


def put_in(problem: Problem, plan: Plan, customer: int, before: int, after: int, r: int) -> None:
    """Insert a customer between two neighbours of route ``r``; an unused route must be the top of the stack."""
    d = problem.matrix
    if plan.size[r] == 0:
        plan.info[FREE] -= 1
    change = float(d[before, customer]) + float(d[customer, after]) - float(d[before, after])
    plan.before[customer], plan.after[customer] = before, after
    if before:
        plan.after[before] = customer
    if after:
        plan.before[after] = customer
    plan.route[customer] = r
    plan.load[r] += problem.demand[customer]
    plan.size[r] += 1
    plan.length[r] += change + problem.service[customer]
    plan.value[COST] += change


def log_out(problem: Problem, plan: Plan, customer: int) -> None:
    """Remove a customer and note where it was."""
    k = plan.info[REMOVED]
    plan.moved[k] = customer
    plan.left[k], plan.right[k] = plan.before[customer], plan.after[customer]
    plan.home[k] = plan.route[customer]
    plan.info[REMOVED] = k + 1
    take_out(problem, plan, customer)


def ruin(problem: Problem, settings: Settings, plan: Plan, iteration: int) -> None:
    """Remove strings from routes near a random customer (section 5.2)."""
    plan.info[REMOVED] = 0
    members = len(plan.members)
    used = len(plan.free) - plan.info[FREE]
    longest = min(float(settings.longest), members / used)
    most = 4.0 * settings.removals / (1.0 + longest) - 1.0
    strings = int(draw(plan) * most + 1.0)
    seed = plan.members[int(draw(plan) * members)]
    done = 0
    for k in range(-1, problem.near.shape[1]):
        customer = seed if k < 0 else problem.near[seed, k]
        if k >= 0 and customer == 0:
            break
        r = plan.route[customer]
        if r < 0 or plan.touched[r] == iteration:
            continue
        plan.touched[r] = iteration
        size = plan.size[r]
        length = int(draw(plan) * min(float(size), longest) + 1.0)
        length = min(length, size)
        kept = 0
        if 1 < length < size and draw(plan) < settings.split:
            kept = 1
            while length + kept < size and draw(plan) > settings.deeper:
                kept += 1
        remove_string(problem, plan, customer, length + kept, kept)
        done += 1
        if done >= strings:
            break


def remove_string(problem: Problem, plan: Plan, customer: int, length: int, kept: int) -> None:
    """Remove a string of ``length`` customers that holds ``customer``, but for ``kept`` in a row within it."""
    steps = int(draw(plan) * length)
    first = customer
    while steps > 0 and plan.before[first]:
        first = plan.before[first]
        steps -= 1
    # too near the end of the route, the string begins earlier
    last, reach = first, 1
    while reach < length and plan.after[last]:
        last = plan.after[last]
        reach += 1
    while reach < length:
        first = plan.before[first]
        reach += 1
    keep_from = 1 + int(draw(plan) * (length - kept)) if kept else length
    at = first
    for k in range(length):
        following = plan.after[at]
        if k < keep_from or k >= keep_from + kept:
            log_out(problem, plan, at)
        at = following


def sort_removed(problem: Problem, plan: Plan) -> None:
    """Order the removed customers at random, by demand, or by distance from the depot, far or near first."""
    count = plan.info[REMOVED]
    kind = draw(plan) * 11.0
    for k in range(count):
        customer = plan.moved[k]
        plan.order[k] = customer
        if kind < 4.0:
            plan.key[k] = draw(plan)
        elif kind < 8.0:
            plan.key[k] = -float(problem.demand[customer])
        elif kind < 10.0:
            plan.key[k] = -float(problem.matrix[0, customer])
        else:
            plan.key[k] = float(problem.matrix[0, customer])
    for k in range(1, count):
        customer, key, j = plan.order[k], plan.key[k], k - 1
        while j >= 0 and plan.key[j] > key:
            plan.key[j + 1], plan.order[j + 1] = plan.key[j], plan.order[j]
            j -= 1
        plan.key[j + 1], plan.order[j + 1] = key, customer


def recreate(problem: Problem, settings: Settings, plan: Plan) -> int:
    """Insert the removed customers, each at its cheapest place, some places overlooked (section 5.3); how many went
    in before one did not fit anywhere."""
    d = problem.matrix
    count = plan.info[REMOVED]
    for k in range(count):
        customer = plan.order[k]
        room = problem.capacity - problem.demand[customer]
        spare = problem.limit - problem.service[customer]
        cost, before, after, target = math.inf, 0, 0, -1
        to_depot, from_depot = float(d[customer, 0]), float(d[0, customer])
        if plan.info[FREE] and to_depot + from_depot <= spare:
            cost, target = to_depot + from_depot, plan.free[plan.info[FREE] - 1]
        for p in range(settings.places):
            v = problem.near[customer, p]
            r = plan.route[v]
            if v == 0:
                break
            if r < 0 or plan.load[r] > room or draw(plan) < settings.blink:
                continue
            there, back = float(d[v, customer]), float(d[customer, v])
            w = plan.after[v]
            change = there + float(d[customer, w]) - float(d[v, w])
            if change < cost and plan.length[r] + change <= spare:
                cost, before, after, target = change, v, w, r
            w = plan.before[v]
            change = float(d[w, customer]) + back - float(d[w, v])
            if change < cost and plan.length[r] + change <= spare:
                cost, before, after, target = change, w, v, r
        if target < 0:
            return k
        put_in(problem, plan, customer, before, after, target)
    return count


def undo(problem: Problem, plan: Plan, inserted: int) -> None:
    """Put everything back to where it was before the iteration."""
    for k in range(inserted - 1, -1, -1):
        take_out(problem, plan, plan.order[k])
    for k in range(plan.info[REMOVED] - 1, -1, -1):
        put_in(problem, plan, plan.moved[k], plan.left[k], plan.right[k], plan.home[k])


def search(
    problem: Problem, settings: Settings, plan: Plan, first: int, iterations: int, temperature: float
) -> None:
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
                plan.best_after[customer] = plan.after[customer]
                plan.best_before[customer] = plan.before[customer]

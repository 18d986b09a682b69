"""The loops of the robust knapsack, for :func:`~combopt.solvers.compiled.compiled`.

Best recourse: every item is left, produced, or produced and repaired: a knapsack with up to three choices a class.
The search starts from the greedy solution of the linear relaxation and expands a core of classes around the break
slope, as Pisinger's mcknap does (European Journal of Operational Research 83, 1995): a list of undominated states by
weight, each cut off by the best slopes of the classes not yet expanded.

Game: the adversary picks a scenario of the budget set, the other side a mixture of recourse plans.  It is solved by
cutting planes over scenarios, each cut a best recourse.  The linear program is kept as a dense dictionary with one
column more than items, and reoptimised by the dual simplex method.  Nothing relies on its rounding: upper bounds are
exact best responses to a scenario inside the set, lower bounds the exact worst case of a mixture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from combopt.model import Floats, Ints

Table = npt.NDArray[np.int64]
Points = npt.NDArray[np.float64]
FAR = 1 << 62
"""More than any weight."""

MARGIN = 1e-12
"""Relative slack of the cut-off, against rounding of the sums."""
SAME = 1e-11
"""Relative difference up to which a plan is no better than another."""
CLOSED = 1e-10
"""Relative gap at which a game counts as solved."""
SLACK = 1e-7
"""Violation of a cut that counts; a thousandth of it for an entry of a scenario."""
SMOOTHING = 0.5


def ascending(keys: Floats, n: int) -> Ints:
    """The order of the first ``n`` keys, by Shell sort: they are few, and numpy's takes seconds to compile."""
    order = np.arange(n)
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, n):
            moved = order[i]
            key = keys[moved]
            j = i
            while j >= gap and keys[order[j - gap]] > key:
                order[j] = order[j - gap]
                j -= gap
            order[j] = moved
        gap //= 3
    return order


def respond(
    light: Ints, heavy: Ints, plain: Floats, full: Floats, capacity: int, floor: float, plan: Ints
) -> float:  # fmt: skip
    """The highest total gain within the capacity, if it is above ``floor``; else ``floor``.

    Item i gains ``plain[i]`` at the weight ``light[i]`` or ``full[i]`` at ``heavy[i]``, at least the light one.
    ``plan`` gets 0, 1 or 2 for every item, and -1 in its first entry if nothing is above ``floor``.
    """
    n = len(light)
    # the choices of every item: weight and gain, by increasing both; none is dominated by what is before it
    w = np.zeros((n, 2), np.int64)
    p = np.zeros((n, 2))
    mode = np.zeros((n, 2), np.int64)
    count = np.zeros(n, np.int64)
    step_slope = np.empty(2 * n)
    step_item = np.empty(2 * n, np.int64)
    step_level = np.empty(2 * n, np.int64)
    steps = 0
    for i in range(n):
        k = 0
        if plain[i] > 0.0 and light[i] <= capacity and not (heavy[i] == light[i] and full[i] >= plain[i]):
            w[i, 0], p[i, 0], mode[i, 0] = light[i], plain[i], 1
            k = 1
        if full[i] > 0.0 and heavy[i] <= capacity and (k == 0 or full[i] > plain[i]):
            w[i, k], p[i, k], mode[i, k] = heavy[i], full[i], 2
            k += 1
        count[i] = k
        if k == 0:
            continue
        first = p[i, 0] / w[i, 0] if w[i, 0] > 0 else np.inf
        if k == 2:
            second = (p[i, 1] - p[i, 0]) / (w[i, 1] - w[i, 0])
            if second >= first:
                first = p[i, 1] / w[i, 1]
                step_slope[steps], step_item[steps], step_level[steps] = first, i, 2
                steps += 1
                continue
            step_slope[steps + 1], step_item[steps + 1], step_level[steps + 1] = second, i, 2
        step_slope[steps], step_item[steps], step_level[steps] = first, i, 1
        steps += k
    for k in range(steps):
        step_slope[k] = -step_slope[k]
    order = ascending(step_slope, steps)

    # greedy solution of the relaxation up to the break step, and greedily on from there
    level = np.zeros(n, np.int64)
    weight = 0
    gain = 0.0
    at = 0
    while at < steps:
        s = order[at]
        i = step_item[s]
        to = step_level[s]
        dw = w[i, to - 1] - (w[i, level[i] - 1] if level[i] > 0 else 0)
        dp = p[i, to - 1] - (p[i, level[i] - 1] if level[i] > 0 else 0.0)
        if weight + dw > capacity:
            break
        weight += dw
        gain += dp
        level[i] = to
        at += 1
    best = floor
    plan[0] = -1
    if at == steps:
        if gain > best:
            best = gain
            for i in range(n):
                plan[i] = mode[i, level[i] - 1] if level[i] > 0 else 0
        return best
    slope = -step_slope[order[at]]
    more = level.copy()
    room = capacity - weight
    total = gain
    for a in range(at, steps):
        s = order[a]
        i = step_item[s]
        to = step_level[s]
        if to <= more[i]:
            continue
        dw = w[i, to - 1] - (w[i, more[i] - 1] if more[i] > 0 else 0)
        if dw <= room:
            total += p[i, to - 1] - (p[i, more[i] - 1] if more[i] > 0 else 0.0)
            room -= dw
            more[i] = to
    if total > best:
        best = total
        for i in range(n):
            plan[i] = mode[i, more[i] - 1] if more[i] > 0 else 0

    # how far the slopes of every class are from the break slope, and the order in which classes join the core
    up = np.zeros(n)
    down = np.full(n, np.inf)
    near = np.full(n, np.inf)
    for i in range(n):
        bw = w[i, level[i] - 1] if level[i] > 0 else 0
        bp = p[i, level[i] - 1] if level[i] > 0 else 0.0
        for c in range(count[i] + 1):
            if c == level[i]:
                continue
            cw = w[i, c - 1] if c > 0 else 0
            cp = p[i, c - 1] if c > 0 else 0.0
            if cw > bw:
                up[i] = max(up[i], (cp - bp) / (cw - bw))
            elif cw < bw:
                down[i] = min(down[i], (bp - cp) / (bw - cw))
        if count[i] > 0:
            near[i] = min(slope - up[i], down[i] - slope)
    core = ascending(near, n)
    classes = 0
    while classes < n and near[core[classes]] < np.inf:
        classes += 1
    gains = np.zeros(classes + 1)  # best slope of what is left after so many classes
    losses = np.full(classes + 1, np.inf)
    for k in range(classes - 1, -1, -1):
        gains[k] = max(gains[k + 1], up[core[k]])
        losses[k] = min(losses[k + 1], down[core[k]])

    size = 256
    sw, sp = np.empty(size, np.int64), np.empty(size)
    nw, np_ = np.empty(3 * size, np.int64), np.empty(3 * size)
    trace = np.empty(4096, np.int64)
    starts = np.zeros(classes + 2, np.int64)
    sw[0], sp[0] = weight, gain
    trace[0] = 0
    states = 1
    used = 1
    starts[1] = 1
    best_stage = -1
    best_state = 0
    if gain > best:  # impossible after the greedy completion, but for rounding
        best, best_stage = gain, 0
    margin = MARGIN * max(abs(gain), 1.0)
    for k in range(classes):
        i = core[k]
        bw = w[i, level[i] - 1] if level[i] > 0 else 0
        bp = p[i, level[i] - 1] if level[i] > 0 else 0.0
        aw = bw_ = 0
        ap = bp_ = 0.0
        others = 0
        ac = bc = 0
        for c in range(count[i] + 1):
            if c == level[i]:
                continue
            cw = (w[i, c - 1] if c > 0 else 0) - bw
            cp = (p[i, c - 1] if c > 0 else 0.0) - bp
            if others == 0:
                aw, ap, ac = cw, cp, c
            else:
                bw_, bp_, bc = cw, cp, c
            others += 1
        if 3 * states > len(nw):
            nw, np_ = np.empty(6 * states, np.int64), np.empty(6 * states)
        if used + 3 * states > len(trace):
            longer = np.empty(2 * (used + 3 * states), np.int64)
            for a in range(used):
                longer[a] = trace[a]
            trace = longer
        x = 0
        y = 0 if others >= 1 else states
        z = 0 if others == 2 else states
        made = 0
        lead = -np.inf
        gain_left, loss_left = gains[k + 1], losses[k + 1]
        while x < states or y < states or z < states:
            wx = sw[x] if x < states else FAR
            wy = sw[y] + aw if y < states else FAR
            wz = sw[z] + bw_ if z < states else FAR
            if wx <= wy and wx <= wz:
                vw, vp, tag = wx, sp[x], 4 * x + level[i]
                x += 1
            elif wy <= wz:
                vw, vp, tag = wy, sp[y] + ap, 4 * y + ac
                y += 1
            else:
                vw, vp, tag = wz, sp[z] + bp_, 4 * z + bc
                z += 1
            if vp <= lead:
                continue
            lead = vp
            slack = capacity - vw
            if slack >= 0:
                bound = vp + slack * gain_left
            elif loss_left == np.inf:
                continue
            else:
                bound = vp + slack * loss_left
            better = slack >= 0 and vp > best
            if bound <= best + margin and not better:
                continue
            if made > 0 and nw[made - 1] == vw:
                made -= 1
            nw[made], np_[made] = vw, vp
            trace[used + made] = tag
            if better:
                best, best_stage, best_state = vp, k + 1, made
            made += 1
        sw, sp, nw, np_ = nw, np_, sw, sp
        states = made
        used += made
        starts[k + 2] = used
        if states == 0:
            break
    if best_stage >= 0:
        for i in range(n):
            plan[i] = mode[i, level[i] - 1] if level[i] > 0 else 0
        for k in range(best_stage, 0, -1):
            tag = trace[starts[k] + best_state]
            i = core[k - 1]
            c = tag & 3
            plan[i] = mode[i, c - 1] if c > 0 else 0
            best_state = tag >> 2
    return best


def worst(exposed: Floats, budget: float) -> float:
    """The largest loss over scenarios of the budget set: the ``budget`` largest entries, a fraction of the next."""
    whole = min(int(budget), len(exposed))
    n = len(exposed)
    keys = np.empty(n)
    for i in range(n):
        keys[i] = -exposed[i]
    order = ascending(keys, n)
    total = 0.0
    for k in range(whole):
        total += exposed[order[k]]
    if whole < len(exposed):
        total += (budget - whole) * exposed[order[whole]]
    return total


def mixture(gain: Floats, deviation: Floats, budget: float, plans: Table, count: int, weights: Floats) -> float:
    """The guaranteed value of a mixture of the first ``count`` plans."""
    n = len(gain)
    exposed = np.zeros(n)
    value = 0.0
    for k in range(count):
        if weights[k] > 0.0:
            for i in range(n):
                if plans[k, i] > 0:
                    value += weights[k] * gain[i]
                    if plans[k, i] == 1:
                        exposed[i] += weights[k] * deviation[i]
    return value - worst(exposed, budget)


def reoptimise(
    table: Points, cost: Floats, row_var: Ints, row_value: Floats, rows: int, col_var: Ints, col_value: Floats,
    theta: float, items: int, most: int,
) -> float:  # fmt: skip
    """Dual simplex steps until all basic variables are within their bounds; the new value of the objective.

    Row r is a basic variable as a linear function of the columns, ``cost`` likewise the objective.  Variables below
    ``items`` are scenario entries within 0 and 1, the others slacks, none negative.
    """
    columns = len(cost)
    for _ in range(most):
        r = -1
        largest = SLACK / 1000
        rising = True
        for k in range(rows):
            scale = 1.0 if row_var[k] < items else 1e-3
            if -row_value[k] * scale > largest:
                r, largest, rising = k, -row_value[k] * scale, True
            elif row_var[k] < items and row_value[k] - 1.0 > largest:
                r, largest, rising = k, row_value[k] - 1.0, False
        if r < 0:
            break
        sign = 1.0 if rising else -1.0
        enter = -1
        ratio = np.inf
        size = 0.0
        for j in range(columns):
            a = sign * table[r, j]
            if (col_value[j] > 0.5 and a < -1e-9) or (col_value[j] <= 0.5 and a > 1e-9):
                q = max(cost[j] / a, 0.0)
                if q < ratio - 1e-12 or (q <= ratio + 1e-12 and abs(a) > size):
                    enter, ratio, size = j, min(q, ratio), abs(a)
        if enter < 0:
            break
        bound = 0.0 if rising else 1.0
        step = (bound - row_value[r]) / table[r, enter]
        for k in range(rows):
            if k != r:
                row_value[k] += table[k, enter] * step
        theta += cost[enter] * step
        row_value[r] = col_value[enter] + step
        col_value[enter] = bound
        row_var[r], col_var[enter] = col_var[enter], row_var[r]
        pivot = 1.0 / table[r, enter]
        for j in range(columns):
            table[r, j] *= -pivot
        table[r, enter] = pivot
        for k in range(rows):
            if k != r:
                f = table[k, enter]
                if f != 0.0:
                    table[k, enter] = 0.0
                    for j in range(columns):
                        table[k, j] += f * table[r, j]
        f = cost[enter]
        cost[enter] = 0.0
        for j in range(columns):
            cost[j] += f * table[r, j]
    return theta


def insert(
    table: Points, cost: Floats, row_var: Ints, row_value: Floats, rows: int, col_var: Ints, col_value: Floats,
    theta: float, gain: Floats, deviation: Floats, plan: Ints, slack_var: int,
) -> float:  # fmt: skip
    """Write the cut of a plan as row ``rows`` with its slack as basic variable; the value of the slack."""
    n = len(gain)
    columns = n + 1
    slack = theta
    for j in range(columns):
        table[rows, j] = cost[j]
    for j in range(columns):
        v = col_var[j]
        if v < n and plan[v] == 1:
            table[rows, j] += deviation[v]
            slack += deviation[v] * col_value[j]
    for r in range(rows):
        v = row_var[r]
        if v < n and plan[v] == 1:
            slack += deviation[v] * row_value[r]
            for j in range(columns):
                table[rows, j] += deviation[v] * table[r, j]
    for i in range(n):
        if plan[i] > 0:
            slack -= gain[i]
    row_var[rows] = slack_var
    row_value[rows] = slack
    return slack


def thin(table: Points, row_var: Ints, row_value: Floats, rows: int, items: int) -> int:
    """Drop the cuts whose slack is above the mean of those that are not tight; the number of rows left."""
    slacks = np.empty(rows)
    loose = 0
    for r in range(rows):
        if row_var[r] > items:
            slacks[loose] = row_value[r]
            loose += 1
    limit = 0.0
    for r in range(loose):
        limit += slacks[r] / loose
    kept = 0
    for r in range(rows):
        if row_var[r] <= items or row_value[r] < limit:
            if kept < r:
                for j in range(table.shape[1]):
                    table[kept, j] = table[r, j]
                row_var[kept], row_value[kept] = row_var[r], row_value[r]
            kept += 1
    return kept


def best_known(
    gain: Floats, deviation: Floats, plans: Table, count: int, scenario: Floats
) -> tuple[float, int]:  # fmt: skip
    """Value and number of the best of the first ``count`` plans in a scenario."""
    best = -np.inf
    which = -1
    for k in range(count):
        value = 0.0
        for i in range(len(gain)):
            if plans[k, i] > 0:
                value += gain[i]
                if plans[k, i] == 1:
                    value -= deviation[i] * scenario[i]
        if value > best:
            best, which = value, k
    return best, which


def clip(scenario: Floats, budget: float) -> None:
    """Put a scenario into the budget set, against rounding."""
    total = 0.0
    for i in range(len(scenario)):
        scenario[i] = min(1.0, max(0.0, scenario[i]))
        total += scenario[i]
    if total > budget:
        for i in range(len(scenario)):
            scenario[i] *= budget / total


def game(
    light: Ints, heavy: Ints, gain: Floats, deviation: Floats, capacity: int, budget: float, cutoff: float,
    stop: Ints, plans: Table, seeds: int, scenario: Floats, weights: Floats,
) -> tuple[float, float, int, int]:  # fmt: skip
    """Solve the game: min over scenarios of the max over plans of gain minus deviation times scenario where exposed.

    Parameters
    ----------
    cutoff
        The search may end as soon as the value is known not to be above it.
    stop
        One entry; where another thread sets it to 1, the search ends after the round.
    plans
        The first ``seeds`` rows are plans to begin with (modes 0, 1, 2); new ones follow, as far as there is room.
    scenario
        Where to look first, within the budget set; gets the scenario of the upper bound.
    weights
        Gets the mixture of the lower bound, one weight for every plan.

    Returns
    -------
    lower bound, upper bound, number of plans, rounds
    """
    n = len(light)
    columns = n + 1
    room = columns + 160
    table = np.empty((room, columns))
    row_var, row_value = np.empty(room, np.int64), np.empty(room)
    col_var, col_value = np.arange(columns), np.zeros(columns)
    cost = np.zeros(columns)
    theta = 0.0
    rows = 0
    xi = scenario.copy()
    at = scenario.copy()
    plain = np.empty(n)
    plan = np.zeros(n, np.int64)
    trial = np.zeros(len(weights))
    lower, upper = -np.inf, np.inf
    count = seeds
    done = 0
    rounds = 0
    smooth = 0.0
    while True:
        # a best response where we look
        known, pick = best_known(gain, deviation, plans, count, at)
        floor = max(cutoff, known + SAME * max(1.0, abs(known)))
        for i in range(n):
            plain[i] = gain[i] - deviation[i] * at[i]
        value = respond(light, heavy, plain, gain, capacity, floor, plan)
        rounds += 1
        found = plan[0] >= 0
        if value < upper:
            upper = value
            for i in range(n):
                scenario[i] = at[i]
        if upper <= cutoff or (found and count == len(plans)):
            break
        if found:
            for i in range(n):
                plans[count, i] = plan[i]
            pick = count
            count += 1
        if count == 0:
            break
        # its cut, and at first those of the plans to begin with
        moved = False
        first, last = (done, count) if done < count else (pick, pick + 1)
        for k in range(first, last):
            if rows == 0:
                # solved for the objective; entries of the scenario that cost anything start at 1
                theta = 0.0
                for i in range(n):
                    lost = deviation[i] if plans[k, i] == 1 else 0.0
                    cost[i] = -lost
                    col_value[i] = 1.0 if lost > 0.0 else 0.0
                    theta += (gain[i] if plans[k, i] > 0 else 0.0) - lost
                    table[0, i] = -1.0
                cost[n], col_var[n], table[0, n] = 1.0, n + 1 + k, 0.0
                row_var[0], row_value[0] = n, budget
                for i in range(n):
                    row_value[0] -= col_value[i]
                rows = 1
            else:
                if rows == room:
                    rows = thin(table, row_var, row_value, rows, n)
                slack = insert(
                    table, cost, row_var, row_value, rows, col_var, col_value, theta, gain, deviation, plans[k],
                    n + 1 + k,
                )  # fmt: skip
                if k >= done or slack < -SLACK:
                    rows += 1
                if slack >= -SLACK:
                    continue
            moved = True
            theta = reoptimise(table, cost, row_var, row_value, rows, col_var, col_value, theta, n, 50 * columns)
        done = count
        # the mixture and the scenario of the linear program
        for k in range(count):
            trial[k] = 0.0
        mass = 0.0
        for j in range(columns):
            v = col_var[j]
            if v > n and cost[j] > 0.0:
                trial[v - n - 1] = cost[j]
                mass += cost[j]
            elif v < n:
                xi[v] = col_value[j]
        for r in range(rows):
            if row_var[r] < n:
                xi[row_var[r]] = row_value[r]
        clip(xi, budget)
        if mass > 0.0:
            for k in range(count):
                trial[k] /= mass
            guaranteed = mixture(gain, deviation, budget, plans, count, trial)
            if guaranteed > lower:
                lower = guaranteed
                for k in range(count):
                    weights[k] = trial[k]
        if upper - lower <= CLOSED * max(1.0, abs(upper)) or stop[0] != 0:
            break
        if not moved and smooth == 0.0:
            break  # stalled by rounding
        # between the best scenario and that of the program (Wentges 1997); at the latter if that led nowhere
        smooth = 0.0
        if moved and found:
            smooth = SMOOTHING
        for i in range(n):
            at[i] = smooth * scenario[i] + (1.0 - smooth) * xi[i]
    return lower, upper, count, rounds

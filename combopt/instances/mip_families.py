"""Random mixed-integer programs: the four families of learning for branch and bound, and a mixed bag for tests.

Set covering, auctions, facility location and independent sets follow Gasse et al., "Exact combinatorial optimization
with graph convolutional neural networks" (NeurIPS 2019, section 5.1), who give the original sources named below.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from combopt.instances.mip import CONTINUOUS, INTEGER, Mip, MipBuilder
from combopt.model import Floats, Sense


def set_cover(rng: np.random.Generator, n: int) -> Mip:
    """``n`` columns and ``n / 2`` rows of density 5 %, costs 1 to 100 (Balas and Ho 1980).

    Every row has at least two columns, every column at least one row.
    """
    rows = max(1, n // 2)
    cover = rng.random((rows, n)) < 0.05
    for row in range(rows):
        lacking = min(2, n) - int(cover[row].sum())
        if lacking > 0:
            cover[row, rng.choice(np.flatnonzero(~cover[row]), size=lacking, replace=False)] = True
    for column in np.flatnonzero(~cover.any(axis=0)).tolist():
        cover[rng.integers(rows), column] = True
    builder = MipBuilder(name=f"set-cover-{n}")
    for column, cost in enumerate(rng.integers(1, 101, size=n).tolist()):
        builder.binary(f"x{column}", cost)
    for row in range(rows):
        builder.row([(j, 1.0) for j in np.flatnonzero(cover[row]).tolist()], lower=1.0, name=f"cover{row}")
    return builder.build()


def facility(rng: np.random.Generator, n: int) -> Mip:
    """Capacitated facility location with ``n`` customers and ``n / 2`` sites (Cornuejols, Sridharan, Thizy 1991).

    Demands are uniform in 5..35, capacities in 10..160 and scaled to 5 times the demand, sites cost
    U(100, 110) sqrt(capacity) + U(0, 90), a unit of demand 10 times the distance in the unit square.
    """
    sites = max(2, n // 2)
    demand, capacity = rng.integers(5, 36, size=n), rng.integers(10, 161, size=sites)
    opening = rng.integers(100, 111, size=sites) * np.sqrt(capacity) + rng.integers(0, 91, size=sites)
    opening = np.rint(opening).astype(np.int64)
    capacity = np.maximum(1, np.rint(capacity * (5.0 * demand.sum() / capacity.sum()))).astype(np.int64)
    customers, places = rng.random((n, 2)), rng.random((sites, 2))
    distance = np.sqrt(((customers[:, None] - places[None]) ** 2).sum(axis=2))
    cost = np.round(distance * 10 * demand[:, None], 4)
    builder = MipBuilder(name=f"facility-{n}")
    is_open = [builder.binary(f"open{j}", float(opening[j])) for j in range(sites)]
    share = [[builder.column(f"x{i}_{j}", float(cost[i, j]), 0.0, 1.0) for j in range(sites)] for i in range(n)]
    for i in range(n):
        builder.row([(x, 1.0) for x in share[i]], lower=1.0, upper=1.0, name=f"demand{i}")
    for j in range(sites):
        terms = [(share[i][j], float(demand[i])) for i in range(n)]
        builder.row([*terms, (is_open[j], -float(capacity[j]))], upper=0.0, name=f"capacity{j}")
    builder.row([(is_open[j], float(capacity[j])) for j in range(sites)], lower=float(demand.sum()), name="total")
    for i in range(n):
        for j in range(sites):
            builder.row([(share[i][j], 1.0), (is_open[j], -1.0)], upper=0.0, name=f"link{i}_{j}")
    return builder.build()


def auction(rng: np.random.Generator, n: int) -> Mip:
    """Winner determination with ``n`` items and ``5 n`` bids: the scheme "arbitrary" of CATS (Leyton-Brown,
    Pearson, Shoham 2000, section 4.3), substitutable bids bound together by a dummy item."""
    compatible = rng.random((n, n))
    compatible = np.triu(compatible, 1) + np.triu(compatible, 1).T
    compatible /= np.maximum(compatible.sum(axis=1, keepdims=True), 1e-12)
    value = rng.integers(1, 101, size=n).astype(np.float64)
    bids: list[tuple[frozenset[int], int]] = []
    groups: list[list[int]] = []
    while len(bids) < 5 * n:
        private = value + 100 * 0.5 * (2 * rng.random(n) - 1)
        first = _bundle(rng, compatible, private)
        price = _price(first, private)
        wanted = {first: price} if price > 0 else {}
        for start in sorted(first):
            other = _bundle(rng, compatible, private, start, len(first))
            resale = sum(value[i] for i in other) >= 0.5 * sum(value[i] for i in first)
            if 0 < (offer := _price(other, private)) <= 1.5 * price and resale and len(wanted) < 6:
                wanted.setdefault(other, offer)
        groups.append(list(range(len(bids), len(bids) + len(wanted))))
        bids += wanted.items()
    builder = MipBuilder(name=f"auction-{n}", sense=Sense.MAX)
    for number, (_, offer) in enumerate(bids):
        builder.binary(f"b{number}", float(offer))
    for item in range(n):
        takers = [(b, 1.0) for b, (bundle, _) in enumerate(bids) if item in bundle]
        if takers:
            builder.row(takers, upper=1.0, name=f"item{item}")
    for number, group in enumerate(groups):
        if len(group) > 1:
            builder.row([(b, 1.0) for b in group], upper=1.0, name=f"bidder{number}")
    return builder.build()


def _bundle(
    rng: np.random.Generator, compatible: Floats, private: Floats, start: int | None = None, size: int | None = None
) -> frozenset[int]:
    """A bundle grown from ``start`` by compatibility and private value, of ``size`` items or with chance 0.9 more."""
    n = len(private)
    worth = np.maximum(private, 1e-9)
    chosen = [int(rng.choice(n, p=worth / worth.sum())) if start is None else start]
    while len(chosen) < n and (rng.random() < 0.9 if size is None else len(chosen) < size):
        chance = compatible[chosen].mean(axis=0) * worth
        chance[chosen] = 0.0
        if not chance.sum() > 0:
            break
        chosen.append(int(rng.choice(n, p=chance / chance.sum())))
    return frozenset(chosen)


def _price(bundle: frozenset[int], private: Floats) -> int:
    """The bid for a bundle: superadditive by the exponent 1.2 of its size."""
    return math.floor(sum(private[i] for i in sorted(bundle)) + len(bundle) ** 1.2)


def independent_set(rng: np.random.Generator, n: int) -> Mip:
    """Maximum independent set on a graph of ``n`` nodes grown by preferential attachment, four edges a node
    (Barabasi and Albert 1999), its edges covered greedily by clique rows (Bergman et al. 2016, section 4.6.4)."""
    degree, neighbours = np.zeros(n), [set[int]() for _ in range(n)]
    for node in range(1, n):
        weight = degree[:node] + 1e-9
        count = min(4, node)
        for other in rng.choice(node, size=count, replace=False, p=weight / weight.sum()).tolist():
            neighbours[node].add(other)
            neighbours[other].add(node)
            degree[[node, other]] += 1
    builder = MipBuilder(name=f"independent-set-{n}", sense=Sense.MAX)
    for node in range(n):
        builder.binary(f"x{node}", 1.0)
    covered: set[tuple[int, int]] = set()
    for a in range(n):
        for b in sorted(neighbours[a]):
            if a < b and (a, b) not in covered:
                clique = _clique(neighbours, a, b)
                covered |= {(u, v) for u in clique for v in clique if u < v}
                builder.row([(v, 1.0) for v in clique], upper=1.0)
    return builder.build()


def _clique(neighbours: list[set[int]], a: int, b: int) -> list[int]:
    """A maximal clique around an edge, nodes of high degree first."""
    clique, candidates = [a, b], neighbours[a] & neighbours[b]
    while candidates:
        best = max(candidates, key=lambda v: (len(neighbours[v]), -v))
        clique.append(best)
        candidates &= neighbours[best]
    return sorted(clique)


def mixed(rng: np.random.Generator, n: int) -> Mip:
    """A small mixed program for tests: integer and continuous columns, free and negative bounds, rows of every
    form with sides around a random point, so that about nine in ten are feasible; all of them are bounded."""
    builder = MipBuilder(name=f"random-{n}", sense=Sense.MAX if rng.random() < 0.5 else Sense.MIN)
    builder.offset = float(rng.integers(-5, 6)) / 2
    point = np.zeros(n)
    for j in range(n):
        whole = rng.random() < 0.6
        low = int(rng.integers(-10, 3))
        high = low + int(rng.integers(1, 12))
        point[j] = rng.integers(low, high + 1) if whole else np.round(rng.uniform(low, high), 2)
        cost = float(rng.integers(-9, 10)) / float(rng.choice([1, 2, 4]))
        free = not whole and rng.random() < 0.2
        if free:
            builder.column(f"x{j}", 0.0, -math.inf, math.inf)
        else:
            builder.column(f"x{j}", cost, low, high, INTEGER if whole else CONTINUOUS)
    for i in range(n // 2 + 1):
        columns = rng.choice(n, size=int(rng.integers(1, n + 1)), replace=False).tolist()
        terms = [(j, float(rng.integers(-20, 21)) / float(rng.choice([1, 1, 10]))) for j in columns]
        activity = round(sum(value * point[j] for j, value in terms), 6) + (1000 if rng.random() < 0.03 else 0)
        below, above = activity - float(rng.integers(0, 9)), activity + float(rng.integers(0, 9))
        sides = [(-math.inf, above), (below, math.inf), (activity, activity), (below, above)]
        lower, upper = sides[int(rng.integers(4))]
        builder.row(terms, lower, upper, name=f"r{i}")
    return builder.build()


FAMILIES: dict[str, Callable[[np.random.Generator, int], Mip]] = {
    "set_cover": set_cover,
    "facility": facility,
    "auction": auction,
    "independent_set": independent_set,
    "random": mixed,
}
"""Name to generator of (random numbers, size)."""

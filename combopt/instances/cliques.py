"""Greedy cliques, clique covers and colourings: bounds, cuts and starts that models and solvers share."""

from __future__ import annotations

import heapq

import numpy as np

from combopt.instances.graph import Graph
from combopt.model import Ints

MANY_EDGES = 300_000
"""Edges above which bounds are content with one try, for a second of time or so."""
BITS = 20_000
"""Vertices up to which a graph is held as bits (50 MB)."""


def degeneracy(graph: Graph) -> tuple[Ints, Ints]:
    """An order that removes a vertex of least degree at a time, and core numbers (Matula and Beck 1983).

    Returns ``(order, core)``: ``core[v]`` is the largest k such that ``v`` lies in a subgraph of least degree k.
    O(n + m).
    """
    lists = graph.neighbour_lists()
    degree = graph.degrees.tolist()
    buckets: list[list[int]] = [[] for _ in range(max(degree) + 1)]
    for v, d in enumerate(degree):
        buckets[d].append(v)
    core, level, d = [-1] * graph.nodes, 0, 0
    order: list[int] = []
    while len(order) < graph.nodes:
        while not buckets[d]:
            d += 1
        v = buckets[d].pop()
        if core[v] >= 0 or degree[v] != d:
            continue  # an old entry
        level = max(level, d)
        core[v] = level
        order.append(v)
        for u in lists[v]:
            if core[u] < 0:
                degree[u] -= 1
                buckets[degree[u]].append(u)
        d = max(0, d - 1)
    return np.array(order, dtype=np.int64), np.array(core, dtype=np.int64)


def greedy_clique(graph: Graph, first: int | None = None) -> Ints:
    """A maximal clique: always the vertex of most weight per vertex that it rules out; from ``first`` if given.

    This is the minimum-degree greedy for independent sets on the complement (GWMIN of Sakai et al. 2003 with
    weights), without building it.  O(m) for the first vertex, less for the others.
    """
    edges, worth = graph.edges, graph.worth
    candidate = np.ones(graph.nodes, dtype=bool)
    clique: list[int] = []
    v = first
    while candidate.any():
        if v is None:
            inner = np.bincount(edges.ravel(), minlength=graph.nodes)
            ruled_out = int(candidate.sum()) - 1 - inner
            v = int(np.argmax(np.where(candidate, worth / (ruled_out + 1.0), -1.0)))
        clique.append(v)
        near = np.zeros(graph.nodes, dtype=bool)
        near[graph.neighbours(v)] = True
        candidate &= near
        edges = edges[candidate[edges[:, 0]] & candidate[edges[:, 1]]]
        v = None
    return np.array(sorted(clique), dtype=np.int64)


def best_greedy_clique(graph: Graph, starts: int = 20) -> Ints:
    """The heaviest of the greedy cliques from no, and from each of the ``starts`` first vertices by degree."""
    best = greedy_clique(graph)
    for v in np.argsort(-graph.degrees, kind="stable")[:starts].tolist():
        found = greedy_clique(graph, v)
        if graph.weight(found) > graph.weight(best):
            best = found
    return best


def greedy_independent(graph: Graph) -> Ints:
    """A maximal independent set: always the vertex of most weight per vertex that it rules out.

    Minimum-degree greedy, GWMIN with weights (Sakai, Togasaki and Yamazaki 2003); ties go to the lower number.
    O(m log n).
    """
    lists, degree, worth = graph.neighbour_lists(), graph.degrees.tolist(), graph.worth.tolist()
    heap = [(-worth[v] / (degree[v] + 1), v) for v in range(graph.nodes)]
    heapq.heapify(heap)
    alive = [True] * graph.nodes
    chosen = []
    while heap:
        key, v = heapq.heappop(heap)
        if not alive[v] or key != -worth[v] / (degree[v] + 1):
            continue
        chosen.append(v)
        alive[v] = False
        gone = [u for u in lists[v] if alive[u]]
        for u in gone:
            alive[u] = False
        for u in gone:
            for x in lists[u]:
                if alive[x]:
                    degree[x] -= 1
                    heapq.heappush(heap, (-worth[x] / (degree[x] + 1), x))
    return np.array(sorted(chosen), dtype=np.int64)


def dsatur(graph: Graph) -> Ints:
    """Colour of every vertex by DSATUR (Brelaz 1979): always the vertex that sees most colours, then most degree.

    Colours count from 0; ties go to the lower number.  O(m log n).
    """
    lists, degree = graph.neighbour_lists(), graph.degrees.tolist()
    colour = [-1] * graph.nodes
    seen = [0] * graph.nodes  # the colours around a vertex, as bits
    heap = [(0, -degree[v], v) for v in range(graph.nodes)]
    heapq.heapify(heap)
    while heap:
        saturation, _, v = heapq.heappop(heap)
        if colour[v] >= 0 or -saturation != seen[v].bit_count():
            continue
        free = ~seen[v]
        bit = free & -free
        colour[v] = bit.bit_length() - 1
        for u in lists[v]:
            if colour[u] < 0 and not seen[u] & bit:
                seen[u] |= bit
                heapq.heappush(heap, (-seen[u].bit_count(), -degree[u], u))
    return np.array(colour, dtype=np.int64)


def first_fit(graph: Graph, order: Ints) -> Ints:
    """Colour of every vertex when each takes, in turn, the least colour that its neighbours leave.  O(m)."""
    lists = graph.neighbour_lists()
    colour = [-1] * graph.nodes
    for v in order.tolist():
        used = {colour[u] for u in lists[v]}
        c = 0
        while c in used:
            c += 1
        colour[v] = c
    return np.array(colour, dtype=np.int64)


def clique_cover(graph: Graph, order: Ints) -> Ints:
    """A clique for every vertex, numbered from 0: each joins, in turn, the largest that it fits into.  O(m)."""
    lists = graph.neighbour_lists()
    group = [-1] * graph.nodes
    sizes: list[int] = []
    for v in order.tolist():
        met: dict[int, int] = {}
        for u in lists[v]:
            if group[u] >= 0:
                met[group[u]] = met.get(group[u], 0) + 1
        fitting = [(sizes[g], -g) for g, count in met.items() if count == sizes[g]]
        if fitting:
            group[v] = -max(fitting)[1]
            sizes[group[v]] += 1
        else:
            group[v] = len(sizes)
            sizes.append(1)
    return np.array(group, dtype=np.int64)


def quick_independent(graph: Graph) -> Ints:
    """A maximal independent set in rounds of whole-array steps, for graphs too large for :func:`greedy_independent`.

    Every vertex that comes before all its neighbours left, by weight per degree, is chosen, and so on with the rest
    (Luby 1986, with a fixed order).
    """
    priority = np.empty(graph.nodes, dtype=np.int64)
    priority[np.argsort(-graph.worth / (graph.degrees + 1.0), kind="stable")] = np.arange(graph.nodes)
    edges = graph.edges
    alive = np.ones(graph.nodes, dtype=bool)
    chosen = np.zeros(graph.nodes, dtype=bool)
    while alive.any():
        blocked = np.zeros(graph.nodes, dtype=bool)
        blocked[np.where(priority[edges[:, 0]] < priority[edges[:, 1]], edges[:, 1], edges[:, 0])] = True
        fresh = alive & ~blocked
        chosen |= fresh
        alive &= ~fresh
        alive[edges[fresh[edges[:, 0]], 1]] = False
        alive[edges[fresh[edges[:, 1]], 0]] = False
        edges = edges[alive[edges[:, 0]] & alive[edges[:, 1]]]
    return np.flatnonzero(chosen)


def independent_bound(graph: Graph) -> int:
    """Upper bound on the weight of an independent set: it meets every clique of a cover once at most."""
    orders = [np.arange(graph.nodes)]
    if len(graph.edges) <= MANY_EDGES:
        orders += [degeneracy(graph)[0], np.argsort(-graph.degrees, kind="stable")]
    return min(class_bound(graph, clique_cover(graph, order)) for order in orders)


def clique_bound(graph: Graph) -> int:
    """Upper bound on the weight of a clique: it meets every colour once at most."""
    colourings = [first_fit(graph, degeneracy(graph)[0][::-1])]
    if len(graph.edges) <= MANY_EDGES:
        colourings.append(dsatur(graph))
    return min(class_bound(graph, colour) for colour in colourings)


def class_bound(graph: Graph, group: Ints) -> int:
    """The sum over all groups of the greatest weight in each."""
    heaviest = np.zeros(int(group.max()) + 1, dtype=np.int64)
    np.maximum.at(heaviest, group, graph.worth)
    return sum(heaviest.tolist())


def peel(graph: Graph, colours: int) -> tuple[Ints, Ints]:
    """``(core, rest)``: vertices that ``colours`` colours can always be extended to, in the order to do so.

    ``core`` is sorted; whatever its colours, every vertex of ``rest`` in turn has less than ``colours`` coloured
    neighbours.
    """
    order, number = degeneracy(graph)
    return np.flatnonzero(number >= colours), order[number[order] < colours][::-1]


def extend(graph: Graph, colour: Ints, rest: Ints) -> Ints:
    """``colour`` with the vertices ``rest`` coloured in turn, each with the least colour that is free."""
    done = colour.copy()
    done[rest] = -1
    for v in rest.tolist():
        used = np.zeros(graph.degrees[v] + 2, dtype=bool)
        near = done[graph.neighbours(v)]
        used[near[(near >= 0) & (near < len(used))]] = True
        done[v] = int(np.argmin(used))
    return done


def edge_cliques(graph: Graph) -> list[list[int]]:
    """Maximal cliques that together contain every edge, greedily few; the edges themselves of a graph of more than
    :data:`BITS` vertices, because this takes n^2 / 8 bytes."""
    if graph.nodes > BITS:
        edges: list[list[int]] = graph.edges.tolist()
        return edges
    rows = [0] * graph.nodes
    for u, v in graph.edges.tolist():
        rows[u] |= 1 << v
        rows[v] |= 1 << u
    open_ = list(rows)  # the edges that no clique contains yet
    cliques = []
    for u, v in graph.edges.tolist():
        if not open_[u] >> v & 1:
            continue
        members, common = [u, v], rows[u] & rows[v]
        while common:
            fresh = common & (open_[u] | open_[v])  # a vertex that covers new edges comes first
            pick = fresh or common
            w = (pick & -pick).bit_length() - 1
            members.append(w)
            common &= rows[w]
        bits = sum(1 << w for w in members)
        for w in members:
            open_[w] &= ~bits
        cliques.append(sorted(members))
    return cliques

"""Random and structured graphs, by the families that the literature on graph problems uses."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from combopt.errors import UsageError
from combopt.instances.graph import Graph
from combopt.model import Ints


def make(rng: np.random.Generator, family: str, n: int, density: float | None = None, weighted: bool = False) -> Graph:
    """A graph of a family, with (about) ``n`` vertices.

    ``density`` is the share of all pairs that are joined, where the family has such a parameter (each has its
    default).  ``weighted`` gives vertex ``i`` (from 1) the weight ``(i mod 200) + 1`` (Pullan 2008).

    Raises
    ------
    UsageError
        E201 for an unknown family, fewer than one vertex, or a density outside ``[0, 1]``.
    """
    if family not in FAMILIES:
        raise UsageError("E201", f"family {family!r}", expected="one of " + ", ".join(FAMILIES))
    if n < 1:
        raise UsageError("E201", f"n = {n}", expected="at least 1")
    if density is not None and not 0 <= density <= 1:
        raise UsageError("E201", f"density = {density}", expected="from 0 to 1")
    nodes, edges = FAMILIES[family](rng, n, density)
    weights = (np.arange(1, nodes + 1) % 200) + 1 if weighted else None
    return Graph(nodes=nodes, edges=edges, weights=weights)


def erdos_renyi(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """G(n, p) (Gilbert 1959): every pair is joined with probability ``density``, by default 0.5 as in DSJC.5."""
    p = 0.5 if density is None else density
    rows = [np.flatnonzero(rng.random(n - 1 - u) < p) + u + 1 for u in range(n - 1)]
    return n, _star_rows(rows)


def barabasi_albert(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """Preferential attachment (Barabasi and Albert 1999): each new vertex is joined to k old ones, 4 by default."""
    k = 4 if density is None else max(1, round(density * (n - 1) / 2))
    k = min(k, max(1, n - 1))
    ends: list[int] = []
    edges: list[tuple[int, int]] = []
    for v in range(1, n):
        old: set[int] = set(range(v)) if v <= k else set()
        while len(old) < min(k, v):
            old.add(ends[int(rng.integers(len(ends)))])
        for u in sorted(old):
            edges.append((u, v))
            ends += (u, v)
    return n, _edges(edges)


def rb(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """Model RB at its threshold, with a hidden solution (Xu and Li 2000; the frb graphs of BHOSLIB).

    About ``n`` vertices in N cliques of size N^0.8; N ln N * 0.8 / ln(4/3) times a quarter of the pairs between
    two cliques are joined, none within the hidden independent set of size N.
    """
    cliques = max(1, round(n ** (1 / 1.8)))
    size = max(1, round(cliques**0.8))
    hidden = rng.integers(size, size=cliques)
    edges = [(c * size + a, c * size + b) for c in range(cliques) for a in range(size) for b in range(a + 1, size)]
    rounds = round(0.8 / math.log(4 / 3) * cliques * math.log(cliques)) if cliques > 1 else 0
    for _ in range(rounds):
        c, d = rng.choice(cliques, size=2, replace=False).tolist()
        pairs = rng.permutation(size * size)[: max(1, round(0.25 * size * size))]
        for pair in pairs.tolist():
            a, b = divmod(pair, size)
            if (a, b) != (hidden[c], hidden[d]):
                edges.append((c * size + a, d * size + b))
    return cliques * size, _edges(edges)


def geometric(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """Points in the unit square, joined when near, with an expected degree of 8 by default (DSJR, Johnson 1991)."""
    share = min(1.0, 8 / max(1, n - 1)) if density is None else density
    points = rng.random((n, 2))
    radius2 = 2.0 if share >= 1 else share / math.pi
    rows = [np.flatnonzero(((points[u + 1 :] - points[u]) ** 2).sum(axis=1) < radius2) + u + 1 for u in range(n - 1)]
    return n, _star_rows(rows)


def regular(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """A random d-regular graph by pairing stubs (Steger and Wormald 1999), d = 3 by default, 1 less if n d is odd."""
    d = 3 if density is None else round(density * (n - 1))
    d = min(d, n - 1)
    d -= (n * d) % 2
    if 2 * d > n:  # pairing gets stuck in dense graphs
        sparse = Graph(nodes=n, edges=_pairing(rng, n, n - 1 - d))
        return n, sparse.complement().edges
    return n, _pairing(rng, n, d)


def _pairing(rng: np.random.Generator, n: int, d: int) -> Ints:
    while True:
        edges: set[tuple[int, int]] = set()
        stubs = np.repeat(np.arange(n), d)
        for _ in range(50 + 20 * d):
            if not len(stubs):
                return _edges(sorted(edges))
            rng.shuffle(stubs)
            left: list[int] = []
            for a, b in stubs.reshape(-1, 2).tolist():
                edge = (min(a, b), max(a, b))
                if a == b or edge in edges:
                    left += (a, b)
                else:
                    edges.add(edge)
            stubs = np.array(left, dtype=np.int64)


def queen(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """The squares of a board with about ``n`` of them, joined where a queen moves (Stanford GraphBase)."""
    side = max(1, round(math.sqrt(n)))
    row, column = np.divmod(np.arange(side * side), side)
    a, b = np.triu_indices(side * side, 1)
    dr, dc = row[a] - row[b], column[a] - column[b]
    reach = (dr == 0) | (dc == 0) | (np.abs(dr) == np.abs(dc))
    return side * side, np.column_stack((a[reach], b[reach]))


def mycielski(rng: np.random.Generator, n: int, density: float | None = None) -> tuple[int, Ints]:
    """The largest Mycielski graph with at most ``n`` vertices (2, 5, 11, 23, ...): no triangle, many colours."""
    if n == 1:
        return 1, _edges([])
    nodes, edges = 2, _edges([(0, 1)])
    while 2 * nodes + 1 <= n:
        u, v = edges.T
        hub = np.column_stack((np.arange(nodes, 2 * nodes), np.full(nodes, 2 * nodes)))
        edges = np.vstack((edges, np.column_stack((u, v + nodes)), np.column_stack((v, u + nodes)), hub))
        nodes = 2 * nodes + 1
    return nodes, edges


FAMILIES: dict[str, Callable[[np.random.Generator, int, float | None], tuple[int, Ints]]] = {
    "erdos-renyi": erdos_renyi,
    "barabasi-albert": barabasi_albert,
    "rb": rb,
    "geometric": geometric,
    "regular": regular,
    "queen": queen,
    "mycielski": mycielski,
}


def _edges(pairs: list[tuple[int, int]]) -> Ints:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _star_rows(rows: list[Ints]) -> Ints:
    """Edges of which ``rows[u]`` lists the later ends."""
    if not rows:
        return _edges([])
    tails = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return np.column_stack((tails, np.concatenate(rows)))

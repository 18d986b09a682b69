"""CP-SAT models of graph problems: maximum independent set, maximum clique and colouring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from combopt.errors import UnsupportedError
from combopt.instances.clique import Clique
from combopt.instances.cliques import dsatur, edge_cliques, extend, greedy_independent, peel
from combopt.instances.coloring import Coloring, ranked
from combopt.instances.graph import DENSE_LIMIT, Graph
from combopt.instances.mis import Mis
from combopt.instances.solutions import Assignment, Selection
from combopt.model import Instance, Ints, Solution
from combopt.solvers.clique_bb import short_clique
from combopt.solvers.cpsat.view import CpView, Values
from combopt.solvers.graph_search import promising, too_heavy
from combopt.solvers.tabucol import short_descent

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

EDGES = 2_000_000
"""Edges up to which independent sets are modelled."""
LITERALS = 10_000_000
"""Literals in the constraints of a colouring model, at most."""


def refuses(instance: Instance) -> str | None:
    """Why no model is made of the instance, as far as its size says."""
    assert isinstance(instance, (Mis, Clique, Coloring))
    if isinstance(instance, Mis) and len(instance.graph.edges) > EDGES:
        return f"it models at most {EDGES} edges, not {len(instance.graph.edges)}"
    return too_heavy(instance.graph)


def build(instance: Instance) -> CpView:
    if isinstance(instance, Mis):
        return build_mis(instance)
    if isinstance(instance, Clique):
        return build_clique(instance)
    assert isinstance(instance, Coloring)
    return build_coloring(instance)


def build_mis(instance: Mis) -> CpView:
    """A Boolean for every vertex; at most one of every clique of a greedy edge clique cover."""
    graph = instance.graph
    return _packing(graph, np.arange(graph.nodes), greedy_independent(graph))


def build_clique(instance: Clique) -> CpView:
    """The independent set model on the complement of the vertices that may improve on a clique found before.

    Raises
    ------
    UnsupportedError
        If too many vertices remain.
    """
    graph = instance.graph
    best = short_clique(graph)
    items, _ = promising(graph, best, graph.nodes)
    if len(items) > DENSE_LIMIT:
        raise UnsupportedError(
            "E202", f"{len(items)} vertices may be in a maximum clique", expected=f"at most {DENSE_LIMIT}"
        )
    return _packing(graph.induced(items).complement(), items, np.searchsorted(items, best))


def _packing(graph: Graph, items: Ints, start: Ints) -> CpView:
    """Heaviest independent set of ``graph``, whose vertex ``i`` is ``items[i]`` of the instance."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{v + 1}") for v in items.tolist()]
    for clique in edge_cliques(graph):
        model.add_at_most_one([x[v] for v in clique])
    worth: list[int] = graph.worth.tolist()
    model.maximize(sum(w * var for w, var in zip(worth, x, strict=True)))
    chosen = np.isin(np.arange(len(x)), start).tolist()
    for var, value in zip(x, chosen, strict=True):
        model.add_hint(var, value)

    def decode(values: Values) -> Solution:
        return Selection(items[[i for i, var in enumerate(x) if values(var)]])

    def hint(solution: Solution) -> Iterator[tuple[cp_model.IntVar, int]]:
        assert isinstance(solution, Selection)
        model.clear_hints()
        chosen = set(solution.items.tolist())
        for v, var in zip(items.tolist(), x, strict=True):
            yield var, int(v in chosen)

    return CpView(model, decode, hint, start=Selection(items[start]))


def build_coloring(instance: Coloring) -> CpView:
    """Assignment model: ``x[v, c]`` and ``y[c]``, at most one of a clique and "not y[c]" for every colour.

    Vertices that can always be coloured later are left out (degree below the size of a clique, repeatedly).  The
    number of colours is that of DSATUR improved by a short TabuCol run.  The clique has the first colours, and
    colours in use come first.

    Raises
    ------
    UnsupportedError
        If the model would have more than :data:`LITERALS` literals.
    """
    from ortools.sat.python import cp_model

    graph = instance.graph
    clique = short_clique(graph)
    start = short_descent(graph, dsatur(graph), len(clique))
    colours = int(start.max()) + 1
    model = cp_model.CpModel()
    items, rest = peel(graph, len(clique))
    if colours == len(clique) or not len(items):
        model.minimize(model.new_constant(colours))
        return CpView(model, lambda values: Assignment(start), start=Assignment(start))
    core = graph.induced(items)
    first = np.flatnonzero(np.isin(items, clique)).tolist()
    x, y = _assignment(model, core, colours, first, len(clique))

    def decode(values: Values) -> Solution:
        colour = np.zeros(graph.nodes, dtype=np.int64)
        colour[items] = [next(c for c, var in enumerate(row) if values(var)) for row in x]
        return Assignment(extend(graph, colour, rest))

    def hint(solution: Solution) -> Iterator[tuple[cp_model.IntVar, int]]:
        assert isinstance(solution, Assignment)
        colour = ranked(solution.groups[items], first)
        if colour.max() >= colours:  # worse than what was found while building
            return
        model.clear_hints()
        yield from _values(x, y, colour, len(clique))

    for var, value in _values(x, y, ranked(start[items], first), len(clique)):
        model.add_hint(var, value)
    return CpView(model, decode, hint, start=Assignment(start))


def _assignment(
    model: cp_model.CpModel, graph: Graph, colours: int, clique: list[int], least: int
) -> tuple[list[list[cp_model.IntVar]], list[cp_model.IntVar]]:
    """The variables of the assignment model on ``graph``, whose ``clique`` has the colours 0, 1, ...

    ``least`` colours are in use in any case: the clique may lie outside of what is modelled.
    """
    cliques = edge_cliques(graph)
    literals = colours * (graph.nodes + sum(map(len, cliques)))
    if literals > LITERALS:
        raise UnsupportedError(
            "E202", f"the model with {colours} colours would have {literals} literals", expected=f"at most {LITERALS}"
        )
    x = [[model.new_bool_var(f"x{v}_{c}") for c in range(colours)] for v in range(graph.nodes)]
    y = [model.new_bool_var(f"y{c}") for c in range(colours)]
    for row in x:
        model.add_exactly_one(row)
    for members in cliques:
        for c in range(colours):
            model.add_at_most_one([y[c].negated(), *(x[v][c] for v in members)])
    for v in np.flatnonzero(graph.degrees == 0).tolist():
        for c in range(colours):
            model.add_implication(x[v][c], y[c])
    for c, v in enumerate(clique):
        model.add(x[v][c] == 1)
    for c in range(least):
        model.add(y[c] == 1)
    for c in range(colours - 1):
        model.add_implication(y[c + 1], y[c])
    model.minimize(sum(y))
    return x, y


def _values(
    x: list[list[cp_model.IntVar]], y: list[cp_model.IntVar], colour: Ints, least: int
) -> Iterator[tuple[cp_model.IntVar, int]]:
    """The values of the variables in a colouring of the modelled vertices."""
    for row, own in zip(x, colour.tolist(), strict=True):
        for c, var in enumerate(row):
            yield var, int(c == own)
    used = {*range(least), *colour.tolist()}
    for c, var in enumerate(y):
        yield var, int(c in used)

"""Pictures of solutions as compact numbers that the page draws: tours and routes in the plane, Gantt charts."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from combopt import registry
from combopt.bench import origin
from combopt.bench.analysis import Analysis
from combopt.bench.report.payload import Block, pack
from combopt.bench.store import Store
from combopt.errors import CombOptError
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.prizes import inside
from combopt.instances.solutions import Routes, Schedule, Tour
from combopt.model import Floats, Instance, Ints, Solution

GRID = 60_000
"""Coordinates go from 0 to this, so that they fit into 16 bits."""
MOST_POINTS = 5_000
"""A tour with more nodes is drawn through some of them only."""
MOST_BARS = 5_000
LARGEST = 20_000
"""Instances with more nodes, operations, ... than this are not read again for a picture."""
SECONDS = 3.0
"""Time to spend on all pictures."""
PICTURE_BYTES = 2_000_000
"""What pictures may take of the file."""
_BYTES_OF_A_NUMBER = 2.2
"""In the file, compressed and in base64."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A picture: ``form`` is ``paths`` or ``bars``, ``columns`` its numbers, ``about`` whatever else is drawn."""

    form: str
    label: str
    columns: dict[str, Ints]
    about: dict[str, object] = field(default_factory=dict)
    note: str = ""


class NoPictureError(Exception):
    """There is nothing to draw; the argument says why."""


def draw(solution: Solution, instance: Instance) -> Drawing:
    """The picture of a feasible solution; :class:`NoPictureError` if it has none."""
    if isinstance(solution, Schedule) and isinstance(instance, (JobShop, Fjsp)):
        return _bars(solution, instance)
    metric = getattr(instance, "metric", None)
    if metric is None or metric.coordinates is None:
        raise NoPictureError("The instance has no coordinates to draw.")
    points = _on_grid(metric.coordinates)
    if isinstance(solution, Tour):
        order = inside(solution.order, len(points))
        closed = getattr(instance, "end", None) is None
        left_out = np.setdiff1d(np.arange(len(points)), order)
        label = f"tour of {len(order)} nodes" if closed else f"path of {len(order)} nodes"
        if len(left_out):
            label += f", {len(left_out)} left out"
        return _paths(points, left_out, [order], label, legs="", closed=closed, depot=order[:1])
    if isinstance(solution, Routes):
        routes = [np.array(route, dtype=np.int64) for route in solution.routes if route]
        legs = "both" if getattr(instance, "closed", True) else "out"
        label = f"{len(routes)} routes through {sum(map(len, routes))} customers"
        return _paths(points, np.zeros(0, np.int64), routes, label, legs=legs, closed=False, depot=np.array([0]))
    raise NoPictureError("There is no picture of such a solution.")


def _on_grid(coordinates: Floats) -> Ints:
    """The first two coordinates as whole numbers of 0 to ``GRID``, to scale, the second one downwards."""
    plane = coordinates[:, :2]
    low, high = plane.min(axis=0), plane.max(axis=0)
    scale = GRID / max(float((high - low).max()), 1e-300)
    return np.rint(np.column_stack([plane[:, 0] - low[0], high[1] - plane[:, 1]]) * scale).astype(np.int64)


def _paths(
    points: Ints, left_out: Ints, paths: list[Ints], label: str, *, legs: str, closed: bool, depot: Ints
) -> Drawing:
    total = len(left_out) + sum(map(len, paths))
    every = -(-total // MOST_POINTS)
    parts = [part[::every] for part in (left_out, *paths)]
    nodes = np.concatenate(parts)
    starts = np.cumsum([len(part) for part in parts]).tolist()
    extent = points.max(axis=0).tolist()
    return Drawing(
        form="paths",
        label=label,
        columns={"x": points[nodes, 0], "y": points[nodes, 1]},
        about={
            "starts": starts,
            "closed": closed,
            "legs": legs,
            "depot": points[depot[0]].tolist() if len(depot) else None,
            "extent": extent,
        },
        note=f"One of {every} points is drawn." if every > 1 else "",
    )


def _bars(solution: Schedule, instance: JobShop | Fjsp) -> Drawing:
    operations = instance.operations
    if len(operations) > MOST_BARS:
        raise NoPictureError(f"There are more than {MOST_BARS:,} operations, too many to draw.")
    start, machine = operations.flat(solution)
    length = operations.duration[operations.chosen(machine)]
    makespan = int((start + length).max(initial=0))
    return Drawing(
        form="bars",
        label=f"schedule of {len(operations)} operations on {operations.machines} machines, makespan {makespan}",
        columns={"machine": machine, "start": start, "length": length, "job": operations.job},
        about={"machines": operations.machines, "makespan": makespan},
    )


def pictures_block(
    analysis: Analysis, stores: Sequence[Store], *, seconds: float = SECONDS, limit: int = PICTURE_BYTES
) -> Block:
    """The pictures of the best solutions, in the order of the instances, as long as time and bytes last."""
    until = time.monotonic() + seconds
    best = _best_runs(analysis)
    columns: dict[str, list[Ints]] = {name: [] for name in ("x", "y", "machine", "start", "length", "job")}
    ends = {"paths": 0, "bars": 0}
    listed: list[dict[str, object]] = []
    reasons = {"": 0}
    why = np.zeros(len(analysis.table.instances), dtype=np.int64)
    room, left_out = limit / _BYTES_OF_A_NUMBER, 0
    for i, row in enumerate(analysis.table.instances):
        if not _has_pictures(row.kind):
            continue
        try:
            if best[i] < 0:
                raise NoPictureError("No run found a solution.")
            if max(row.size.values(), default=0) > LARGEST:
                raise NoPictureError("The instance is too large to draw.")
            if room <= 0 or time.monotonic() > until:
                left_out += 1
                raise NoPictureError("The picture was left out, to keep this file small and quickly made.")
            drawing = _read_and_draw(analysis, stores, int(best[i]))
        except NoPictureError as reason:
            why[i] = reasons.setdefault(str(reason), len(reasons))
            continue
        size = len(next(iter(drawing.columns.values())))
        for name, values in drawing.columns.items():
            columns[name].append(values)
        about = {"instance": i, "run": int(best[i]), "form": drawing.form, "label": drawing.label}
        begin = ends[drawing.form]
        ends[drawing.form] += size
        listed.append({**about, "note": drawing.note, "points": [begin, begin + size], **drawing.about})
        room -= size * len(drawing.columns)
    merged = {name: np.concatenate([np.zeros(0, dtype=np.int64), *parts]) for name, parts in columns.items()}
    text = pack({"list": listed, "reasons": list(reasons)}, {"why": why, **merged})
    note = f"The pictures of {left_out:,} instances were left out, to keep this file small and quickly made."
    return Block(text, (note,) if left_out else ())


def _has_pictures(kind: str) -> bool:
    try:
        return registry.PROBLEMS.load(kind).solution_type in (Tour, Routes, Schedule)
    except (CombOptError, ImportError):  # a kind of another package that is not here
        return False


def _best_runs(analysis: Analysis) -> Ints:
    """The run with the best objective of each instance, the earliest written of several; -1 where there is none."""
    table = analysis.table
    rows = np.flatnonzero(analysis.answered & ~np.isnan(table.objective))
    cost = table.signs()[table.instance] * table.objective
    order = rows[np.lexsort((cost[rows], table.instance[rows]))]
    best = np.full(len(table.instances), -1, dtype=np.int64)
    instances, first = np.unique(table.instance[order], return_index=True)
    best[instances] = order[first]
    return best


def _read_and_draw(analysis: Analysis, stores: Sequence[Store], run: int) -> Drawing:
    """The picture of a run, its instance read again from where it came."""
    table = analysis.table
    row = table.instances[table.instance[run]]
    query = "SELECT solution FROM run WHERE id = ?"
    try:
        cell = stores[table.store[run]].connection.execute(query, (int(table.run_id[run]),)).fetchone()
        if cell is None or cell[0] is None:
            raise NoPictureError("The best solution was not kept.")
        solution = Solution.from_dict(json.loads(zlib.decompress(cell[0])))
        instance = origin.load(row.origin)
    except CombOptError as error:
        raise NoPictureError(f"The instance could not be read again: {error.found}.") from None
    except (ValueError, LookupError, TypeError, OSError, zlib.error, sqlite3.DatabaseError):
        raise NoPictureError("The instance could not be read again.") from None
    if instance.digest() != row.digest:
        raise NoPictureError("The instance is not the same any more.")
    return draw(solution, instance)

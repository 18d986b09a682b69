"""Pictures: a tour, routes, a Gantt chart, and the course of the search.  Needs the extra ``plot``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from combopt.errors import MissingExtraError, UsageError
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.solutions import Routes, Schedule, Tour
from combopt.model import Floats, Instance, Solution, show
from combopt.result import Result

COLOURS = "tab20"


def plot(result: Result, instance: Instance, path: str | Path) -> None:
    """Draw the solution (where its kind has a picture) beside the course of the search; the extension of
    ``path`` names the format (``.png``, ``.svg``, ``.pdf``).

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    UsageError
        If there is nothing to draw or the file cannot be written.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "plot")
    if result.solution is None:
        raise UsageError("E201", "there is no solution to draw")
    from matplotlib.figure import Figure

    draw = _drawing(result.solution, instance)
    figure = Figure(figsize=(13, 6) if draw else (8, 5), layout="constrained")
    axes = figure.subplots(1, 2 if draw else 1, squeeze=False, width_ratios=[3, 2] if draw else [1])[0]
    if draw:
        draw(axes[0], result.solution, instance)
    plot_convergence(axes[-1], result)
    gap = "" if result.gap is None else f", gap {100 * result.gap:.3g} %"
    value = "-" if result.objective is None else show(result.objective)
    figure.suptitle(f"{result.instance.name}: {value} ({result.status}{gap}), {result.solver}, {result.seconds:.1f} s")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise UsageError("E205", f"cannot write the picture {path}: {error}") from None


def plot_convergence(axes: Any, result: Result) -> None:
    """Incumbent and dual bound over time, as steps."""
    for label, index, colour in (("incumbent", 1, "tab:blue"), ("dual bound", 2, "tab:orange")):
        rows = [(point.seconds, point[index]) for point in result.trace if point[index] is not None]
        if rows:
            times, values = zip(*[*rows, (result.seconds, rows[-1][1])], strict=True)
            axes.step(times, values, where="post", label=label, color=colour)
    axes.set_xlabel("seconds")
    axes.set_ylabel(f"objective ({result.sense})")
    axes.ticklabel_format(useOffset=False, style="plain", axis="y")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()


def _coordinates(instance: Instance) -> Floats | None:
    metric = getattr(instance, "metric", None)
    return None if metric is None else metric.coordinates


def _drawing(solution: Solution, instance: Instance) -> Callable[[Any, Any, Instance], None] | None:
    if isinstance(solution, Schedule):
        return plot_gantt
    if _coordinates(instance) is None:
        return None
    if isinstance(solution, Tour):
        return plot_tour
    return plot_routes if isinstance(solution, Routes) else None


def _plane(axes: Any) -> None:
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])


def plot_tour(axes: Any, solution: Tour, instance: Instance) -> None:
    """The closed tour; nodes left out are grey."""
    points = _coordinates(instance)
    assert points is not None
    order = np.append(solution.order, solution.order[:1])
    size = 12 if len(points) <= 1000 else 12000 / len(points)
    axes.scatter(points[:, 0], points[:, 1], s=size, color="lightgrey", zorder=1)
    axes.plot(points[order, 0], points[order, 1], linewidth=0.9, color="tab:blue", zorder=2)
    axes.scatter(points[order, 0], points[order, 1], s=size, color="tab:blue", zorder=3)
    if len(order):
        axes.scatter(*points[order[0]][:2], s=60, marker="s", color="tab:red", zorder=4)
    _plane(axes)


def plot_routes(axes: Any, solution: Routes, instance: Instance) -> None:
    """Every route in its colour, the depot as a square; the first and last leg are thin."""
    import matplotlib

    points = _coordinates(instance)
    assert points is not None
    palette = matplotlib.colormaps[COLOURS]
    for number, route in enumerate(r for r in solution.routes if r):
        colour = palette(number % palette.N)
        line = points[list(route)]
        axes.plot(line[:, 0], line[:, 1], marker="o", markersize=3, linewidth=1.2, color=colour)
        for end in (line[0], line[-1]):
            axes.plot([points[0, 0], end[0]], [points[0, 1], end[1]], linewidth=0.4, color=colour, alpha=0.6)
    axes.scatter(points[0, 0], points[0, 1], s=70, marker="s", color="black", zorder=5)
    _plane(axes)


def plot_gantt(axes: Any, solution: Schedule, instance: Instance) -> None:
    """A bar for every operation on the row of its machine, one colour for a job."""
    import matplotlib

    assert isinstance(instance, (JobShop, Fjsp))
    operations = instance.operations
    start, machine = operations.flat(solution)
    chosen = operations.chosen(machine)
    duration = operations.duration[chosen]
    palette = matplotlib.colormaps[COLOURS]
    colours = [palette(job % palette.N) for job in operations.job.tolist()]
    edge = 0.4 if len(operations) <= 2000 else 0.0
    axes.barh(machine, duration, left=start, height=0.8, color=colours, edgecolor="white", linewidth=edge)
    if len(operations) <= 150:
        for job, left, width, row in zip(operations.job.tolist(), start, duration, machine, strict=True):
            axes.text(left + width / 2, row, str(job + 1), ha="center", va="center", fontsize=7)
    axes.set_xlabel("time")
    axes.set_ylabel("machine")
    axes.invert_yaxis()

"""``combopt list``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from combopt import registry
from combopt.learned.weights import store
from combopt.solvers import auto


def list_command(options: argparse.Namespace) -> int:
    """Print one of the registries."""
    tables = {"solvers": _solvers, "problems": _problems, "formats": _formats, "auto": _auto, "weights": _weights}
    rows = tables[options.what]()
    if options.json:
        print(json.dumps(rows))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            *(", ".join(v) if isinstance(v, list) else str(v if v is not None else "-") for v in row.values())
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    console.print(table)
    return 0


def _solvers() -> list[dict[str, Any]]:
    rows = []
    for name, entry in registry.SOLVERS.items():
        info = entry.info
        version = info.version()
        rows.append(
            {
                "name": name,
                "installed": version if version else f"no: pip install 'combopt[{info.extra or 'all'}]'",
                "kinds": list(info.kinds),
                "can": sorted(info.capabilities),
                "title": info.title,
                "licence": info.licence,
            }
        )
    return rows


def _problems() -> list[dict[str, Any]]:
    formats = dict(registry.FORMATS.items())
    solvers = dict(registry.SOLVERS.items())
    rows = []
    for name, entry in registry.PROBLEMS.items():
        rows.append(
            {
                "kind": name,
                "title": (entry.__doc__ or "").strip().splitlines()[0],
                "read from": [f.name for f in formats.values() if name in f.kinds],
                "solution": entry.solution_type.type,
                "solvers": [s for s, solver in solvers.items() if name in solver.info.kinds],
                "views": sorted(entry.views),
            }
        )
    return rows


def _formats() -> list[dict[str, Any]]:
    rows = []
    for what, table in (("instance", registry.FORMATS), ("solution", registry.SOLUTION_FORMATS)):
        for name, entry in table.items():
            rows.append(
                {
                    "format": name,
                    "holds": what,
                    "extensions": list(entry.extensions),
                    "kinds": list(entry.kinds),
                    "written": "yes" if entry.write else "no",
                    "title": entry.title,
                }
            )
    return rows


def _auto() -> list[dict[str, Any]]:
    return [{"kind": rule.kind, "solver": rule.solver, "why": rule.why} for rule in auto.RULES]


def _weights() -> list[dict[str, Any]]:
    return [
        {
            "name": card.name,
            "kind": card.kind,
            "parameters": card.parameters,
            "trained on": card.data,
            "hours": card.hours,
            "hardware": card.hardware,
            "gap": [f"{100 * gap:.2f} %: {what}" for what, gap in card.gaps.items()],
            "licence": card.licence,
        }
        for card in store.cards()
    ]

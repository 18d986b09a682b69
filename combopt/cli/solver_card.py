"""``combopt info SOLVER``: what a solver is, and its options with their meaning, from its class."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import typing
from typing import Any

from rich.console import Console
from rich.table import Table

from combopt import registry
from combopt.solvers.base import Solver

_SECTION = re.compile(r"^Parameters\n-+\n", re.MULTILINE)
_ROLE = re.compile(r":\w+:`[~.]*([^`]+)`")
_NEXT = re.compile(r"^\w[\w ]*\n-+\n", re.MULTILINE)


def card(name: str) -> dict[str, Any]:
    """What is known of a registered solver, as JSON has it."""
    cls: type[Solver] = registry.SOLVERS.load(name)
    info = cls.info
    return {
        "schema": "combopt.solver/1",
        "name": name,
        "title": info.title,
        "package": info.package,
        "version": info.version(),
        "licence": info.licence,
        "kinds": list(info.kinds),
        "can": sorted(info.capabilities),
        "about": (inspect.getdoc(cls) or "").split("\n\nParameters\n")[0],
        "options": options(cls),
    }


def options(cls: type[Solver]) -> list[dict[str, Any]]:
    """The options of a solver: name, values, default and meaning, in the order of their declaration."""
    if not dataclasses.is_dataclass(cls):
        return []
    hints = typing.get_type_hints(cls)
    meanings: dict[str, str] = {}
    for parent in reversed(cls.__mro__):
        meanings |= meant(vars(parent).get("__doc__") or "")
    return [
        {"name": f.name, "values": values(hints[f.name]), "default": f.default, "meaning": meanings.get(f.name, "")}
        for f in dataclasses.fields(cls)
    ]


def meant(doc: str) -> dict[str, str]:
    """Descriptions by name of the section "Parameters" of a docstring in numpy's style."""
    text = inspect.cleandoc(doc)
    section = _SECTION.search(text)
    if section is None:
        return {}
    body = text[section.end() :]
    if (after := _NEXT.search(body)) is not None:
        body = body[: after.start()]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in body.splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.partition(":")[0].split(",")]
        elif line.strip():
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return {name: _ROLE.sub(r"\1", meaning).replace("``", "") for name, meaning in found.items()}


def values(hint: Any) -> str:
    """What a type stands for on the command line."""
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(str(value) for value in typing.get_args(hint))
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    if parts and typing.get_origin(hint) is not tuple:
        return " | ".join(values(part) for part in parts)
    names = {bool: "true | false", int: "whole number", float: "number", str: "text"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def print_card(name: str, as_json: bool) -> None:
    """Print the card of a registered solver."""
    found = card(name)
    if as_json:
        print(json.dumps(found))
        return
    version = found["version"] or "not installed"
    print(f"solver      {name}: {found['title']}")
    print(f"package     {found['package']} {version} ({found['licence']})")
    print(f"kinds       {', '.join(found['kinds'])}")
    print(f"can         {', '.join(found['can']) or '-'}")
    if not found["options"]:
        print("options     none")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("option", "default", "values", "meaning"):
        table.add_column(column, overflow="fold", ratio=6 if column == "meaning" else None)
    for option in found["options"]:
        default = str(option["default"]).lower() if isinstance(option["default"], bool) else str(option["default"])
        table.add_row(option["name"], default or "-", option["values"], option["meaning"])
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=140)
    print()
    console.print(table)

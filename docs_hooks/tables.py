"""Fills the tables of the documentation from the registries, so that they cannot go stale."""

from __future__ import annotations

from typing import Any

from combopt import registry
from combopt.solvers import auto


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each ``<!-- table: NAME -->`` by the table of that name (a hook of mkdocs)."""
    for name, make in TABLES.items():
        marker = f"<!-- table: {name} -->"
        if marker in markdown:
            markdown = markdown.replace(marker, make())
    return markdown


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def solvers() -> str:
    rows = []
    for name, cls in registry.SOLVERS.items():
        info = cls.info
        can = ", ".join(sorted(info.capabilities))
        options = ", ".join(f"`{key}={value}`" for key, value in cls().options().items()) or "-"
        extra = f" (extra `{info.extra}`)" if info.extra else ""
        package = "own" if info.package == "combopt" else f"{info.package}{extra}, {info.licence}"
        rows.append([f"`{name}`", info.title, ", ".join(info.kinds), can, options, package])
    return _table(["solver", "what it is", "kinds", "can", "options and defaults", "package"], rows)


def rules() -> str:
    return _table(["kind", "solver", "why"], [[r.kind, f"`{r.solver}`", r.why] for r in auto.RULES])


def problems() -> str:
    rows = []
    for name, cls in registry.PROBLEMS.items():
        title = (cls.__doc__ or "").strip().splitlines()[0]
        read = [f"`{f}`" for f, entry in registry.FORMATS.items() if name in entry.kinds]
        solution = [f"`{f}`" for f, entry in registry.SOLUTION_FORMATS.items() if name in entry.kinds]
        rows.append([f"`{name}`", title, cls.solution_type.type, ", ".join(read), ", ".join(solution)])
    return _table(["kind", "what it is", "solution", "instance formats", "solution formats"], rows)


def _formats(table: registry.Registry) -> str:
    rows = []
    for name, entry in table.items():
        kinds = "any" if "*" in entry.kinds else ", ".join(entry.kinds)
        extensions = " ".join(f"`{e}`" for e in entry.extensions)
        rows.append([f"`{name}`", entry.title, extensions, kinds, "yes" if entry.write else "no"])
    return _table(["format", "what it is", "extensions", "kinds", "written"], rows)


TABLES = {
    "solvers": solvers,
    "auto": rules,
    "problems": problems,
    "formats": lambda: _formats(registry.FORMATS),
    "solution formats": lambda: _formats(registry.SOLUTION_FORMATS),
}

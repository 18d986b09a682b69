"""Who may import whom, and what a plain import may load."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "combopt"
KERNEL = {"model", "result", "budget", "errors", "registry", "serial"}
# What each part may import of combopt besides itself.  Names are the first component after ``combopt.``.
ALLOWED = {
    "errors": set(),
    "serial": {"errors"},
    "registry": {"errors"},
    "budget": {"errors"},
    "model": {"errors", "serial", "registry"},
    "result": {"errors", "serial", "model"},
    "instances": {"errors", "model", "serial"},
    "learned": {"errors", "model", "instances"},
    "solvers": KERNEL | {"instances", "learned"},
    "plot": KERNEL | {"instances"},
    "api": KERNEL | {"instances", "solvers"},
    "bench": KERNEL | {"instances", "solvers", "api", ""},
    "cli": KERNEL | {"instances", "solvers", "learned", "api", "bench", "plot", ""},
    "__init__": {"api", "budget", "errors", "instances", "model", "result", "solvers"},
    "__main__": {"cli"},
}
HEAVY = {
    "numpy", "torch", "ortools", "pyscipopt", "highspy", "pyvrp", "fast_tsp", "hygese", "elkai", "numba", "scipy",
    "safetensors", "pandas", "matplotlib", "rich", "ray", "playwright",
}  # fmt: skip


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names] if base == "combopt" else [base]
        else:
            continue
        found |= {name.partition(".")[2].partition(".")[0] for name in names if name.partition(".")[0] == "combopt"}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_import_rule(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert part in ALLOWED, f"say in ALLOWED what {part} may import"
    assert _imports(path) <= ALLOWED[part] | {part}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_inside_functions(path: Path) -> None:
    top = ast.parse(path.read_text(encoding="utf-8")).body
    part = path.relative_to(PACKAGE).parts[0]
    allowed = {"numpy"} | {"cli": {"rich"}, "learned": {"torch"}}.get(part, set())
    for node in top:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.partition(".")[0] for name in names} & (HEAVY - allowed)


def test_files_are_of_a_readable_length() -> None:
    lengths = {p.relative_to(PACKAGE): p.read_text(encoding="utf-8").count("\n") for p in PACKAGE.rglob("*.py")}
    assert {str(p): n for p, n in lengths.items() if n > 700} == {}


@pytest.mark.parametrize("arguments", [["--help"], ["solve", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, json\nfrom combopt.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {name.partition(".")[0] for name in json.loads(run.stderr)} & HEAVY


@pytest.mark.parametrize(("learned", "allowed"), [(False, {"numpy", "rich"}), (True, {"numpy", "torch"})])
def test_importing_every_module_loads_no_solver(learned: bool, allowed: set[str]) -> None:
    modules = [
        ".".join(("combopt", *p.relative_to(PACKAGE).with_suffix("").parts))
        for p in PACKAGE.rglob("*.py")
        if p.name != "__main__.py" and (p.relative_to(PACKAGE).parts[0] == "learned") == learned
    ]
    code = f"import importlib, json, sys\nfor m in {modules!r}: importlib.import_module(m)\n"
    code += "print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {name.partition(".")[0] for name in json.loads(run.stdout)} & (HEAVY - allowed)


def test_public_names_exist_and_are_documented() -> None:
    import combopt

    for name in combopt.__all__:
        thing = getattr(combopt, name)
        assert name.startswith("__") or (thing.__doc__ and len(thing.__doc__) > 20), name

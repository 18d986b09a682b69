"""``combopt doctor``: what is installed, and whether it works together."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from typing import Any

import combopt
from combopt import api, registry
from combopt.budget import Budget

# What each distribution is imported as, where the names differ.
MODULES = {"ortools": "ortools.sat.python.cp_model"}


def doctor_command(options: argparse.Namespace) -> int:
    """Exit code 0 if every installed solver package can be imported beside all others, else 5."""
    if options.warm_up:
        warm_up()
    infos = {s.info.package.lower(): s.info for _, s in registry.SOLVERS.items() if s.info.package != "combopt"}
    versions = {name: infos[name].version() for name in sorted(infos)}
    installed = [name for name, version in versions.items() if version]
    alone = {name: _import([name]) for name in installed}
    together = _import([name for name in installed if alone[name] is None])
    report: dict[str, Any] = {
        "schema": "combopt.doctor/1",
        "combopt": combopt.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": Budget().cores,
        "packages": versions,
        "problems": [f"{name}: {trouble}" for name, trouble in alone.items() if trouble]
        + ([f"all together in one process: {together}"] if together else []),
    }
    if options.json:
        print(json.dumps(report))
    else:
        print(f"combopt   {report['combopt']} on Python {report['python']}, {report['platform']}")
        print(f"cores     {report['cores']}")
        for name, version in versions.items():
            state = "not installed" if not version else ("broken" if alone[name] else "works")
            print(f"{name:<11} {version or '-':<12} {state}")
        for problem in report["problems"]:
            print(f"problem   {problem}")
        print("all is well" if not report["problems"] else "some solvers will not work; reinstall them")
    return 5 if report["problems"] else 0


def warm_up() -> None:
    """Let every solver of our own run on a small instance of each kind, so that its loops are compiled and kept."""
    for name, cls in registry.SOLVERS.items():
        if cls.info.package not in ("combopt", "numba") or cls.info.version() is None:
            continue
        for kind in cls.info.kinds:
            instance = api.generate(kind, n=20)
            if cls().accepts(instance):
                print(f"warming up {name} for {kind}", file=sys.stderr)
                api.solve(instance, name, isolate=False, time_limit=0.5)


def _import(packages: list[str]) -> str | None:
    """Import the packages in a fresh process; the last line of what went wrong, or ``None``."""
    code = "\n".join(f"import {MODULES.get(name, name)}" for name in packages)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    if run.returncode == 0:
        return None
    return (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]

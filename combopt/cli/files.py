"""``combopt check``, ``info``, ``convert`` and ``generate``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from combopt import api, registry, serial
from combopt.cli.options import number_or_text, pairs, read
from combopt.cli.solver_card import print_card
from combopt.errors import UsageError
from combopt.instances.formats.base import Format
from combopt.model import Instance, show
from combopt.solvers import auto

CHECK_FAILED = 6


def check_command(options: argparse.Namespace) -> int:
    """Exit code 0 if the solution is feasible and worth what its file says, 6 if not."""
    instance = read(options, options.file).instance
    checked = api.check(instance, options.solution, format=options.solution_format)
    evaluation = checked.evaluation
    if options.json:
        print(
            json.dumps(
                {
                    "schema": "combopt.check/1",
                    "instance": instance.name,
                    "kind": instance.kind,
                    "feasible": evaluation.feasible,
                    "objective": serial.encode(evaluation.objective),
                    "claimed": serial.encode(checked.claimed),
                    "claim_holds": checked.claim_holds,
                    "exactness": str(evaluation.exactness),
                    "violations": [serial.encode(v) for v in evaluation.violations],
                    "conventions": list(instance.conventions()),
                    "notes": list(evaluation.notes),
                },
                allow_nan=False,
            )
        )
    else:
        print(f"instance    {instance.name} ({instance.kind})")
        print(f"feasible    {'yes, ' + str(evaluation.exactness) if evaluation.feasible else 'no'}")
        print(f"objective   {show(evaluation.objective)}")
        if checked.claimed is not None:
            print(f"claimed     {show(checked.claimed)}{'' if checked.claim_holds else ' - WRONG'}")
        for text in instance.conventions():
            print(f"convention  {text}")
        for text in evaluation.notes:
            print(f"note        {text}")
        for violation in evaluation.violations[:50]:
            print(f"violation   {violation}")
        if len(evaluation.violations) > 50:
            print(f"violation   and {len(evaluation.violations) - 50} more")
    return 0 if checked.ok else CHECK_FAILED


def info_command(options: argparse.Namespace) -> int:
    """What was read, under which conventions, and which solvers could take it; or what a solver is."""
    if options.file in registry.SOLVERS.names() and not Path(options.file).exists():
        print_card(options.file, options.json)
        return 0
    reading = read(options, options.file)
    instance = reading.instance
    solvers = auto.able(instance)
    chosen = auto.choose(instance) if solvers else None
    if options.json:
        print(
            json.dumps(
                {
                    "schema": "combopt.info/1",
                    "name": instance.name,
                    "kind": instance.kind,
                    "format": reading.format,
                    "sense": str(instance.sense),
                    "size": instance.size(),
                    "sha256": instance.digest(),
                    "conventions": list(instance.conventions()),
                    "warnings": [str(w) for w in reading.warnings],
                    "solvers": solvers,
                    "auto": chosen,
                }
            )
        )
        return 0
    print(f"name        {instance.name}")
    print(f"kind        {instance.kind} ({instance.sense}imise), read as {reading.format}")
    print(f"size        {', '.join(f'{count} {what}' for what, count in instance.size().items())}")
    for text in instance.conventions():
        print(f"convention  {text}")
    print(f"sha256      {instance.digest()}")
    print(f"solvers     {', '.join(solvers)}")
    print(f"auto        {chosen}")
    return 0


def convert_command(options: argparse.Namespace) -> int:
    """Write the instance, or its view, in the format that the extension of OUT names."""
    instance = read(options, options.file).instance
    if options.view == "mip" and instance.kind != "mip":
        instance = instance.to_mip().instance
    api.write(instance, options.output, format=options.to)
    return 0


def generate_command(options: argparse.Namespace) -> int:
    """Write ``count`` instances, one at a time, and print the path of each."""
    folder = Path(options.output)
    if folder.exists() and not folder.is_dir():
        raise UsageError("E205", f"{folder} is not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    parameters = {key: number_or_text(value) for key, value in pairs(options.set).items()}
    if options.n is not None:
        parameters["n"] = options.n
    for number in range(options.count):
        seed = options.seed + number
        instance = api.generate(options.kind, seed=seed, **parameters)
        form = _format_for(instance, options.to)
        path = folder / f"{instance.name}-s{seed}{form.extensions[0]}"
        api.write(instance, path, format=form.name)
        print(path)
    return 0


def _format_for(instance: Instance, name: str | None) -> Format:
    """The format asked for, or the first that writes this kind."""
    if name is not None:
        form: Format = registry.FORMATS.load(name)
        if form.write is None or not (instance.kind in form.kinds or "*" in form.kinds):
            raise UsageError("E201", f"{name} files are not written for {instance.kind}")
        return form
    able = [f for _, f in registry.FORMATS.items() if f.write and (instance.kind in f.kinds or "*" in f.kinds)]
    return next((f for f in able if instance.kind in f.kinds), able[0])

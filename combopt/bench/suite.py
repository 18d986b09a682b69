"""What a sweep runs: instances, solvers, seeds and limits.  Cases are streamed, so that there may be any number."""

from __future__ import annotations

import glob
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from combopt import api
from combopt.bench import origin as origins
from combopt.bench.execute import Task
from combopt.bench.runs import Configuration, Reference, canonical
from combopt.bench.sources import Files, Folder, Source
from combopt.budget import Budget
from combopt.errors import InputError, Place, UsageError
from combopt.serial import decode

AUTO = Configuration(solver="auto")
BUDGET = Budget(time_limit=60.0, threads=1)
"""What a suite has that says nothing of limits: one thread, so that runs beside each other do not disturb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An instance of a suite: its origin, its best known value, and the configurations that are run on it."""

    origin: str
    reference: Reference | None
    configurations: tuple[Configuration, ...]


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What the command line says in place of the suite; ``None`` and empty leave it to the suite.

    Parameters
    ----------
    configurations
        Run these, on every instance (see :func:`configuration`).
    seeds
        Run these seeds.
    budget
        Fields of :class:`~combopt.budget.Budget` by name, ``seed`` aside.
    root
        The folder that stands for every ``root`` of the suite.
    read
        Options of :func:`combopt.read`, such as ``kind``, for a suite that is a folder or a file.
    """

    configurations: tuple[Configuration, ...] = ()
    seeds: tuple[int, ...] = ()
    budget: dict[str, Any] = field(default_factory=dict)
    root: Path | None = None
    read: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Instances, solvers, seeds, and the limits of every run.

    Parameters
    ----------
    name
        What reports call it.
    configurations
        The solvers.
    seeds
        Every solver runs on every instance with each of them.
    budget
        The limits of a run; its seed is not looked at.
    sources
        The instances.
    kinds
        For configurations that are run on some kinds only: those kinds, by label.
    references
        Best known values by the name of the instance; they go before those of manifests.
    warnings
        What was passed over, as sentences.

    Raises
    ------
    UsageError
        If there is no solver or no seed, or two configurations are the same.
    """

    name: str
    configurations: tuple[Configuration, ...] = (AUTO,)
    seeds: tuple[int, ...] = (0,)
    budget: Budget = BUDGET
    sources: tuple[Source, ...] = ()
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.configurations or not self.seeds:
            raise UsageError("E201", f"{self.name} has no {'seed' if self.configurations else 'solver'}")
        labels = [entry.label for entry in self.configurations]
        same = [f"{entry.solver} with options {canonical(entry.options)}" for entry in self.configurations]
        for what, items in (("seed", list(self.seeds)), ("label", labels), ("solver", same)):
            if twice := [item for number, item in enumerate(items) if item in items[:number]]:
                raise UsageError("E201", f"{self.name} has the {what} {twice[0]} twice")
        for seed in self.seeds:
            Budget(seed=seed)

    @classmethod
    def read(cls, path: str | Path, overrides: Overrides | None = None) -> Suite:
        """The suite of a TOML file, of a folder, or of one instance file (``FILE#k`` for one of many).

        Raises
        ------
        InputError
            With file and line, if the file is no valid suite, or instance files are not there.
        UsageError
            If a solver or an option does not exist, or a variable that names a folder is not set; E203 if a solver
            that the suite does not call optional needs something that is not installed.
        """
        overrides = overrides or Overrides()
        target = Path(path)
        if target.suffix.lower() == ".toml":
            from combopt.bench.suite_file import read  # it builds on this module

            return read(target, overrides)
        source: Files | Folder
        if target.is_dir():
            source = Folder(root=target.resolve(), read=overrides.read)
        else:
            file, select = api.split_selector(str(path))
            if not Path(file).is_file():
                raise InputError("E101", "there is no such suite, folder or file", place=Place(file))
            source = Files(
                root=Path(file).resolve().parent,
                pattern=glob.escape(Path(file).name),
                select=() if select is None else (select,),
                read=overrides.read,
            )
        source.insist()
        for entry in overrides.configurations:
            insist_installed(entry)
        return cls(
            name=target.resolve().name,
            configurations=overrides.configurations or (AUTO,),
            seeds=overrides.seeds or (0,),
            budget=limits(BUDGET, overrides.budget),
            sources=(source,),
        )

    def cases(self) -> Iterator[Case]:
        """Every instance, always in the same order; a file is read once to know it again (its SHA-256)."""
        for source in self.sources:
            configurations = self._for(source)
            for origin, reference in source.origins():
                if self.references:
                    reference = self.references.get(origins.name(origin), reference)
                yield Case(origin=origin, reference=reference, configurations=configurations)

    def count(self) -> int:
        """The number of cases; no file is read for it."""
        return sum(source.count() for source in self.sources)

    def runs(self) -> int:
        """The number of runs; no file is read for it."""
        return sum(source.count() * len(self._for(source)) for source in self.sources) * len(self.seeds)

    def tasks(self, case: Case, machine: str) -> Iterator[Task]:
        """The runs of a case: each of its configurations with every seed."""
        for configuration in case.configurations:
            for seed in self.seeds:
                yield Task(case.origin, configuration, seed, self.budget, machine, self.name)

    def _for(self, source: Source) -> tuple[Configuration, ...]:
        """The configurations that run on the instances of a source."""
        return tuple(c for c in self.configurations if c.label not in self.kinds or source.kind in self.kinds[c.label])


def configuration(text: str, options: dict[str, Any] | None = None, label: str = "") -> Configuration:
    """The configuration of a solver's name, or of ``external:COMMAND``.

    Raises
    ------
    UsageError
        E204 if there is no such solver, E201 for an unknown option or a value that does not fit.
    """
    solver, values = api.solver_and_options(text, options)
    if solver != "auto":
        made = api.make_solver(solver, values).options()
        values = {key: made[key] for key in values}  # in their types, where they were given as text
    elif values:
        raise UsageError("E201", "auto takes no options", remedy="Name the solver that the options are for.")
    return Configuration(solver=solver, options=values, label=label)


def insist_installed(configuration: Configuration) -> None:
    """Raise an error of code E203 if the solver needs something that is not installed."""
    if configuration.solver != "auto":
        made = api.make_solver(configuration.solver, configuration.options)
        if (error := made.missing()) is not None:
            raise error


def limits(base: Budget, values: dict[str, Any]) -> Budget:
    """``base`` with other limits by name.

    Raises
    ------
    UsageError
        E201 if there is no such limit, or the value does not fit.
    """
    known = {name: hint for name, hint in typing.get_type_hints(Budget).items() if name != "seed"}
    if unknown := [key for key in values if key not in known]:
        raise UsageError("E201", f"{unknown[0]!r} is no limit of a run", expected=", ".join(known))
    try:
        return replace(base, **{key: decode(known[key], value, key) for key, value in values.items()})
    except InputError as error:
        raise UsageError("E201", error.found, expected=error.expected) from None

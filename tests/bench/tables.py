"""Small tables of runs written out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from combopt.bench.runs import Failure, InstanceRow, Key, Reference, Run, budget_text, canonical
from combopt.bench.store import Store
from combopt.bench.table import Table
from combopt.budget import Budget
from combopt.model import Number, Sense
from combopt.result import Status, StoppedBy, TracePoint


def instance(name: str, sense: Sense = Sense.MIN, kind: str = "tsp") -> InstanceRow:
    return InstanceRow(digest=f"{kind}:{name}", name=name, kind=kind, sense=sense, size={"n": 3}, origin=name)


@dataclass
class Sweep:
    """Runs with their instances, as a store would hold them."""

    path: Path
    instances: dict[str, InstanceRow] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def on(self, name: str, reference: Number | None = None, *, proven: bool = False, **more: object) -> Sweep:
        self.instances[name] = instance(name, **more)  # type: ignore[arg-type]
        if reference is not None:
            self.references[name] = Reference(value=reference, proven=proven)
        return self

    def run(
        self,
        name: str,
        label: str,
        objective: Number | None = None,
        *,
        seed: int = 0,
        seconds: float = 1.0,
        limit: float = 10.0,
        bound: Number | None = None,
        status: Status | None = None,
        failure: Failure = Failure.NONE,
        trace: Sequence[tuple[float, Number | None]] = (),
        version: str = "1",
        options: dict[str, object] | None = None,
        machine: str = "m",
    ) -> Sweep:
        row = self.instances.setdefault(name, instance(name))
        key = Key(
            instance=row.digest, solver=label, version=version, options=canonical(options or {}), seed=seed,
            budget=budget_text(Budget(time_limit=limit)), machine=machine,
        )  # fmt: skip
        if status is None:
            status = Status.UNKNOWN if objective is None else Status.FEASIBLE
        self.runs.append(
            Run(
                key=key, label=label, seconds=seconds, status=status, stopped_by=StoppedBy.FINISHED,
                objective=objective, bound=bound, failure=failure, messages=("said",),
                trace=tuple(TracePoint(at, value, None) for at, value in trace),
            )
        )  # fmt: skip
        return self

    def store(self) -> Path:
        """The file, written anew."""
        self.path.unlink(missing_ok=True)
        with Store(self.path) as store:
            for name, row in self.instances.items():
                store.add_instance(row, self.references.get(name))
            names = {row.digest: name for name, row in self.instances.items()}
            for run in self.runs:
                name = names[run.key.instance]
                assert store.add(run, self.instances[name], self.references.get(name))
        return self.path

    def table(self) -> Table:
        return load(self.store())


def load(*paths: Path) -> Table:
    stores = [Store(path, readonly=True) for path in paths]
    try:
        return Table.load(*stores)
    finally:
        for store in stores:
            store.close()


def random_sweep(path: Path, seed: int, *, instances: int = 6, labels: str = "abc", seeds: int = 3) -> Sweep:
    """Runs with traces, failures, references and both senses at random; objectives are integers or not."""
    rng = np.random.default_rng(seed)
    sweep = Sweep(path)
    for k in range(instances):
        name, sense, whole = f"i{k}", (Sense.MIN, Sense.MAX)[k % 2], k % 3 > 0
        sign = 1 if sense is Sense.MIN else -1
        sweep.on(name, 1000 if k % 2 else None, sense=sense, kind=("tsp", "mip")[k % 2])
        for label in labels:
            for number in range(seeds):
                count = int(rng.integers(0, 5))
                costs = np.sort(rng.integers(0, 300, count))[::-1] / (1 if whole else 7)
                times = np.round(np.sort(rng.uniform(0, 9, count)), 4)
                values = [int(1000 + sign * c) if whole else float(1000 + sign * c) for c in costs]
                failure = Failure.CRASH if rng.random() < 0.15 else Failure.NONE
                seconds = float(np.round(rng.uniform(9, 10), 3))
                trace = list(zip(times.tolist(), values, strict=True))
                last = values[-1] if count else None
                sweep.run(name, label, last, seed=number, failure=failure, seconds=seconds, trace=trace)
    return sweep

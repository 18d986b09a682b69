"""A solver of one's own: whatever it hands over is checked, timed and traced like any other's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import combopt as co
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class RandomTours(Solver):
    """The best of many random tours."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="random_tours",
        title="random tours",
        kinds=("tsp",),
        capabilities=frozenset({Capability.INCUMBENTS, Capability.INTERRUPT}),
    )
    batch: int = 100

    def run(self, instance: co.Tsp, session: Session) -> Outcome:
        rng = np.random.default_rng(session.budget.seed)
        while not session.stopping:
            tours = [rng.permutation(instance.nodes) for _ in range(self.batch)]
            session.emit(co.Tour(min(tours, key=instance.metric.cycle)))
        return Outcome(stopped_by=co.StoppedBy.TIME)


if __name__ == "__main__":
    # A class of the main script cannot be sent to another process, hence isolate=False.
    result = co.solve(co.generate("tsp", n=20, seed=3), RandomTours(), time_limit=1, isolate=False)
    print(result)
    assert result.solution is not None

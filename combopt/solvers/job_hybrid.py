"""Job shops of middle size: a good schedule by tabu search first, then CP-SAT to improve on it and prove it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from combopt.model import Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.cpsat import scheduling
from combopt.solvers.cpsat.solver import CpSat
from combopt.solvers.job_tabu import JobTabu


@dataclass(frozen=True)
class JobHybrid(Solver):
    """CP-SAT proves much sooner with a schedule at hand that is nearly optimal, and tabu search finds one sooner.

    Parameters
    ----------
    rounds
        Rounds of tabu search that come first,
    share
        and the share of the time that they take at most.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="job_hybrid",
        title="tabu search, then CP-SAT, for job shops",
        kinds=("jobshop", "fjsp"),
        capabilities=frozenset(Capability),
        package="ortools",
    )
    rounds: int = 20
    share: float = 0.3

    def __post_init__(self) -> None:
        if self.rounds < 1 or not 0 < self.share < 1:
            raise ValueError(
                f"rounds = {self.rounds}, share = {self.share}: at least 1, and between 0 and 1, are needed"
            )

    def refuses(self, instance: Instance) -> str | None:
        return scheduling.refuses(instance)

    def run(self, instance: Instance, session: Session) -> Outcome:
        best = session.start

        def sink(event: Event) -> None:
            nonlocal best
            best = event.solution or best
            session.sink(event)

        until = session.deadline - (1 - self.share) * session.remaining()
        opening = Session(replace(session.budget, iterations=self.rounds), until, sink, session.start)
        session.on_stop(opening.request_stop)
        outcome = JobTabu().run(instance, opening)
        if outcome.stopped_by is StoppedBy.PROOF or session.stopping:
            return outcome
        main = Session(session.budget, session.deadline, session.sink, best)
        session.on_stop(main.request_stop)
        return CpSat().run(instance, main)

"""HGS-CVRP and SISR side by side: the best of both for instances of up to a few hundred customers."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

from combopt.instances.cvrp import Cvrp
from combopt.model import Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.hgs import SMALLEST, Hgs, servable
from combopt.solvers.string_removal import StringRemoval


@dataclass(frozen=True)
class RoutingPortfolio(Solver):
    """HGS on one thread, SISR on the others; on one thread, HGS alone.

    SISR hands over solutions from the beginning and can be interrupted, HGS most often has the last word.

    Parameters
    ----------
    opening
        Share of the time for HGS's first run; its second one is lost if it has not ended by the deadline.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="routing_portfolio",
        title="HGS-CVRP and SISR side by side",
        kinds=("cvrp",),
        capabilities=frozenset({Capability.WARM_START, Capability.INCUMBENTS, Capability.THREADS}),
        package="hygese",
        licence="MIT",
    )
    opening: float = 0.2

    def refuses(self, instance: Instance) -> str | None:
        return Hgs().refuses(instance) or StringRemoval().refuses(instance)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Cvrp)
        if instance.customers < SMALLEST or not servable(instance):
            return StringRemoval().run(instance, session)
        if session.budget.cores == 1:
            if session.start is not None:
                session.emit(session.start)
            return Hgs().run(instance, session)
        lock = threading.Lock()

        def sink(event: Event) -> None:
            with lock:
                session.sink(event)

        budget = dataclasses.replace(session.budget, threads=session.budget.cores - 1)
        beside = Session(budget, session.deadline, sink, session.start)
        alone = Session(session.budget, session.deadline, sink)
        session.on_stop(beside.request_stop)
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(StringRemoval().run, instance, beside)
            if session.budget.iterations is None:
                Hgs().runs(instance, alone, self.opening)
            else:
                Hgs().run(instance, alone)
            outcome = future.result()
        return Outcome(stopped_by=outcome.stopped_by if session.budget.iterations else StoppedBy.TIME)

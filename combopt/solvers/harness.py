"""One solve from call to result: start, child process or in-process run, gate, deadline, signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext

from combopt.budget import Budget
from combopt.errors import UnsupportedError
from combopt.model import Instance, Solution
from combopt.result import Result, StoppedBy
from combopt.solvers.base import Event, Outcome, Session, Solver, execute
from combopt.solvers.gate import Gate, Progress
from combopt.solvers.interrupts import Interrupts


def solve(
    solver: Solver,
    instance: Instance,
    budget: Budget,
    *,
    start: Solution | None = None,
    report: Callable[[Progress], None] | None = None,
    isolate: bool = True,
    interrupts: Interrupts | None = None,
    started: float | None = None,
) -> Result:
    """Run ``solver`` on ``instance`` and return the checked result.

    Parameters
    ----------
    start
        A solution to start from; it counts as the first incumbent if it is feasible, whether or not the solver
        can use it.
    report
        Called in this process on every improvement; an exception it raises ends the solve and reaches the caller.
    isolate
        Run in a child process (the rule), or in this one: quicker for tiny models, but then the time limit and
        crashes are in the solver's hands.
    interrupts
        Signals that the caller is catching already; by default they are caught for the time of the call.
    started
        When the call began, in :func:`time.monotonic`; the time limit counts from there.

    Raises
    ------
    UnsupportedError
        If the solver cannot take the instance.
    MissingExtraError
        If its package is not installed.
    """
    started = time.monotonic() if started is None else started
    reason = solver.why_not(instance)
    if reason is not None:
        raise UnsupportedError("E202", f"{solver.info.name} cannot solve {instance.name}: {reason}")
    if (error := solver.missing()) is not None:
        raise error
    version = solver.info.version() or ""
    gate = Gate(instance, budget, started, report)
    if start is not None:
        gate.offer(start, time.monotonic() - started, "the start")
    reached = gate.reached()
    with nullcontext(interrupts) if interrupts is not None else Interrupts() as caught:
        if reached is not None:
            outcome = Outcome(stopped_by=reached)
        elif isolate:
            from combopt.solvers.isolate import run_isolated

            outcome = run_isolated(solver, instance, budget, start, gate, caught)
        else:
            outcome = run_here(solver, instance, budget, start, gate, caught)
    return gate.result(outcome, time.monotonic() - started, solver.info.name, version, solver.options())


def run_here(
    solver: Solver,
    instance: Instance,
    budget: Budget,
    start: Solution | None,
    gate: Gate,
    interrupts: Interrupts,
) -> Outcome:
    """Run the solver in this process; limits hold as far as the solver heeds them."""
    reason: StoppedBy | None = None
    lock = threading.Lock()  # solvers may hand over from several threads

    def sink(event: Event) -> None:
        nonlocal reason
        with lock:
            reached = gate.take(event)
        if reached is not None and reason is None:
            reason = reached
            session.request_stop()

    def interrupt() -> None:
        nonlocal reason
        reason = reason or StoppedBy.INTERRUPT
        session.request_stop()

    session = Session(budget, gate.started + budget.time_limit, sink, start)
    interrupts.subscribe(interrupt)
    try:
        outcome = execute(solver, instance, session)
    finally:
        interrupts.unsubscribe(interrupt)
    return stopped(outcome, reason)


def stopped(outcome: Outcome, reason: StoppedBy | None) -> Outcome:
    """The outcome with the harness's reason for stopping, unless the solver finished a proof."""
    if reason is None or outcome.stopped_by is StoppedBy.PROOF:
        return outcome
    return Outcome(status=outcome.status, stopped_by=reason, bound=outcome.bound)

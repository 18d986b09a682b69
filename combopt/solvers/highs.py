"""The solver ``highs``: HiGHS through highspy, the program handed over in memory."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from combopt.errors import SolverError, UsageError
from combopt.instances.mip import CONTINUOUS, INTEGER, Mip
from combopt.instances.solutions import Point
from combopt.model import Floats, Instance, Ints, Sense
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.linear import apart, at_once, beyond, bound_rule, pairs, rounded_bounds, start_values
from combopt.solvers.native import Guard, reachable
from combopt.solvers.repair import Repair, release_threads

if TYPE_CHECKING:
    import highspy

BOUND_INTERVAL = 0.1
"""Least seconds between two reports of the dual bound."""
LARGEST_COEFFICIENT = 1e15
"""From here on HiGHS refuses matrix entries (its option ``large_matrix_value``)."""
LARGEST_SEMI = 1e5
"""Largest upper bound of a semi-continuous column that HiGHS handles without loss (``kMaxSemiVariableUpper``)."""
COMPLETING, LONGEST = 0.1, 10.0
"""Share of the time, and most seconds, in which a start that lacks columns is completed."""
FEASIBLE_POINT = 2
"""HiGHS's code for a feasible primal solution."""
BY_ROWS = 2
"""HiGHS's code for a matrix given by rows."""


@dataclass(frozen=True)
class Highs(Solver):
    """Branch and cut, and the simplex method where no column is integer.

    Parameters
    ----------
    settings
        HiGHS options: ``"presolve=off, mip_heuristic_effort=0.1"``.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="highs",
        title="HiGHS: linear and mixed-integer programs",
        kinds=("mip",),
        capabilities=frozenset(Capability),
        package="highspy",
        licence="MIT",
    )
    settings: str = ""

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, Mip)
        if instance.sos:
            return "it has no special ordered sets"
        if instance.indicators:
            return "it has no indicator constraints"
        split = apart(instance)
        if (instance.lower[split] < 0).any() or (instance.upper[split] > LARGEST_SEMI).any():
            return f"it takes semi-continuous columns only with bounds from 0 to {LARGEST_SEMI:g}"
        return beyond(instance, LARGEST_COEFFICIENT)

    def run(self, instance: Instance, session: Session) -> Outcome:
        from highspy import HighsModelStatus

        assert isinstance(instance, Mip)
        if (known := at_once(instance, session)) is not None:
            return known
        settings = pairs(self.settings)
        start = _whole_start(instance, session, settings)
        search = _Search(instance, session, settings, instance.cost, start)
        status = search.run()
        if status == HighsModelStatus.kUnknown and not session.stopping:
            # The simplex method has lost its way in the numbers; the interior point method seldom does.
            search = _Search(instance, session, [*settings, ("solver", "ipm")], instance.cost, start)
            status = search.run()
        if status in (HighsModelStatus.kUnbounded, HighsModelStatus.kUnboundedOrInfeasible):
            # Without its objective the program is feasible or not; if it is, what HiGHS found was a ray.
            search = _Search(instance, session, settings, np.zeros_like(instance.cost))
            if (status := search.run()) == HighsModelStatus.kOptimal:
                return Outcome(status=Status.UNBOUNDED, stopped_by=StoppedBy.PROOF)
        return _outcome(status, search)


def _whole_start(mip: Mip, session: Session, settings: list[tuple[str, str]]) -> Floats | None:
    """The start if it is feasible; else what a short search finds that holds its integers; ``None`` if nothing.

    HiGHS would complete or repair it as well, but tells bounds of that search as if they were of the whole program.
    """
    values = start_values(mip, session.start)
    if values is None:
        return None
    if not np.isnan(values).any() and mip.evaluate(Point(mip.columns, values)).feasible:
        return values
    known = np.isfinite(values) & mip.integral & ~apart(mip)
    if not known.any():
        return None
    held = np.clip(np.rint(np.where(known, values, 0.0)), *rounded_bounds(mip))
    lower, upper = np.where(known, held, mip.lower), np.where(known, held, mip.upper)
    seconds = min(COMPLETING * session.remaining(), LONGEST)
    rest = dataclasses.replace(mip, lower=lower, upper=upper)
    search = _Search(rest, session, [*settings, ("time_limit", str(seconds))], mip.cost)
    search.proving = False
    search.run()
    return search.latest


def _outcome(status: Any, search: _Search) -> Outcome:
    from highspy import HighsModelStatus as Ended

    if status == Ended.kInfeasible:
        return Outcome.infeasible()
    if status == Ended.kOptimal and search.bound is not None:
        if search.closed:
            return Outcome.optimal(search.bound)
        reached = search.session.budget.gap > 0
        return Outcome(stopped_by=StoppedBy.GAP if reached else StoppedBy.FINISHED, bound=search.bound)
    stopped = {
        Ended.kTimeLimit: StoppedBy.TIME,
        Ended.kIterationLimit: StoppedBy.ITERATIONS,
        Ended.kSolutionLimit: StoppedBy.ITERATIONS,
        Ended.kInterrupt: StoppedBy.INTERRUPT,
        Ended.kMemoryLimit: StoppedBy.MEMORY,
    }
    return Outcome(stopped_by=stopped.get(status, StoppedBy.FINISHED), bound=search.bound)


class _Search:
    """One call of HiGHS: the program with objective ``cost``, and what HiGHS says while it runs."""

    def __init__(
        self, mip: Mip, session: Session, settings: list[tuple[str, str]], cost: Floats, start: Floats | None = None
    ) -> None:
        self.mip, self.session, self.settings, self.cost, self.start = mip, session, settings, cost, start
        self.rule = bound_rule(mip)
        self.proving = cost is mip.cost
        self.domain: Ints = np.where(apart(mip), mip.domain, np.where(mip.integral, INTEGER, CONTINUOUS))
        self.latest: Floats | None = None
        self.bound: int | float | None = None
        self.closed = False
        self.told = 0.0
        self.guard = Guard(lambda: None)
        self.repair = Repair(mip, session, nested=True)

    def run(self) -> Any:
        """Solve and return HiGHS's status."""
        import highspy

        solver = highspy.Highs()
        self._configure(solver)
        self._fill(solver)
        self._start(solver)
        solver.cbMipInterrupt.subscribe(lambda event: self.guard(self._bound, event.data_out))
        for kind in (solver.cbMipInterrupt, solver.cbSimplexInterrupt, solver.cbIpmInterrupt):
            kind.subscribe(self.interruptible)
        solver.cbMipImprovingSolution.subscribe(lambda event: self.guard(self.improved, event))
        if self.session.advised and not (self.domain > INTEGER).any():  # HiGHS adds columns for semi-continuous ones
            solver.cbMipUserSolution.subscribe(lambda event: self.guard(self.advice, event))

        def call() -> Any:
            release_threads()
            try:
                return solver.run()
            finally:
                release_threads()

        answer = reachable(call, self.session)
        self.guard.check()
        status = solver.getModelStatus()
        if answer == highspy.HighsStatus.kError:
            raise SolverError("E301", f"HiGHS failed: {solver.modelStatusToString(status)}")
        self._finish(solver, status)
        return status

    def _configure(self, solver: highspy.Highs) -> None:
        budget = self.session.budget
        options: dict[str, Any] = {
            "output_flag": False,
            "threads": budget.cores,
            "random_seed": budget.seed,
            "mip_rel_gap": budget.gap,
            "small_matrix_value": 1e-12,
            "time_limit": self.session.remaining(),
        }
        if budget.nodes is not None:
            options["mip_max_nodes"] = budget.nodes
        if budget.iterations is not None:
            options["simplex_iteration_limit"] = budget.iterations
        for name, value in options.items():
            solver.setOptionValue(name, value)
        for name, value in self.settings:
            _set(solver, name, value)

    def _fill(self, solver: highspy.Highs) -> None:
        from highspy import HighsStatus

        mip = self.mip
        lower, upper = rounded_bounds(mip)
        nothing = lower > upper  # of a semi-continuous column, so only 0 is left
        lower[nothing] = upper[nothing] = 0.0
        self.domain[nothing] = INTEGER
        answer = solver.passModel(
            len(mip.columns), len(mip.rows), len(mip.row_value), BY_ROWS, -1 if mip.sense is Sense.MAX else 1,
            mip.offset, self.cost, lower, upper, mip.row_lower, mip.row_upper,
            mip.row_start.astype(np.int32), mip.row_column.astype(np.int32), mip.row_value,
            self.domain.astype(np.int32),
        )  # fmt: skip
        if answer == HighsStatus.kError:
            raise SolverError("E301", f"HiGHS does not take the program {mip.name}")

    def _start(self, solver: highspy.Highs) -> None:
        if self.start is not None:
            columns = np.arange(len(self.start), dtype=np.int32)
            solver.setSolution(len(columns), columns, self.start)

    def interruptible(self, event: Any) -> None:
        """Called by HiGHS every so often: says whether to stop."""
        if self.guard.error is not None or self.session.stopping:
            event.interrupt()

    def _bound(self, found: Any) -> None:
        now = time.monotonic()
        if not self.proving or now - self.told < BOUND_INTERVAL:
            return
        self.told = now
        bound = self.rule(found.mip_dual_bound)
        if bound is not None and bound != self.bound:
            self.bound = bound
            self.session.bound(bound)

    def improved(self, event: Any) -> None:
        self.solution(np.array(event.data_out.mip_solution))

    def advice(self, event: Any) -> None:
        """Called by HiGHS when it could take a solution of others: give it the latest, which it checks."""
        for told in reversed(self.session.advice()):
            values = start_values(self.mip, told.solution)
            if values is not None and not np.isnan(values).any():
                event.data_in.setSolution(values)
                return

    def solution(self, values: Floats) -> None:
        own = values[: len(self.mip.columns)]  # HiGHS appends columns of its own for semi-continuous ones
        if self.latest is None or not np.array_equal(own, self.latest):
            self.latest = own
            self.repair.emit(own)

    def _finish(self, solver: highspy.Highs, status: Any) -> None:
        from highspy import HighsModelStatus

        optimal = status == HighsModelStatus.kOptimal
        info = solver.getInfo()
        if optimal or info.primal_solution_status == FEASIBLE_POINT:
            # Not every improvement passes the callback.
            self.solution(np.array(solver.getSolution().col_value))
        if not self.proving:
            return
        objective = info.objective_function_value
        if self.domain.any():
            self.bound = self.rule(info.mip_dual_bound)
            self.closed = abs(objective - info.mip_dual_bound) <= 1e-6 * max(1.0, abs(objective))
        elif optimal:
            self.bound, self.closed = self.rule(objective), True


def _set(solver: highspy.Highs, name: str, value: str) -> None:
    from highspy import HighsStatus

    if solver.setOptionValue(name, value) == HighsStatus.kError:
        raise UsageError("E201", f"settings: {name}={value}", expected="an option of HiGHS with a value it takes")

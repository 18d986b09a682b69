"""The solver ``cpsat``: runs whatever CP-SAT model the kind of the instance has."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from combopt.errors import SolverError, UsageError
from combopt.model import Instance
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.cpsat.models import MODELS
from combopt.solvers.cpsat.view import CpView
from combopt.solvers.native import Guard, number, reachable

if TYPE_CHECKING:
    from ortools.sat.python import cp_model


@dataclass(frozen=True)
class CpSat(Solver):
    """Models of all kinds are in :data:`~combopt.solvers.cpsat.models.MODELS`.

    Parameters
    ----------
    parameters
        Further ``SatParameters`` as protobuf text, e.g. ``"linearization_level: 2"``.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="cpsat",
        title="OR-Tools CP-SAT: constraint programming with clause learning and linear relaxations",
        kinds=tuple(MODELS),
        capabilities=frozenset(Capability),
        package="ortools",
    )
    parameters: str = ""

    def refuses(self, instance: Instance) -> str | None:
        refusal = getattr(_module(instance.kind), "refuses", None)
        return refusal(instance) if refusal is not None else None

    def run(self, instance: Instance, session: Session) -> Outcome:
        from ortools.sat.python import cp_model

        view: CpView = _module(instance.kind).build(instance)
        if problem := view.model.validate():
            raise SolverError("E301", f"CP-SAT does not take the model of {instance.name}: {problem.strip()}")
        if view.start is not None:
            session.emit(view.start)
        if session.start is not None and view.hint is not None:
            for variable, value in view.hint(session.start):
                view.model.add_hint(variable, value)
        solver = cp_model.CpSolver()
        self._configure(solver.parameters, session, view)
        search = _Search(view, session, solver)
        if session.stopping:
            return Outcome()
        status = reachable(search.solve, session)
        search.guard.check()
        return self._outcome(status, search)

    def _configure(self, parameters: Any, session: Session, view: CpView) -> None:
        budget = session.budget
        parameters.merge_text_format(view.parameters)
        parameters.num_workers = budget.cores
        parameters.random_seed = budget.seed
        parameters.max_time_in_seconds = session.remaining()
        parameters.relative_gap_limit = budget.gap
        parameters.absolute_gap_limit = 0.0
        # The harness answers Ctrl-C; two handlers would hide it from one another.
        parameters.catch_sigint_signal = False
        if self.parameters and not parameters.merge_text_format(self.parameters):
            raise UsageError(
                "E201", f"parameters = {self.parameters!r}", expected="SatParameters as protobuf text, name: value"
            )

    def _outcome(self, status: Any, search: _Search) -> Outcome:
        from ortools.sat.python import cp_model

        solver, view = search.solver, search.view
        if status == cp_model.MODEL_INVALID:
            raise SolverError("E301", f"CP-SAT does not take the model: {solver.solution_info()}")
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) and not search.solutions:
            search.session.emit(view.decode(solver.value))
        if not view.proves:
            return Outcome(stopped_by=self._cause(search))
        if status == cp_model.INFEASIBLE:
            return Outcome.infeasible()
        if status == cp_model.UNKNOWN:
            # Here the bound may never have been set; those that hold were handed over by the callback.
            return Outcome(stopped_by=self._cause(search))
        bound = number(view.objective(solver.best_objective_bound))
        if status != cp_model.OPTIMAL:
            return Outcome(stopped_by=self._cause(search), bound=bound)
        # With a gap to reach, "optimal" means no more than that the gap was reached.
        if search.session.budget.gap > 0 and solver.objective_value != solver.best_objective_bound:
            return Outcome(stopped_by=StoppedBy.GAP, bound=bound)
        return Outcome(status=Status.OPTIMAL, stopped_by=StoppedBy.PROOF, bound=bound)

    def _cause(self, search: _Search) -> StoppedBy:
        # Of itself CP-SAT gives up for want of time alone; it does so early where it cannot look at the clock often.
        return StoppedBy.FINISHED if self.parameters and search.session.remaining() > 0.02 else StoppedBy.TIME


class _Search:
    """One call of CP-SAT with its callbacks."""

    def __init__(self, view: CpView, session: Session, solver: cp_model.CpSolver) -> None:
        self.view, self.session, self.solver = view, session, solver
        self.guard = Guard(solver.stop_search)
        self.solutions = 0

    def solve(self) -> Any:
        from ortools.sat.python import cp_model

        search = self

        class Callback(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
            def on_solution_callback(self) -> None:
                values = list(self.response_proto.solution)
                search.guard(search.solution, lambda variable: values[variable.index])

        self.session.on_stop(self.solver.stop_search)
        if self.view.proves and self.view.model.has_objective():
            self.solver.best_bound_callback = lambda value: self.guard(self.bound, value)
        return self.solver.solve(self.view.model, Callback())

    def solution(self, values: Any) -> None:
        self.solutions += 1
        self.session.emit(self.view.decode(values))
        self.stop_if_asked()

    def bound(self, value: float) -> None:
        self.session.bound(number(self.view.objective(value)))
        self.stop_if_asked()

    def stop_if_asked(self) -> None:
        # A stop that came before CP-SAT had begun was lost on it.
        if self.session.stopping:
            self.solver.stop_search()


def _module(kind: str) -> ModuleType:
    return importlib.import_module(MODELS[kind].partition(":")[0])

"""The solver ``scip``: SCIP through PySCIPOpt, the program handed over in memory."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from combopt.errors import UsageError
from combopt.instances.mip import Indicator, Mip
from combopt.model import Floats, Instance, Sense
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.linear import (
    INFINITY,
    apart,
    at_once,
    beyond,
    bound_rule,
    clipped,
    pairs,
    rounded_bounds,
    start_values,
)
from combopt.solvers.native import Guard, reachable
from combopt.solvers.repair import Repair

if TYPE_CHECKING:
    import pyscipopt

BOUND_INTERVAL = 0.1
"""Least seconds between two reports of the dual bound."""

TIGHT = "1e-9"
"""Feasibility tolerance of the second attempt (SCIP's default is 1e-6)."""

_STOPPED = {
    "timelimit": StoppedBy.TIME,
    "nodelimit": StoppedBy.ITERATIONS,
    "totalnodelimit": StoppedBy.ITERATIONS,
    "memlimit": StoppedBy.MEMORY,
    "gaplimit": StoppedBy.GAP,
    "userinterrupt": StoppedBy.INTERRUPT,
}


@dataclass(frozen=True)
class Scip(Solver):
    """Branch and cut on one thread.

    Parameters
    ----------
    emphasis
        ``default``, ``feasibility`` (solutions early), ``optimality`` (proofs) or ``easy`` (little presolving and
        cutting): SCIP's own settings of that name.
    settings
        SCIP parameters on top of that: ``"separating/maxroundsroot=0, presolving/maxrounds=1"``.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="scip",
        title="SCIP: branch and cut for mixed-integer programs",
        kinds=("mip",),
        capabilities=frozenset(Capability) - {Capability.THREADS},
        package="pyscipopt",
        licence="MIT",
    )
    emphasis: Literal["default", "feasibility", "optimality", "easy"] = "default"
    settings: str = ""

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, Mip)
        return beyond(instance, INFINITY)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Mip)
        if (known := at_once(instance, session)) is not None:
            return known
        settings = [("emphasis", self.emphasis), *pairs(self.settings)]
        search = _Search(instance, session, settings, instance.cost)
        status = search.run()
        if status == "optimal" and not search.held:
            # SCIP's tolerance grows with the sides of a row; where its best point does not hold, it is made smaller.
            search = _Search(instance, session, [*settings, ("numerics/feastol", TIGHT)], instance.cost)
            status = search.run()
        if status in ("unbounded", "inforunbd") and not (search.latest is not None and search.held):
            # Without its objective the program is feasible or not; if it is, what SCIP found was a ray.
            search = _Search(instance, session, settings, np.zeros_like(instance.cost))
            feasible = search.run()
            status = {"optimal": "unbounded", "infeasible": "infeasible"}.get(feasible, feasible)
            search.bound = None
        return _outcome(status, search)


def _outcome(status: str, search: _Search) -> Outcome:
    if status == "infeasible":
        return Outcome.infeasible()
    if status == "unbounded":
        return Outcome(status=Status.UNBOUNDED, stopped_by=StoppedBy.PROOF)
    if status == "optimal" and search.bound is not None:
        return Outcome.optimal(search.bound)
    return Outcome(stopped_by=_STOPPED.get(status, StoppedBy.FINISHED), bound=search.bound)


class _Search:
    """One call of SCIP: the program with objective ``cost``, and what SCIP says while it runs."""

    def __init__(self, mip: Mip, session: Session, settings: list[tuple[str, str]], cost: Floats) -> None:
        self.mip, self.session, self.settings, self.cost = mip, session, settings, cost
        self.rule = bound_rule(mip)
        self.proving = cost is mip.cost
        self.latest: Floats | None = None
        self.held = True
        self.taken = False
        self.bound: int | float | None = None
        self.told = 0.0
        self.guard = Guard(self.interrupt)
        self.repair = Repair(mip, session)
        self.lock = threading.Lock()
        self.model: pyscipopt.Model | None = None
        self.variables: list[Any] = []

    def run(self) -> str:
        """Solve and return SCIP's status; its memory is given back."""
        from pyscipopt import Model

        model = Model()
        try:
            model.hideOutput()
            self.variables = fill(model, self.mip, self.cost)
            self._configure(model)
            self._start(model)
            model.includeEventhdlr(_handler(self), "combopt", "hands over incumbents and bounds")
            if self.session.advised:
                _listen(model, self)
            self.model = model
            self.session.on_stop(self.interrupt)
            if self.session.stopping:
                return "userinterrupt"
            reachable(model.optimizeNogil, self.session)
            self.guard.check()
            status: str = model.getStatus()
            if model.getNSols():
                self.solution(model)
            if self.proving:
                self.bound = self.rule(model.getDualbound())
            return status
        finally:
            with self.lock:
                self.model, self.variables = None, []
            model.free()

    def interrupt(self) -> None:
        """Stop SCIP, if it runs; may be called from any thread at any time."""
        with self.lock:
            if self.model is not None:
                # SCIP refuses while it sets up its search; the next event asks again.
                with contextlib.suppress(Exception):
                    self.model.interruptSolve()

    def _configure(self, model: pyscipopt.Model) -> None:
        budget = self.session.budget
        (_, emphasis), *settings = self.settings
        if emphasis != "default":
            _emphasise(model, emphasis)  # resets all other parameters, so it comes first
        model.setParam("misc/catchctrlc", False)
        model.setParam("limits/gap", budget.gap)
        if budget.nodes is not None:
            model.setParam("limits/nodes", budget.nodes)
        if budget.memory is not None:
            model.setParam("limits/memory", float(budget.memory))
        if budget.seed:
            model.setParam("randomization/randomseedshift", budget.seed)
            model.setParam("randomization/permutationseed", budget.seed)
        for name, value in settings:
            _set(model, name, value)
        model.setParam("limits/time", min(INFINITY, self.session.remaining()))

    def _start(self, model: pyscipopt.Model) -> None:
        values = start_values(self.mip, self.session.start)
        if values is None:
            return
        known = ~np.isnan(values)
        solution = model.createOrigSol() if known.all() else model.createPartialSol()
        for j in np.flatnonzero(known).tolist():
            solution[self.variables[j]] = float(values[j])
        extra = np.flatnonzero(apart(self.mip)).tolist()
        for variable, j in zip(self.variables[len(self.mip.columns) :], extra, strict=True):
            if known[j]:
                solution[variable] = float(values[j] != 0)
        model.addSol(solution)

    def event(self, model: pyscipopt.Model, best: bool) -> None:
        """Called by SCIP when it has a better solution (``best``), a better bound or a new node."""
        if self.model is None:
            return  # SCIP takes its tree down, and an empty one has any bound
        if best:
            self.solution(model)
        elif self.proving and time.monotonic() - self.told >= BOUND_INTERVAL:
            self.told = time.monotonic()
            bound = self.rule(model.getDualbound())
            if bound is not None and bound != self.bound:
                self.bound = bound
                self.session.bound(bound)
        if self.session.stopping:
            self.interrupt()

    def advice(self, model: pyscipopt.Model, heuristic: Any) -> None:
        """Try the solutions that others have found, the latest first; ``taken`` says whether SCIP took one."""
        self.taken = False
        for told in reversed(self.session.advice()):
            values = start_values(self.mip, told.solution)
            if values is None or np.isnan(values).any():
                continue
            solution = model.createOrigSol(heuristic)
            for variable, value in zip(self.variables, values.tolist(), strict=False):
                solution[variable] = value
            if model.trySol(solution):
                self.taken = True
                return

    def solution(self, model: pyscipopt.Model) -> None:
        """Hand over SCIP's best solution; ``held`` says whether it passed the check."""
        best = model.getBestSol()
        count = len(self.mip.columns)
        values = np.fromiter((model.getSolVal(best, v) for v in self.variables[:count]), np.float64, count)
        if self.latest is None or not np.array_equal(values, self.latest):
            self.latest = values
            self.held = self.repair.emit(values)


def _handler(search: _Search) -> Any:
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr

    best = SCIP_EVENTTYPE.BESTSOLFOUND

    class Handler(Eventhdlr):  # type: ignore[misc]
        def eventinit(self) -> None:
            for kind in (best, SCIP_EVENTTYPE.DUALBOUNDIMPROVED, SCIP_EVENTTYPE.NODEFOCUSED):
                self.model.catchEvent(kind, self)

        def eventexec(self, event: Any) -> None:
            search.guard(search.event, self.model, event.getType() == best)

    return Handler()


def _listen(model: pyscipopt.Model, search: _Search) -> None:
    """Have SCIP ask for advice before every node.  Only a heuristic may add solutions while SCIP searches: from an
    event handler it crashes now and then."""
    from pyscipopt import SCIP_HEURTIMING, SCIP_RESULT, Heur

    class Advice(Heur):  # type: ignore[misc]
        def heurexec(self, timing: Any, infeasible: bool) -> dict[str, Any]:
            search.guard(search.advice, self.model, self)
            return {"result": SCIP_RESULT.FOUNDSOL if search.taken else SCIP_RESULT.DIDNOTFIND}

    model.includeHeur(
        Advice(), "combopt", "solutions of others", "C",
        priority=1_000_000, freq=1, timingmask=SCIP_HEURTIMING.BEFORENODE,
    )  # fmt: skip


def fill(model: pyscipopt.Model, mip: Mip, cost: Floats) -> list[Any]:
    """Put the program into an empty SCIP model; returns the variables of the columns, then those of :func:`apart`.

    Expressions are made directly from their terms: adding them up term by term takes far longer.
    """
    from pyscipopt.scip import Expr, ExprCons, Term

    split = apart(mip)
    lower, upper = map(clipped, rounded_bounds(mip))
    lower[split], upper[split] = np.minimum(lower[split], 0), np.maximum(upper[split], 0)
    variables = _variables(model, mip, lower, upper, cost)
    if mip.sense is Sense.MAX:
        model.setMaximize()
    model.addObjoffset(mip.offset)
    terms = [Term(v) for v in variables]
    starts, values = mip.row_start.tolist(), mip.row_value.tolist()
    entries = [terms[j] for j in mip.row_column.tolist()]
    sides = list(zip(clipped(mip.row_lower).tolist(), clipped(mip.row_upper).tolist(), strict=True))

    def expression(row: int) -> Any:
        a, b = starts[row], starts[row + 1]
        return Expr(dict(zip(entries[a:b], values[a:b], strict=True)))

    conditional = {indicator.row for indicator in mip.indicators}
    for row, (low, high) in enumerate(sides):
        if row not in conditional and (low > -INFINITY or high < INFINITY):
            model.addCons(ExprCons(expression(row), low, high), name=mip.rows[row], dynamic=True)
    for indicator in mip.indicators:
        _add_indicator(model, expression(indicator.row), sides[indicator.row], variables[indicator.column], indicator)
    for group in mip.sos:
        members = [variables[j] for j in group.columns]
        add_set = model.addConsSOS1 if group.type == 1 else model.addConsSOS2
        add_set(members, [float(k) for k in range(1, len(members) + 1)], name=group.name)
    return variables + [_split(model, variables[j], mip, j) for j in np.flatnonzero(split).tolist()]


def _variables(model: pyscipopt.Model, mip: Mip, lower: Floats, upper: Floats, cost: Floats) -> list[Any]:
    """The variables of the columns, in the order in which SCIP's own MPS reader leaves them.

    That reader makes every integer column a binary, and a general integer as soon as it meets a bound of it, which
    may turn it into a binary again; each change moves variables about in SCIP's array.  The order steers the search,
    so another one may take far longer, or shorter: with this one SCIP does through combopt what it does by itself.
    """
    whole = mip.integral
    binary = whole & (lower == 0) & (upper == 1)
    low, high = np.where(whole, 0.0, lower), np.where(whole, 1.0, upper)
    types = np.where(whole, "B", "C").tolist()
    columns = zip(mip.columns, types, low.tolist(), high.tolist(), cost.tolist(), strict=True)
    variables = [model.addVar(*column) for column in columns]
    for j in np.flatnonzero(whole).tolist():
        model.chgVarType(variables[j], "I")
        if binary[j]:
            model.chgVarType(variables[j], "B")
        else:
            model.chgVarLb(variables[j], float(lower[j]))
            model.chgVarUb(variables[j], float(upper[j]))
    return variables


def _add_indicator(
    model: pyscipopt.Model, expression: Any, sides: tuple[float, float], switch: Any, indicator: Indicator
) -> None:
    from pyscipopt.scip import ExprCons

    low, high = sides
    active = bool(indicator.active)
    if low > -INFINITY:
        model.addConsIndicator(ExprCons(expression, lhs=low), switch, activeone=active)
    if high < INFINITY:
        model.addConsIndicator(ExprCons(expression, rhs=high), switch, activeone=active)


def _split(model: pyscipopt.Model, variable: Any, mip: Mip, j: int) -> Any:
    """Let a column be 0 or within its bounds, by a binary variable that is 1 in the second case; returns that."""
    from pyscipopt.scip import Expr, ExprCons, Term

    switch = model.addVar(f"{mip.columns[j]}@on", "B", 0.0, 1.0)
    x, on = Term(variable), Term(switch)
    for bound, is_lower in ((float(mip.lower[j]), True), (float(mip.upper[j]), False)):
        if abs(bound) < INFINITY:
            expression = Expr({x: 1.0, on: -bound})
            model.addCons(ExprCons(expression, lhs=0.0) if is_lower else ExprCons(expression, rhs=0.0))
        else:
            off = ExprCons(Expr({x: 1.0}), lhs=0.0) if is_lower else ExprCons(Expr({x: 1.0}), rhs=0.0)
            model.addConsIndicator(off, switch, activeone=False)
    return switch


def _emphasise(model: pyscipopt.Model, emphasis: str) -> None:
    from pyscipopt import SCIP_PARAMEMPHASIS

    names = {"feasibility": "FEASIBILITY", "optimality": "OPTIMALITY", "easy": "EASYCIP"}
    model.setEmphasis(getattr(SCIP_PARAMEMPHASIS, names[emphasis]))
    model.hideOutput()


def _set(model: pyscipopt.Model, name: str, value: str) -> None:
    try:
        model.setParam(name, {"true": True, "false": False}.get(value.lower(), value))
    except (KeyError, ValueError) as error:
        reason = error.args[0] if error.args else error
        raise UsageError("E201", f"settings: {name}={value}: {reason}", expected="a parameter of SCIP") from None

"""The solver ``k_adaptability``: a first stage with k recourse decisions fixed in advance, the best of which is taken.

The problem is min over x and y_1, ..., y_k of the max over xi of the least cost of those y_j that are feasible in xi.
It restricts the recourse, so what it guarantees is never better than the two-stage optimum; with k decisions more than
are ever needed it is the same.  Two ways, both exact in the limit:

``tree``
    Subramanyam, Gounaris and Wiesemann, "K-adaptability in two-stage mixed-integer robust optimization", Mathematical
    Programming Computation 12 (2020), Algorithm 1 of the section "Solution scheme": branch and bound over which policy
    has to serve which scenario.  The program of a node has one copy of the recourse for each policy, with the rows of
    its scenarios; the separation problem finds the scenario where the policies of its solution are worst, and there
    is a child for every policy that may serve it.  Policies without scenarios are alike, so one of them is tried
    ("breaking symmetry" there).
``program``
    Hanasusanto, Kuhn and Wiesemann, "K-adaptability in two-stage robust binary programming", Operations Research 63
    (2015), the reformulation for an uncertain objective: the least of k costs is the least of their mixtures, so the
    maximum over xi can be dualised; the products of weights and binary decisions are linearised.

A bound of this restriction is none of the two-stage problem, and is not claimed.  One is: in a node in which no policy
serves more than one scenario, the program is the main problem of column-and-constraint generation (Zeng and Zhao
2013).
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from combopt import registry
from combopt.errors import UnsupportedError, UsageError
from combopt.instances.mip import CONTINUOUS, Mip
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import Point, RobustPlan
from combopt.model import Floats, Instance, Ints, show
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.robust.capital import TOLERANCES
from combopt.solvers.robust.k_policies import Policies, policies, shortfall, unfit
from combopt.solvers.robust.main import Main, Solved
from combopt.solvers.robust.recourse import sign_of
from combopt.solvers.robust.relaxed import add_relaxed

CLOSED = 1e-6
"""Relative difference up to which two costs are the same; programs that decide are solved to a tenth of it."""
ROUGH = 1e-4
"""Relative gap of the programs of the tree: where projects are alike the last digits take most of the time."""
SAME = 1e-9
"""Largest difference of the factors up to which two scenarios are the same."""
RESERVE, LONGEST = 0.1, 2.0
"""Share of the time, and most seconds, that the one program leaves for completing its first stage."""

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class KAdaptability(Solver):
    """K-adaptability; ``nodes`` and ``iterations`` of the budget count nodes of the tree.

    Parameters
    ----------
    k
        How many recourse decisions are prepared.
    complete
        Give the first stages found all the decisions that their exact worst case needs, which is never worse.  Without
        it a plan holds ``k`` decisions at most, and its objective is the k-adaptable value.
    method
        ``tree``, ``program`` (where the objective alone is uncertain and the recourse is binary), or ``auto``: the
        program where it can be.
    solver
        ``highs`` or ``scip``: who solves the programs.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="k_adaptability",
        title="k-adaptability: k recourse decisions fixed in advance (Subramanyam, Gounaris and Wiesemann)",
        kinds=("robust", "robust_knapsack", "capital_budgeting"),
        capabilities=frozenset({Capability.BOUND, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED}),
    )
    k: int = 2
    complete: bool = True
    method: Literal["auto", "tree", "program"] = "auto"
    solver: Literal["highs", "scip"] = "highs"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError("E201", f"k = {self.k}", expected="1 or more")

    def refuses(self, instance: Instance) -> str | None:
        if (reason := unfit(instance)) is not None:
            return reason
        if self.method != "program" or instance.kind == "robust_knapsack":
            return None
        if isinstance(instance, TwoStageRobust) and _binary(instance):
            return None
        return "method program needs binary recourse, and an objective that alone is uncertain"

    def run(self, instance: Instance, session: Session) -> Outcome:
        if self.solver != "highs" and (error := registry.SOLVERS.load(self.solver)().missing()) is not None:
            raise error
        if (nothing := _nothing(instance)) is not None:
            session.emit(nothing)  # a plan at once, before anything is compiled
        seen = policies(instance, session)
        best = _Best(self, seen, session)
        if self.method == "program" or (self.method == "auto" and _binary(seen.view)):
            return _program(best)
        return _Tree(best).run()


def _nothing(instance: Instance) -> RobustPlan | None:
    """The plan of doing nothing, where that is one."""
    size = instance.size()
    if instance.kind == "capital_budgeting":
        return RobustPlan(np.zeros(size["projects"]), np.zeros((1, size["projects"])))
    if instance.kind == "robust_knapsack":
        return RobustPlan(np.zeros(size["items"]), np.zeros((1, 2 * size["items"])), np.ones(1))
    return None


def _binary(view: TwoStageRobust) -> bool:
    """Whether the objective alone is uncertain and all recourse is binary."""
    second, own = view.second, view.layout.own
    whole = second.integral[own] & (second.lower[own] >= 0) & (second.upper[own] <= 1)
    return view.form == "objective" and bool(whole.all())


class _Best:
    """The best k decisions so far, of cost ``cost``, and what is known of how good they can be: ``bound``."""

    def __init__(self, options: KAdaptability, seen: Policies, session: Session) -> None:
        self.options, self.seen, self.session = options, seen, session
        self.view, self.sign = seen.view, sign_of(seen.view)
        self.cost, self.bound = math.inf, -math.inf
        self.nodes = 0
        self.inner: Session | None = None
        session.on_stop(lambda: self.inner.request_stop() if self.inner is not None else None)
        self.known: set[bytes] = set()
        self.x: Floats | None = None
        self.held: Floats | None = None

    @property
    def cutoff(self) -> float:
        """What costs as much is of no use."""
        return self.cost - CLOSED * max(1.0, abs(self.cost)) if math.isfinite(self.cost) else math.inf

    def offer(self, plan: RobustPlan, cost: float, x: Floats) -> bool:
        """Take over k decisions if they are better; whether they are."""
        if not cost < self.cost:
            return False
        self.cost, self.x, self.held = cost, x, plan.recourse
        self.session.emit(plan)
        return True

    def complete(self) -> None:
        """Give the best first stage the decisions of its exact worst case."""
        if not self.options.complete or self.x is None or self.held is None or self.x.tobytes() in self.known:
            return
        self.known.add(self.x.tobytes())
        plan = self.seen.complete(self.x, self.held)
        if plan is not None:
            self.session.emit(plan)

    def account(self) -> None:
        """Tell how far it is: what the best k decisions guarantee, and what no k decisions can pass."""
        told = {"value": float(self.sign * self.cost), "limit": float(self.sign * min(self.bound, self.cost))}
        self.session.step(k=self.options.k, nodes=self.nodes, **{n: v for n, v in told.items() if math.isfinite(v)})

    def ended(self, stopped_by: StoppedBy) -> Outcome:
        """The outcome, with a sentence about the k decisions: the result is about all that may be held."""
        self.account()
        if math.isfinite(self.cost):
            text = f"k = {self.options.k}: the decisions guarantee {show(round(self.sign * self.cost, 6))}"
            if self.bound >= self.cutoff:
                text += ", and none guarantee more than that" if self.sign < 0 else ", and none cost less than that"
            elif math.isfinite(self.bound):
                text += f"; {self.options.k} others might come to {show(round(self.sign * self.bound, 6))}"
            self.session.say(text)
        return Outcome(stopped_by=stopped_by)

    def solve(
        self, mip: Mip, deadline: float, gap: float, take: Callable[[Floats], None] = lambda values: None
    ) -> Solved:
        """Solve a program; ``take`` sees its solutions as they come."""
        solver: Solver = registry.SOLVERS.load(self.options.solver)(settings=TOLERANCES[self.options.solver])
        if (reason := solver.why_not(mip)) is not None:
            raise UnsupportedError("E202", f"{self.options.solver} cannot solve the program: {reason}")
        found: list[Floats] = []

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                found.append(event.solution.values)
                take(event.solution.values)

        budget = replace(
            self.session.budget, gap=gap, target=None, iterations=None, nodes=None,
            time_limit=max(1e-3, deadline - time.monotonic()),
        )  # fmt: skip
        self.inner = Session(budget, deadline, sink)
        if self.session.stopping:
            self.inner.request_stop()
        outcome = solver.run(mip, self.inner)
        bound = -math.inf if outcome.bound is None else float(outcome.bound)
        if not found:
            return Solved(outcome.status, outcome.stopped_by, None, math.inf, bound)
        value = float(mip.evaluate(Point(mip.columns, found[-1])).objective)
        return Solved(outcome.status, outcome.stopped_by, found[-1], value, min(bound, value))


class _Tree:
    """The branch and bound; a node is the scenarios of each policy, as numbers of ``points``.

    From a node the search goes on with its first child; where there is none, with the open node of the least bound.
    """

    def __init__(self, best: _Best) -> None:
        self.best, self.seen, self.view, self.k = best, best.seen, best.view, best.options.k
        self.points = [best.seen.first]
        self.open: list[tuple[float, int, Groups]] = []
        self.made = 0
        self.left = math.inf  # the least bound of nodes that were given up
        self.exact: set[Groups] = set()  # nodes that are open because their program was not solved to the end

    def run(self) -> Outcome:
        best, budget = self.best, self.best.session.budget
        limit = min((count for count in (budget.nodes, budget.iterations) if count is not None), default=math.inf)
        node: tuple[float, int, Groups] | None = (-math.inf, 0, ((0,),))
        while node is not None:
            if best.session.stopping or best.nodes >= limit:
                best.bound = min(node[0], self.left, best.cost, *(other[0] for other in self.open[:1]))
                return best.ended(StoppedBy.TIME if best.session.stopping else StoppedBy.ITERATIONS)
            bound, _, groups = node
            node = None
            if bound < best.cutoff:
                best.nodes += 1
                found = self._visit(bound, groups)
                if isinstance(found, Outcome):
                    return found
                node = found
            if node is None and self.open:
                node = heapq.heappop(self.open)
        best.bound = min(self.left, best.cost)
        return best.ended(StoppedBy.FINISHED)

    def _visit(self, bound: float, groups: Groups) -> tuple[float, int, Groups] | Outcome | None:
        """Solve a node; its first child, or how the run ends."""
        best, session = self.best, self.best.session
        main, copies = self._main(groups)
        gap = CLOSED / 10 if groups in self.exact else ROUGH
        solved = best.solve(main.program.build(), session.deadline, gap)
        alone = all(len(group) == 1 for group in groups)
        if solved.status is Status.UNBOUNDED:
            session.say("the costs of a program have no lower bound, so k decisions cannot be chosen by them")
            return best.ended(StoppedBy.FINISHED)
        if solved.status is Status.INFEASIBLE:
            if alone and math.isinf(best.cost):
                return Outcome.infeasible()
            bound = best.cutoff
        bound = max(bound, solved.bound)
        if alone and math.isfinite(bound):
            session.bound(best.sign * bound)
        if solved.status is Status.INFEASIBLE:
            return None
        if solved.values is None:
            if session.stopping:
                return bound, 0, groups
            self.left = min(self.left, bound)
            return None
        return self._branch(bound, groups, solved, main.n, copies)

    def _main(self, groups: Groups) -> tuple[Main, list[Ints]]:
        """The program of a node, and the columns of the policies that serve scenarios."""
        main, best = Main(self.view), self.best
        copies = []
        for group in groups:
            copies.append(main.own_columns(whole=True))
            places = main.places(copies[-1])
            for number, s in enumerate(group):
                if number == 0 or self.view.form != "objective":  # else the rows are those of any scenario
                    main.second_rows(places, self.points[s])
                main.cost_row(places, self.points[s])
        if math.isfinite(best.cost):
            used = np.flatnonzero(self.view.first.cost)
            values = np.append(best.sign * self.view.first.cost[used], 1.0)
            main.program.add_row(
                np.append(used, main.theta), values, -math.inf, best.cutoff - best.sign * self.view.first.offset
            )
        return main, copies

    def _branch(
        self, bound: float, groups: Groups, solved: Solved, n: int, copies: list[Ints]
    ) -> tuple[float, int, Groups] | None:
        """Judge the solution of a node, and put the worst scenario to each policy in turn; the first child."""
        assert solved.values is not None
        best, view = self.best, self.view
        x = view.rounded(solved.values[:n])
        held = np.array([solved.values[copy] for copy in copies])
        whole = view.second.integral[view.layout.own]
        held = np.where(whole, np.rint(held), held)
        free = len(groups) < self.k
        if free and self.seen.idle:
            held = np.vstack([held, np.zeros(held.shape[1])])
        judged = self.seen.judge(x, held)
        if best.session.stopping:
            return bound, 0, groups
        if best.offer(judged.plan, judged.cost, x):
            best.bound = min(bound, self.left, *(other[0] for other in self.open[:1]))
            best.account()
            best.complete()
        if judged.beyond <= solved.objective + CLOSED * max(1.0, abs(solved.objective)):
            if bound >= best.cutoff:
                return None
            if groups in self.exact:
                self.left = min(self.left, bound)
            else:  # again, but not before all that may be better
                self.exact.add(groups)
                self.made += 1
                heapq.heappush(self.open, (bound, self.made, groups))
            return None
        s = self._number(judged.scenario)
        lack = shortfall(view, x, held[: len(groups)], judged.scenario, solved.objective)
        children = [(float(lack[p]), p) for p, group in enumerate(groups) if s not in group]
        if free:
            children.append((-math.inf, len(groups)))
        if not children:  # all policies serve it but for rounding
            self.left = min(self.left, bound)
        made = []
        for _, p in sorted(children):
            self.made += 1
            made.append((bound, self.made, _put(groups, p, s)))
        for child in made[1:]:
            heapq.heappush(self.open, child)
        return made[0] if made else None

    def _number(self, scenario: Floats) -> int:
        """The place of a scenario among the points, where it is put if it is new."""
        for number, point in enumerate(self.points):
            if np.abs(point - scenario).max(initial=0.0) <= SAME:
                return number
        self.points.append(scenario)
        return len(self.points) - 1


def _put(groups: Groups, policy: int, scenario: int) -> Groups:
    """The groups with a scenario more for one policy, which may be the next one without any."""
    wider = groups if policy < len(groups) else (*groups, ())
    return tuple((*group, scenario) if p == policy else group for p, group in enumerate(wider))


def _program(best: _Best) -> Outcome:
    """Hanasusanto, Kuhn and Wiesemann (2015): the mixture of the policies takes the place of the relaxed recourse."""
    view, k, session = best.view, best.options.k, best.session
    main = Main(view)
    program = main.program
    m = len(view.layout.own)
    mixed = np.arange(len(program.cost), len(program.cost) + m)  # the columns that are added next
    add_relaxed(main)
    whole = np.full(k, CONTINUOUS)
    weights = program.add_columns(np.zeros(k), np.zeros(k), np.ones(k), whole)
    program.add_row(weights, np.ones(k), 1.0, 1.0)
    for one, other in itertools.pairwise(weights):  # the policies are alike: the heaviest first
        program.add_row([one, other], [1.0, -1.0], 0.0, math.inf)
    copies, shares = [], []
    for weight in weights:
        copies.append(main.own_columns(whole=True))
        main.second_rows(main.places(copies[-1]), best.seen.first)
        shares.append(program.add_columns(np.zeros(m), np.zeros(m), np.ones(m), np.full(m, CONTINUOUS)))
        for share, y in zip(shares[-1], copies[-1], strict=True):  # share = weight times y
            program.add_row([share, y], [1.0, -1.0], -math.inf, 0.0)
            program.add_row([share, weight], [1.0, -1.0], -math.inf, 0.0)
            program.add_row([share, weight, y], [1.0, -1.0, -1.0], -1.0, math.inf)
    for j in range(m):
        program.add_row([mixed[j], *(share[j] for share in shares)], [1.0, *[-1.0] * k], 0.0, 0.0)

    def take(values: Floats) -> None:
        """Hand over a solution of the program, with its own weights."""
        part = np.maximum(values[weights], 0.0)
        used = np.flatnonzero(part > 1e-9)
        x, held = view.rounded(values[: main.n]), np.rint(np.array([values[copies[p]] for p in used]))
        plan = RobustPlan(x, held, part[used] / part[used].sum())
        evaluation = view.evaluate(plan)
        if evaluation.feasible:
            best.offer(plan, best.sign * float(evaluation.objective), x)

    left = session.deadline - time.monotonic()
    reserve = min(RESERVE * left, LONGEST) if best.options.complete else 0.0
    solved = best.solve(program.build(), session.deadline - reserve, CLOSED / 10, take)
    best.nodes = 1
    best.bound = min(solved.bound, best.cost)
    if solved.status is Status.INFEASIBLE:  # no decision is feasible in any scenario, as the rows are certain
        return Outcome.infeasible()
    best.complete()
    done = StoppedBy.FINISHED if solved.stopped_by is StoppedBy.PROOF else solved.stopped_by  # of k decisions alone
    return best.ended(StoppedBy.TIME if session.stopping else done)

"""Neur2RO for general two-stage programs: the second stage is a flat network.

Costs are to be minimised, as everywhere in this package.  The main problem has one copy of the recourse in the
scenario of the worst prediction; first stages that some scenario leaves without recourse, which no network tells
reliably, are cut off by a copy of the rows in that scenario.  Every first stage is judged by the exact adversary of
``ccg``; bounds are those of its main problem with the scenarios that these judgements found.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from combopt.errors import UnsupportedError, UsageError
from combopt.instances.mip import CONTINUOUS
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import RobustPlan
from combopt.learned.value.program import fixed, in_words, numbers, size, structure
from combopt.model import Floats, Instance
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Outcome, Session
from combopt.solvers.robust.adversary import Adversary, Verdict, refuse
from combopt.solvers.robust.chosen import add_chosen, unbounded
from combopt.solvers.robust.main import Growing, Main, Solved
from combopt.solvers.robust.neur2ro_loop import LearnedSearch, binaries, column, minimise
from combopt.solvers.robust.recourse import sign_of
from combopt.solvers.robust.relaxed import add_relaxed
from combopt.solvers.robust.samples_robust import inside, loose, vertex
from combopt.solvers.robust.value_flat import Flat
from combopt.solvers.robust.value_program import Affine

if TYPE_CHECKING:
    from combopt.learned.weights.store import Card
    from combopt.solvers.robust.neur2ro import Neur2ro

CLOSED = 5e-6
"""Relative difference of bound and guarantee that is rounding: rows of the main problem hold up to 1e-6."""


class ProgramSearch(LearnedSearch):
    """One run; ``best`` is the cost that the best plan guarantees."""

    model: Flat

    def __init__(self, options: Neur2ro, instance: TwoStageRobust, session: Session) -> None:
        super().__init__(options, session)
        self.instance, self.sign = instance, sign_of(instance)
        self.judge = Adversary(instance, session, self._offer)
        self.best, self.lowest = math.inf, -math.inf
        self.judged: set[bytes] = set()
        self.worst: list[Floats] = []
        self.broken: list[Floats] = []
        self._vertices: Floats | None = None

    @classmethod
    def refuses(cls, instance: Instance) -> str | None:
        assert isinstance(instance, TwoStageRobust)
        if (reason := refuse(instance)) is not None:
            return reason
        if (name := loose(instance)) is not None:
            return f"first-stage column {name!r} has no finite bounds, which units of a network need"
        if (name := unbounded(instance)) is not None:
            return f"column {name!r} has uncertain coefficients and no finite bounds"
        return None

    def run(self) -> Outcome:
        from combopt.learned.weights import store

        card = store.choose(self.instance.kind, self.options.weights)
        self._fits(card)
        uncertainty = self.instance.uncertainty
        first = uncertainty.centre() if self.instance.form == "objective" else self.instance.scenarios[0]
        self.scenarios = [first]
        self._take_start()
        nominal = self._tighten([first], relaxed=False)  # the main problem of the first round: it needs no network
        if nominal.status is Status.INFEASIBLE:
            return Outcome.infeasible()
        if nominal.values is not None:
            self.look_at(self.instance.rounded(nominal.values[: len(self.instance.first.columns)]))
        self.session.say(f"weights {card.name}")
        self.model = self.network(card)
        stopped = self.rounds()
        if not self.session.stopping:
            self._tighten(self.worst, relaxed=self.instance.form == "objective")
        if self.best - self.lowest <= CLOSED * max(1.0, abs(self.best)):
            return Outcome.optimal(self.sign * self.best)
        if stopped is StoppedBy.TIME and not self.session.stopping:
            stopped = StoppedBy.FINISHED  # a step that came to nothing
        return Outcome(stopped_by=stopped)

    def _fits(self, card: Card) -> None:
        """Raise UsageError E204 if the network of a card is for another problem; needs no torch."""
        what = f"the weights {card.name} were trained for a problem"
        remedy = "combopt train neur2ro --problem robust --instance FILE trains a network for this one."
        held = tuple(card.network.get(name) for name in ("first", "scenario", "recourse", "rows"))
        if held != size(self.instance):
            expected = in_words(size(self.instance))
            raise UsageError("E204", f"{what} with {in_words(held)}", expected=expected, remedy=remedy)
        if card.network.get("structure") != structure(self.instance):
            found = f"{what} of the same dimensions with other rows, columns or terms"
            raise UsageError("E204", found, expected="the entries of this instance", remedy=remedy)

    def network(self, card: Card) -> Flat:
        """The network of a card, looking at the instance."""
        from combopt.learned.weights import store

        network, found = store.load_values(card), numbers(self.instance)
        varying = network.varying.numpy().astype(np.int64)
        if fixed(found, varying) != network.config.fixed:
            what = f"the weights {card.name} were trained for a problem with other numbers"
            self.session.say(f"{what}: predictions may be far off; plan and bound hold all the same")
        return Flat.of(network, found[varying])

    # --- what is known for certain ---------------------------------------------------------------------------------

    def _offer(self, verdict: Verdict) -> None:
        if verdict.plan is not None and verdict.guarantee < self.best:
            self.best = verdict.guarantee
            self.session.emit(verdict.plan)

    def look_at(self, x: Floats) -> bool:
        """Judge a first stage exactly; whether it has recourse everywhere."""
        if x.tobytes() in self.judged:
            return True
        verdict = self.judge.judge(x, self.best)
        self._offer(verdict)
        scenario = verdict.scenario
        if scenario is not None and not any(np.array_equal(scenario, known) for known in self.worst):
            self.worst.append(scenario)
        if scenario is not None and verdict.plan is None and math.isinf(verdict.worst) and verdict.worst > 0:
            self.broken.append(scenario)
            return False
        self.judged.add(x.tobytes())
        return True

    def _take_start(self) -> None:
        start = self.session.start
        if not isinstance(start, RobustPlan) or len(start.first) != len(self.instance.first.columns):
            return
        if self.instance.evaluate(start).feasible:
            self.judge.remember(start.recourse)
            self.look_at(self.instance.rounded(start.first))

    def _tighten(self, scenarios: list[Floats], *, relaxed: bool) -> Solved:
        """A bound from the main problem of ``ccg`` with copies of the recourse in some scenarios: a relaxation."""
        main = Main(self.instance)
        if relaxed:
            add_relaxed(main)
        for xi in scenarios:
            main.add(xi)
        solved = self.solve(main.program, 0.0, self._raise)
        if solved.status is not Status.INFEASIBLE:
            self._raise(solved.bound)
        return solved

    def _raise(self, bound: float) -> None:
        if math.isfinite(bound) and bound > self.lowest:
            self.lowest = bound
            self.session.bound(self.sign * bound)

    # --- main problem ----------------------------------------------------------------------------------------------

    def predicted(self, x: Floats, scenario: Floats) -> float:
        """The predicted cost of the second stage."""
        return self.sign * float(self.model.values(x, scenario[None])[0])

    def main(self) -> tuple[Floats, float] | None:
        solved = self.solved_main()
        if solved.values is None:
            return None
        x = self.instance.rounded(solved.values[: len(self.instance.first.columns)])
        return x, max(self.predicted(x, xi) for xi in self.scenarios)

    def solved_main(self) -> Solved:
        """The main problem, solved; its objective is its own value of the first stage."""
        main = Main(self.instance)
        program = main.program
        for xi in self.broken:
            main.second_rows(main.places(main.own_columns(whole=True)), xi)
        costs: list[Affine] = []
        if len(self.scenarios) > 1 or self.options.main == "max":
            costs = [
                number.through(np.full((1, 1), self.sign))
                for number in self.model.add_first(program, list(range(main.n)), self.scenarios)
            ]
        if self.options.main == "max":
            for number in costs:
                row = np.append(-number.matrix[0], 1.0)
                program.add_row([*number.columns, main.theta], row, float(number.offset[0]), math.inf)
        else:
            pick = binaries(program, np.zeros(len(self.scenarios)))
            program.add_row(pick, np.ones(len(pick)), 1.0, 1.0)
            if costs:
                _pick_worst(program, pick, costs)
            add_chosen(main, self.scenarios, np.array(pick))
        return self.solve(program)

    # --- adversary -------------------------------------------------------------------------------------------------

    def adversary(self, x: Floats) -> Floats | None:
        points = self._points()
        if points is not None:
            return points[int(np.argmax(self.sign * self.model.values(x, points)))]
        program, uncertainty = Growing(), self.instance.uncertainty
        q = uncertainty.dimension
        domain = np.full(q, CONTINUOUS)
        xi: list[int] = program.add_columns(np.zeros(q), uncertainty.lower, uncertainty.upper, domain).tolist()
        for row, side in zip(uncertainty.matrix, uncertainty.rhs.tolist(), strict=True):
            used = np.flatnonzero(row)
            program.add_row(used, row[used], -math.inf, side)
        minimise(program, self.model.add_scenario(program, x, xi), -self.sign)
        solved = self.solve(program)
        if solved.values is None:
            return None
        return np.clip(solved.values[xi], uncertainty.lower, uncertainty.upper)

    def _points(self) -> Floats | None:
        """Scenarios to choose among, ``float64[s, q]``; ``None`` for the whole set."""
        instance, how = self.instance, self.options.adversary
        if how == "sampling" and not instance.uncertainty.discrete:
            some = [(vertex, inside)[k % 2](self.dice, instance.uncertainty) for k in range(self.options.samples)]
            return np.array(some)
        if instance.form != "objective":
            return None if how == "continuous" and not instance.uncertainty.discrete else instance.scenarios
        if how != "vertex":
            return None
        if self._vertices is None:
            try:
                self._vertices = instance.uncertainty.vertices()
            except UnsupportedError:
                self._vertices = np.zeros((0, 0))
        return self._vertices if self._vertices.size else None


def _pick_worst(program: Growing, pick: list[int], costs: list[Affine]) -> None:
    """The column of ``pick`` that is 1 is that of the largest of the numbers."""
    lowest = max(float(number.lower[0]) for number in costs)
    highest = max(float(number.upper[0]) for number in costs)
    worst = column(program, 0.0, lowest, highest)
    for one, number in zip(pick, costs, strict=True):
        columns, row = [*number.columns, worst], np.append(-number.matrix[0], 1.0)
        offset, spread = float(number.offset[0]), highest - float(number.lower[0])
        program.add_row(columns, row, offset, math.inf)  # no less than any
        program.add_row([*columns, one], np.append(row, spread), -math.inf, offset + spread)

"""The solver ``neur2ro``: column-and-constraint generation with a learned second stage.

Dumouchelle, Julien, Kurtz and Khalil, *Neur2RO: neural two-stage robust optimization*, ICLR 2024.  A network says what
the second stage is worth for a first stage and a scenario; the main problem holds one copy of the recourse, in the
scenario that the network takes for the worst, and the adversary looks for the scenario with the worst prediction.

Nothing in that is a proof.  Here every first stage that the main problem gives is evaluated exactly, the best is kept,
and its bound is that of the decomposition's root: so the answer carries its true worst case and a gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from combopt.errors import UsageError
from combopt.instances.mip import CONTINUOUS, INTEGER
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.model import Floats, Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.robust.knapsack_game import FREE, IN, Game, Play, kernels_within
from combopt.solvers.robust.main import Growing, Solved, solve_mip
from combopt.solvers.robust.value_models import Choices, ValueModel, model
from combopt.solvers.robust.value_program import Affine

if TYPE_CHECKING:
    from combopt.learned.weights.store import Card

SAME = 1e-3
"""Sum of absolute differences up to which two scenarios are the same, as in the authors' code."""
AGREED = 1e-4
"""Relative difference of main problem and adversary up to which they agree, as in the authors' code."""
MIP_GAP = 1e-4
"""As in the authors' runs."""


@dataclass(frozen=True)
class Neur2ro(Solver):
    """Column-and-constraint generation above a value network, with exact evaluation.

    Parameters
    ----------
    weights
        Name of weights that come with the package, or the file of their card; empty for those of the kind.
    main
        ``argmax``: the main problem has one copy of the recourse, in the scenario of the worst prediction; ``max``:
        no recourse at all, the worst prediction is what it is worth.
    adversary
        ``vertex``: the vertex of the budget set with the worst prediction; ``continuous``: any scenario, which needs
        units for every item; ``sampling``: the worst of ``samples`` scenarios drawn at random.
    samples
        Of the sampling adversary.
    rounds
        Main problems at most.
    step_limit
        Seconds for a main problem or an adversary.
    slip
        Repair is charged instead of credited in the main problem, as in the authors' code: for comparisons with the
        published values alone.
    solver
        Which solver takes main problem and adversary.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="neur2ro",
        title="Neur2RO: column-and-constraint generation with a learned second stage",
        kinds=("robust_knapsack",),
        capabilities=frozenset(
            {Capability.BOUND, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED, Capability.WARM_START}
        ),
        package="torch",
        extra="learn",
        licence="BSD-3-Clause",
    )
    weights: str = ""
    main: Literal["argmax", "max"] = "argmax"
    adversary: Literal["vertex", "continuous", "sampling"] = "vertex"
    samples: int = 10_000
    rounds: int = 20
    step_limit: float = 10.0
    slip: bool = False
    solver: Literal["highs", "scip"] = "highs"

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("rounds", 1)):
            if getattr(self, name) < least:
                raise UsageError("E201", f"{name} = {getattr(self, name)}", expected=f"{least} or more")
        if not self.step_limit > 0:
            raise UsageError("E201", f"step_limit = {self.step_limit}", expected="a number above 0")

    def refuses(self, instance: Instance) -> str | None:
        from combopt.learned.weights import store

        return store.lacking(instance.kind, self.weights)

    def run(self, instance: Instance, session: Session) -> Outcome:
        from combopt.learned.weights import store

        assert isinstance(instance, RobustKnapsack)
        loops = kernels_within(session)
        if loops is None:
            return Outcome(stopped_by=StoppedBy.TIME)
        game = Game(instance, loops)
        session.on_stop(lambda: game.stop.fill(1))
        search = _Search(self, instance, session, game)
        search.look_at(np.zeros(instance.items, dtype=bool))
        card = store.choose(instance.kind, self.weights)
        session.say(f"weights {card.name}")
        return search.run(Values.of(instance, card))


@dataclass(frozen=True)
class Values:
    """A network that looks at one instance; ``scale`` is the unit of its values."""

    model: ValueModel
    scale: float

    @classmethod
    def of(cls, instance: RobustKnapsack, card: Card) -> Values:
        """The network of a card."""
        import torch

        from combopt.learned.value.problems import KnapsackValue
        from combopt.learned.weights import store

        problem = KnapsackValue()
        data = {name: torch.from_numpy(getattr(instance, name).astype(np.float32))[None] for name in problem.items}
        data["capacity"] = torch.tensor([float(instance.capacity)])
        data["real"] = torch.ones(1, instance.items, dtype=torch.bool)
        columns = problem.columns(data)[0].numpy().astype(np.float64)
        return cls(model(store.load_values(card), columns), float(problem.scale(data)[0]))

    def __call__(self, x: Any, scenario: Floats) -> float:
        """The predicted value of the second stage."""
        return self.scale * self.model.value(np.asarray(x, dtype=np.float64), scenario)


class _Search:
    """One run; profits are to be maximised, programs are minimised."""

    def __init__(self, options: Neur2ro, instance: RobustKnapsack, session: Session, game: Game) -> None:
        self.options, self.instance, self.session, self.game = options, instance, session, game
        self.scenarios: list[Floats] = [np.zeros(instance.items)]
        self.near: Play | None = None
        self.best = -math.inf
        self.dice = np.random.default_rng(session.budget.seed)

    def look_at(self, x: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        """Evaluate a first stage exactly, and hand it over if it is the best."""
        play = self.game.decided(x, self.near, cutoff=self.best)
        if play.lower > self.best:
            self.best, self.near = play.lower, play
            self.session.emit(self.game.plan(x, play))

    def run(self, values: Values) -> Outcome:
        root = self.game.play(np.where(self.game.price > 0, FREE, IN))
        self.session.bound(root.upper)
        for number in range(self.options.rounds):
            found = self._main(values)
            if found is None:
                return Outcome(stopped_by=StoppedBy.TIME)
            x, worth = found
            self.look_at(x)
            scenario = self._adversary(values, x)
            if scenario is None:
                return Outcome(stopped_by=StoppedBy.TIME)
            harm = values(x, scenario)
            self.session.step(round=number + 1, scenarios=len(self.scenarios), predicted=worth, adversary=harm)
            if abs(harm - worth) <= AGREED * max(1.0, abs(harm)) or self._knows(scenario):
                return Outcome(stopped_by=StoppedBy.FINISHED)
            self.scenarios.append(scenario)
        return Outcome(stopped_by=StoppedBy.ITERATIONS)

    def _knows(self, scenario: Floats) -> bool:
        return any(float(np.abs(scenario - known).sum()) < SAME for known in self.scenarios)

    def _solve(self, program: Growing) -> Solved:
        session = self.session
        seconds = min(self.options.step_limit, session.remaining())
        budget = replace(
            session.budget, gap=MIP_GAP, target=None, iterations=None, nodes=None, time_limit=max(seconds, 1e-3)
        )
        return solve_mip(program.build(), session, self.options.solver, budget, None, lambda bound: None)

    # --- main problem ----------------------------------------------------------------------------------------------

    def _main(self, values: Values) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], float] | None:
        """A first stage, and the worst prediction for it; ``None`` if there was no time."""
        instance, program = self.instance, Growing()
        n = instance.items
        x = _binaries(program, instance.outsourcing - instance.profit)
        predicted = values.model.add_first(program, x, self.scenarios)
        worth = _column(program, -1.0, -math.inf, math.inf)
        if self.options.main == "max":
            for number in predicted:
                _at_most(program, worth, number, values.scale)
        else:
            self._recourse(program, x, worth, predicted)
        solved = self._solve(program)
        if solved.values is None:
            return None
        accepted = solved.values[:n] > 0.5
        return accepted, min(values(accepted, xi) for xi in self.scenarios)

    def _recourse(self, program: Growing, x: list[int], worth: int, predicted: list[Affine]) -> None:
        """One copy of the recourse, in the scenario of the worst prediction (the paper's argmax form)."""
        instance = self.instance
        nothing = np.zeros(instance.items)
        y, r = _binaries(program, nothing), _binaries(program, nothing)
        for i in range(instance.items):
            program.add_row([y[i], x[i]], [1.0, -1.0], -math.inf, 0.0)
            program.add_row([r[i], y[i]], [1.0, -1.0], -math.inf, 0.0)
        weights = np.concatenate([instance.weight, instance.repair]).astype(np.float64)
        program.add_row([*y, *r], weights, -math.inf, float(instance.capacity))
        pick = _binaries(program, np.zeros(len(predicted)))
        program.add_row(pick, np.ones(len(pick)), 1.0, 1.0)
        lowest = float(min(number.lower[0] for number in predicted))
        highest = float(min(number.upper[0] for number in predicted))
        worst = _column(program, 0.0, lowest, highest)
        most = float(instance.outsourcing.sum())
        sign = -1.0 if self.options.slip else 1.0
        for p, number, xi in zip(pick, predicted, self.scenarios, strict=True):
            columns, row = [*number.columns, worst], np.append(-number.matrix[0], 1.0)
            offset, spread = float(number.offset[0]), float(number.upper[0]) - lowest
            program.add_row(columns, row, -math.inf, offset)  # the worst is no more than any
            program.add_row([*columns, p], np.append(row, -spread), offset - spread, math.inf)
            loss = instance.deviation * xi
            room = most + float(loss.sum())
            gains = np.concatenate([[1.0], -(instance.outsourcing - loss), -sign * loss, [room]])
            program.add_row([worth, *y, *r, p], gains, -math.inf, room)

    # --- adversary ---------------------------------------------------------------------------------------------------

    def _adversary(self, values: Values, x: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats | None:
        """The scenario of the worst prediction for a first stage; ``None`` if there was no time."""
        if self.options.adversary == "sampling":
            return min((self._drawn() for _ in range(self.options.samples)), key=lambda xi: values(x, xi))
        program, point = Growing(), x.astype(np.float64)
        if self.options.adversary == "vertex":
            choices, most = self._vertices(program)
            number = values.model.add_scenario(program, point, choices, most)
        else:
            n = self.instance.items
            xi = program.add_columns(np.zeros(n), np.zeros(n), np.ones(n), np.full(n, CONTINUOUS)).tolist()
            program.add_row(xi, np.ones(n), -math.inf, self.instance.budget)
            choices = [(xi, np.ones(n))]
            number = values.model.add_anywhere(program, point, xi)
        _minimise(program, number)
        solved = self._solve(program)
        if solved.values is None:
            return None
        found = [entries * solved.values[where] for where, entries in choices]
        return np.clip(np.sum(found, axis=0), 0.0, 1.0)

    def _vertices(self, program: Growing) -> tuple[Choices, tuple[float, ...]]:
        """Columns for the vertices of the set: as many entries of 1 as the budget has whole parts, one of the rest."""
        n, budget = self.instance.items, self.instance.budget
        whole = min(n, int(budget))
        part = budget - whole if whole < n else 0.0
        ones = _binaries(program, np.zeros(n))
        program.add_row(ones, np.ones(n), -math.inf, float(whole))
        if part <= 0:
            return [(ones, np.ones(n))], (float(whole),)
        rest = _binaries(program, np.zeros(n))
        program.add_row(rest, np.ones(n), -math.inf, 1.0)
        for one, other in zip(ones, rest, strict=True):
            program.add_row([one, other], [1.0, 1.0], -math.inf, 1.0)
        return [(ones, np.ones(n)), (rest, np.full(n, part))], (float(whole), 1.0)

    def _drawn(self) -> Floats:
        """A vertex at random, or a scenario as the authors draw them."""
        n = self.instance.items
        scores = self.dice.random(n)
        if self.dice.random() < 0.5:
            return self.instance.worst_case(scores)
        total = self.dice.uniform(min(1.0, self.instance.budget), self.instance.budget)
        return np.minimum(1.0, scores * total / max(1e-9, float(scores.sum())))


def _binaries(program: Growing, cost: Floats) -> list[int]:
    n = len(cost)
    found: list[int] = program.add_columns(cost, np.zeros(n), np.ones(n), np.full(n, INTEGER)).tolist()
    return found


def _column(program: Growing, cost: float, lower: float, upper: float) -> int:
    continuous = np.full(1, CONTINUOUS)
    return int(program.add_columns(np.full(1, cost), np.full(1, lower), np.full(1, upper), continuous)[0])


def _at_most(program: Growing, column: int, number: Affine, scale: float) -> None:
    """A column is no more than ``scale`` times a number."""
    row = np.append(-scale * number.matrix[0], 1.0)
    program.add_row([*number.columns, column], row, -math.inf, scale * float(number.offset[0]))


def _minimise(program: Growing, number: Affine) -> None:
    for column, value in zip(number.columns, number.matrix[0].tolist(), strict=True):
        program.cost[column] += value
    program.offset += float(number.offset[0])

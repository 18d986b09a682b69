"""The solver ``neur2ro``: column-and-constraint generation with a learned second stage.

Dumouchelle, Julien, Kurtz and Khalil, *Neur2RO: neural two-stage robust optimization*, ICLR 2024.  A network says what
the second stage is worth for a first stage and a scenario; the main problem holds one copy of the recourse, in the
scenario that the network takes for the worst, and the adversary looks for the scenario with the worst prediction.

Nothing in that is a proof.  Here every first stage that the main problem gives is evaluated exactly, the best is kept,
and a relaxation of the instance gives a bound: so the answer carries its true worst case and a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from combopt.errors import UsageError
from combopt.model import Instance
from combopt.registry import Entry
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo

SEARCHES = {
    "robust_knapsack": "combopt.solvers.robust.neur2ro_knapsack:KnapsackSearch",
    "robust": "combopt.solvers.robust.neur2ro_program:ProgramSearch",
}
"""Where the search of each kind is, a :class:`~.neur2ro_loop.LearnedSearch`."""


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
        ``vertex``: the vertex of the set with the worst prediction; ``continuous``: any scenario, which for a knapsack
        needs units for every item; ``sampling``: the worst of ``samples`` scenarios drawn at random.  ``auto``: the
        vertex, but ``continuous`` for a general program whose objective alone is uncertain, or with too many vertices.
    samples
        Of the sampling adversary.
    rounds
        Main problems at most.
    step_limit
        Seconds for a main problem or an adversary.
    slip
        Repair is charged instead of credited in the main problem, as in the authors' code: for comparisons with the
        published values of the knapsack alone.
    solver
        Which solver takes main problem and adversary.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="neur2ro",
        title="Neur2RO: column-and-constraint generation with a learned second stage",
        kinds=tuple(SEARCHES),
        capabilities=frozenset(
            {Capability.BOUND, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED, Capability.WARM_START}
        ),
        package="torch",
        extra="learn",
        licence="BSD-3-Clause",
    )
    weights: str = ""
    main: Literal["argmax", "max"] = "argmax"
    adversary: Literal["auto", "vertex", "continuous", "sampling"] = "auto"
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

        reason: str | None = _search(instance.kind).refuses(instance)
        return reason or store.lacking(instance.kind, self.weights)

    def run(self, instance: Instance, session: Session) -> Outcome:
        outcome: Outcome = _search(instance.kind)(self, instance, session).run()
        return outcome


def _search(kind: str) -> Any:
    return Entry(kind, SEARCHES[kind]).load()

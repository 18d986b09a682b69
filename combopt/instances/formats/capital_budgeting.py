"""Capital budgeting as in the published experiments: a line ``seed n q B L``, then c, r, n rows of phi, n rows of psi.

B is the budget and L the largest loan, which has no meaning here (no loans).  The program that the published values
come from reads B as a whole number, without its decimals, and so does this reader; with the option ``rounding=exact``
B counts as it stands.  The instance keeps the number of the file in ``stated_budget``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.capital_budgeting import LARGEST, CapitalBudgeting
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import placed
from combopt.instances.text import Source
from combopt.model import Floats, Instance

ROUNDINGS = {"auto": False, "exact": True}


def read(source: Source) -> CapitalBudgeting:
    if source.options.rounding not in ROUNDINGS:
        raise UsageError("E201", f"rounding {source.options.rounding!r}", expected=" or ".join(ROUNDINGS))
    rows = [number for number, line in enumerate(source.lines, 1) if line.strip()]
    head = source.lines[rows[0] - 1].split()
    if len(head) != 5:
        raise source.error(
            "E123", rows[0], f"{len(head)} entries in the first line", "seed, n, q, budget, largest loan"
        )
    n = source.whole(head[1], rows[0], "the number of projects", 1)
    q = source.whole(head[2], rows[0], "the number of factors", 1)
    source.room(2 * n * (q + 1), rows[0], "numbers")
    stated = source.real(head[3], rows[0], "the budget", 0)
    source.real(head[4], rows[0], "the largest loan")
    if stated > LARGEST:
        raise source.error("E114", rows[0], f"the budget is {head[3]}", f"at most {LARGEST:g}")
    needed = 3 + 2 * n
    if len(rows) < needed:
        raise source.error("E111", rows[-1], f"{len(rows)} lines of numbers", f"{needed}: a head, c, r, phi and psi")
    if len(rows) > needed:
        source.defect("E122", rows[needed], "a line after the end of the data", f"{needed} lines of numbers")
    cost, profit = (_row(source, rows[k], n, what) for k, what in ((1, "a cost"), (2, "a profit")))
    phi = np.array([_row(source, line, q, "an entry of phi") for line in rows[3 : 3 + n]])
    psi = np.array([_row(source, line, q, "an entry of psi") for line in rows[3 + n : needed]])
    budget = stated if ROUNDINGS[source.options.rounding] else float(int(stated))
    try:
        return CapitalBudgeting(
            name=source.stem, cost=cost, profit=profit, cost_factors=phi, profit_factors=psi, budget=budget,
            stated_budget=stated,
        )  # fmt: skip
    except InputError as error:
        raise placed(source, error) from None


def _row(source: Source, line: int, count: int, what: str) -> Floats:
    values = source.reals(line, line, what)
    if len(values) != count:
        raise source.error("E115", line, f"{len(values)} numbers in the line", f"{count}, {what} each")
    return values


def capital_budgeting_of(data: dict[str, Any], exact: bool = False) -> CapitalBudgeting:
    """An instance from an object with the fields ``name, budget, c_bar, r_bar, phi, psi`` and perhaps ``k`` and
    ``budget_as_used_by_neur2ro``, the budget that counts; without it, the whole part, or with ``exact`` all of it.

    Raises
    ------
    InputError
        If a field is missing or of the wrong form; without a place.
    """
    for name in ("budget", "c_bar", "r_bar", "phi", "psi"):
        if name not in data:
            raise InputError("E118", f"the field {name!r} is missing", expected="budget, c_bar, r_bar, phi, psi")
    stated = data["budget"]
    if isinstance(stated, bool) or not isinstance(stated, (int, float)) or not 0 <= stated <= LARGEST:
        raise InputError("E114", f"budget is {str(stated)[:40]}", expected=f"a number from 0 to {LARGEST:g}")
    budget = float(stated) if exact else data.get("budget_as_used_by_neur2ro", float(int(stated)))
    return CapitalBudgeting(
        name=str(data.get("name", "capital-budgeting")), cost=data["c_bar"], profit=data["r_bar"],
        cost_factors=data["phi"], profit_factors=data["psi"], budget=budget, late=data.get("k", 0.8),
        stated_budget=float(stated),
    )  # fmt: skip


def write(instance: Instance) -> str:
    """The file; E119 if its reader would not find the same budget, or another share of late projects than 0.8."""
    assert isinstance(instance, CapitalBudgeting)
    stated = instance.budget if instance.stated_budget is None else instance.stated_budget
    if float(int(stated)) != instance.budget or instance.late != 0.8:
        found = f"a budget of {instance.budget:g}" if instance.late == 0.8 else f"a late share of {instance.late:g}"
        raise InputError("E119", f"the format does not hold {found}", remedy="Write it as JSON.")
    loan = 1.5 * float(instance.cost.sum()) - stated
    head = f"0 {instance.projects} {instance.factors} {stated!r} {max(loan, 0.0)!r}"
    rows = [instance.cost, instance.profit, *instance.cost_factors, *instance.profit_factors]
    return "\n".join([head, *(" ".join(map(repr, row.tolist())) for row in rows)]) + "\n"


def sniff(source: Source) -> bool:
    """Five numbers, then two lines of n and 2 n lines of q; the second and third of the five are n and q."""
    head = source.text[:2000].lstrip().partition("\n")[0].split()
    if len(head) != 5 or not all(word.isascii() and word.isdigit() and len(word) < 7 for word in head[1:3]):
        return False
    n, q = int(head[1]), int(head[2])
    if not (n and q) or 4 * n * (q + 1) > len(source.text):
        return False
    try:
        [float(word) for word in head]
    except ValueError:
        return False
    widths = [len(line.split()) for line in source.lines if line.strip()]
    return widths[: 3 + 2 * n] == [5, n, n, *([q] * (2 * n))]


CAPITAL_BUDGETING = Format(
    name="capital_budgeting",
    title="capital budgeting under uncertainty (seed n q B L, costs, profits, phi, psi)",
    extensions=(".cb", ".txt", ".dat"),
    kinds=("capital_budgeting",),
    sniff=sniff,
    read=read,
    write=write,
)

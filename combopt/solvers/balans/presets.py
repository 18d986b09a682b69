"""Published configurations of Balans, as options of the solver.

``balans-default`` is what the package runs by itself (balans 2.2.0, ``configs/default.json``); ``balans-dmiplib``
and ``balans-miplib`` are the best ones of the paper (Cai, Kadioglu and Dilkina, IJCAI 2025) on its two benchmarks
(``configs/top_configs/ijcai25/dmiplib_sa_sm_linear.json`` and ``miplib_sa_ts_same.json``).  The paper gives them an
hour, the package's default has a minute.  What differs from the package is said in ``docs/balans.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PAPER_ARMS = ",".join(
    ["differences"]
    + [f"mutation_{size}" for size in (25, 50, 75)]
    + [f"local_branching_{size}" for size in (10, 25, 50)]
    + [f"proximity_{margin}" for margin in ("005", "015", "030")]
    + [f"rens_{size}" for size in (25, 50, 75)]
    + [f"rins_{size}" for size in (25, 50, 75)]
)
DEFAULT_ARMS = (
    "differences,mutation_50,rins_40,rens_40,rens_50,proximity_005,"
    "local_branching_10,local_branching_20,local_branching_30,local_branching_50"
)

_PACKAGE: dict[str, Any] = {
    "backends": "scip",
    "inside": "default",
    "discount": 1.0,
    "try_all": False,
    "priced": False,
}
_PAPER: dict[str, Any] = {
    **_PACKAGE,
    "operators": PAPER_ARMS,
    "acceptance": "absolute_annealing",
    "acceptance_settings": "start=20, end=1, step=0.1",
    "first_limit": 20.0,
    "step_limit": 60.0,
    "local_branching_patience": 150 / 60,
}
# Temperatures are those of MABWiser divided by the largest score, as our rewards are.  The fifth score is that of a
# step that brings nothing: the package takes the unchanged solution for an accepted one.
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "balans-default": {
            **_PACKAGE,
            "operators": DEFAULT_ARMS,
            "scores": "8, 4, 2, 1, 2",
            "policy": "softmax_dirichlet",
            "policy_settings": f"temperature={1.359686 / 8}",
            "acceptance": "hill_climbing",
            "acceptance_settings": "",
            "first_limit": 10.0,
            "step_limit": 12.0,
            "local_branching_patience": 15 / 12,
        },
        "balans-dmiplib": {
            **_PAPER,
            "scores": "3, 2, 1, 0, 1",
            "policy": "softmax_dirichlet",
            "policy_settings": f"temperature={2 / 3}",
        },
        "balans-miplib": {**_PAPER, "scores": "1, 1, 0, 0, 0", "policy": "thompson", "policy_settings": ""},
    }
)

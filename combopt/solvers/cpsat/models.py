"""Which file models which kind: ``build(instance) -> CpView``, loaded when needed."""

from __future__ import annotations

MODELS: dict[str, str] = {
    "mip": "combopt.solvers.cpsat.mip:build",
}

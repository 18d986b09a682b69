"""Which file models which kind: ``build(instance) -> PyvrpView``, loaded when needed."""

from __future__ import annotations

MODELS: dict[str, str] = {}

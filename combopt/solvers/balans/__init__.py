"""Balans: bandit-driven large neighbourhood search for mixed-integer programs."""

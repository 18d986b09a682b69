"""Two-stage robust optimisation: exact column-and-constraint generation and what it is made of."""

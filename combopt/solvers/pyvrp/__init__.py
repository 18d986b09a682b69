"""PyVRP: iterated local search for routing; one file for each family of kinds, and the solver that runs them."""

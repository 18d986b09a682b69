"""OR-Tools CP-SAT: one file for each kind it has a model of, and the solver that runs them."""

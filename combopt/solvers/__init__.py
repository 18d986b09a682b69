"""How an instance is solved: the wrappers of classical solvers, heuristics, and the process they run in."""

"""One instance, every solver that takes it, the same second."""

import combopt as co
from combopt.solvers.auto import able

instance = co.generate("knapsack", n=100, seed=7)
for name in able(instance):
    result = co.solve(instance, name, time_limit=1)
    print(f"{name:<12} {result.objective!s:>10}  bound {result.bound!s:>10}  {result.status}, {result.seconds:.2f} s")

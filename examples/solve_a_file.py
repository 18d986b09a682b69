"""Read a file, solve it, look at the answer, and keep it."""

from pathlib import Path

import combopt as co

instance = co.read(Path(__file__).parent / "ft06.txt")
result = co.solve(instance, time_limit=10, seed=1)

print(result)
assert result.status is co.Status.OPTIMAL
assert result.objective == 55

again = co.Result.from_json(result.to_json())  # nothing is lost
assert again == result

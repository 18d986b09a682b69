"""Networks that say what the second stage of a two-stage problem is worth."""

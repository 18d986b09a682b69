"""Measurements: sweeps of solvers over instances into one file, metrics of what it holds, reports."""

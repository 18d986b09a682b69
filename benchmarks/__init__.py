"""Measurements: each module is a command that prints the figures of the documentation."""

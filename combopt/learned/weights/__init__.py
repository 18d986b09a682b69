"""Trained weights that come with the package, and what is known about each; read by :mod:`.store`."""

"""Policies that build solutions step by step: their decision processes, network, labels, training and decoding."""

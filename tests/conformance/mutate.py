"""Mutations of text files, aimed at what readers get wrong."""

from __future__ import annotations

import numpy as np

NASTY = [
    "nan", "inf", "-inf", "1e999", "-1", "0", "00", "1e-400", "99999999999999999999", "-99999999999999999999",
    "9223372036854775807", "4294967296", "100000000", "2147483648", "1.5", "1,5", "0x10", "1_000", "1e5",
    "\u0661", "½",
    "--1", "+", "-", ".", "e", "", ":", "#", "\\", "*", '"', "'", "(", ")", "<=", ">=", "=", "[", "]", "{", "}", "^2",
    "EOF", "END", "-1 -1", "\t", "\x0b", "\x0c", "\r", "\x1a", "\ufeff", "\u2028", "\x85", "9" * 400, "a" * 3000,
    "null", "true", "NaN", "Infinity", "[[[[", "1 2 3 4 5 6 7 8 9",
]  # fmt: skip


def mutate(text: str, rng: np.random.Generator) -> bytes:
    """One to four mutations of a text, as bytes (which may not be valid UTF-8)."""
    for _ in range(int(rng.integers(1, 5))):
        text = MUTATIONS[int(rng.integers(len(MUTATIONS)))](text, rng)
    data = bytearray(text.encode("utf-8", "replace"))
    if data and rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data)


def _token(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    words[int(rng.integers(len(words)))] = NASTY[int(rng.integers(len(NASTY)))]
    return " ".join(words)


def _number(text: str, rng: np.random.Generator) -> str:
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    if not digits:
        return text
    i = digits[int(rng.integers(len(digits)))]
    return text[:i] + NASTY[int(rng.integers(len(NASTY)))] + text[i + 1 :]


def _delete_line(text: str, rng: np.random.Generator) -> str:
    lines = text.split("\n")
    del lines[int(rng.integers(len(lines)))]
    return "\n".join(lines)


def _double_line(text: str, rng: np.random.Generator) -> str:
    lines = text.split("\n")
    i = int(rng.integers(len(lines)))
    lines.insert(int(rng.integers(len(lines) + 1)), lines[i])
    return "\n".join(lines)


def _swap_lines(text: str, rng: np.random.Generator) -> str:
    lines = text.split("\n")
    i, j = rng.integers(len(lines), size=2)
    lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines)


def _cut(text: str, rng: np.random.Generator) -> str:
    return text[: int(rng.integers(len(text) + 1))]


def _drop(text: str, rng: np.random.Generator) -> str:
    i = int(rng.integers(len(text) + 1))
    return text[:i] + text[i + int(rng.integers(1, 20)) :]


def _insert(text: str, rng: np.random.Generator) -> str:
    i = int(rng.integers(len(text) + 1))
    return text[:i] + NASTY[int(rng.integers(len(NASTY)))] + text[i:]


MUTATIONS = [_token, _token, _number, _number, _delete_line, _double_line, _swap_lines, _cut, _drop, _insert]

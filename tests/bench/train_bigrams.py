"""Counts which character follows which in the corpus' words: the table of `redact/bigrams.py`.

Example: .venv/bin/python tests/bench/train_bigrams.py > /tmp/table.txt
"""

from __future__ import annotations

import argparse
import math
import re
import string
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from indexer.config import default_corpus_path
from indexer.corpus import read_corpus

ALPHABET = string.ascii_lowercase + string.ascii_uppercase + "0"
DIGITS_TO_ZERO = str.maketrans("123456789", "000000000")
STEP_BITS = 0.5  # one digit of the table is half a bit
CODE = string.digits + string.ascii_lowercase
SMOOTHING = 0.5


def main() -> None:
    """Print one row per first character; a row's digits are surprises in half bits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--every", type=int, default=4, help="read one file in so many")
    arguments = parser.parse_args()
    words: Counter[str] = Counter()
    for number, file in enumerate(read_corpus(arguments.corpus)):
        if number % arguments.every == 0:
            words.update(set(re.findall(r"[A-Za-z][A-Za-z0-9]{1,23}", file.text)))
    for row in table(words):
        sys.stdout.write(row + "\n")


def table(words: Counter[str]) -> list[str]:
    """Surprises -log2 P(b|a) in half bits; a word that one file alone holds may be a key itself."""
    pairs: Counter[str] = Counter()
    for word, n_files in words.items():
        if n_files >= 2:
            plain = word.translate(DIGITS_TO_ZERO)
            for first, second in pairwise(plain):
                pairs[first + second] += min(n_files, 20)
    rows = []
    for first in ALPHABET:
        total = sum(pairs[first + second] for second in ALPHABET) + SMOOTHING * len(ALPHABET)
        bits = [-math.log2((pairs[first + b] + SMOOTHING) / total) for b in ALPHABET]
        rows.append("".join(CODE[min(len(CODE) - 1, round(b / STEP_BITS))] for b in bits))
    return rows


if __name__ == "__main__":
    main()

"""Lines that stand nearby or in the data, and compressors."""

from __future__ import annotations

import math
import zlib

from training.evaluate.baselines import NearestLine, PreviousLine, compressors


def test_the_previous_line_that_begins_as_this_one_is_repeated() -> None:
    """The nearest one above; all of the line above where nothing is begun."""
    above = "    self.left = left\n    other()\n"

    assert PreviousLine().complete(f"{above}    self.", "", one_line=True) == "left = left"
    assert PreviousLine().complete(f"{above}    ", "", one_line=True) == "other()"
    assert PreviousLine().complete("x", "", one_line=True) == ""


def test_the_most_frequent_line_of_the_data_is_taken() -> None:
    """By how it begins, else by the line above it."""
    nearest = NearestLine(["import os\nimport re\n", "import re\nx = 1\n", "import re\nx = 1"])

    assert nearest.complete("import ", "", one_line=True) == "re"
    assert nearest.complete("import re\n", "", one_line=True) == "x = 1"
    assert nearest.complete("unknown", "", one_line=True) == ""


def test_compressors_cost_their_bytes() -> None:
    """Eight bits a byte, in nats."""
    text = "def f():\n    return 1\n" * 20
    costs = {one.name: one.nats(text) / math.log(2) / 8 for one in compressors()}

    assert round(costs["zlib"], 6) == len(zlib.compress(text.encode(), 9))
    assert costs["xz"] < len(text)

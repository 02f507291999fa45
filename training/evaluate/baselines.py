"""What a model has to beat: compressors, and lines that stand nearby or in the training data."""

from __future__ import annotations

import bisect
import lzma
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable


class Compressed:
    """A `Scorer` that knows a text by the bytes that a compressor makes of it, file by file."""

    def __init__(self, name: str, compress: Callable[[bytes], bytes]) -> None:
        self.name = name
        self._compress = compress

    def nats(self, text: str) -> float:
        """Ln 2 for each bit."""
        return 8 * len(self._compress(text.encode("utf-8", "replace"))) * math.log(2)


def compressors() -> list[Compressed]:
    """Zlib and xz at their best levels."""
    return [
        Compressed("zlib", lambda data: zlib.compress(data, 9)),
        Compressed("xz", lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
    ]


class PreviousLine:
    """Repeats the line above: all of it, or what follows there on the text before the cursor."""

    name = "previous line"

    def complete(self, prefix: str, suffix: str, *, one_line: bool) -> str:
        """The rest of the nearest line above that begins as this one."""
        *above, begun = prefix.split("\n")
        lines = [line.strip() for line in above if line.strip()]
        start = begun.lstrip()
        same = [line for line in lines if line.startswith(start)]
        return same[-1][len(start) :] if same else ""


class NearestLine:
    """Looks the begun line up among the lines of the training data and takes the most frequent.

    Where nothing is begun, it takes what most often follows the line above.
    """

    name = "nearest line of the data"

    def __init__(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        followers: dict[str, Counter[str]] = {}
        for text in texts:
            above = ""
            for line in filter(None, map(str.strip, text.split("\n"))):
                counts[line] += 1
                followers.setdefault(above, Counter())[line] += 1
                above = line
        self._counts = counts
        self._lines = sorted(counts)
        self._next = {above: lines.most_common(1)[0][0] for above, lines in followers.items()}

    def complete(self, prefix: str, suffix: str, *, one_line: bool) -> str:
        """The rest of the most frequent line that begins as this one."""
        *above, begun = prefix.split("\n")
        start = begun.lstrip()
        if not start:
            lines = [line.strip() for line in above if line.strip()]
            return self._next.get(lines[-1] if lines else "", "")
        first = bisect.bisect_left(self._lines, start)
        end = bisect.bisect_left(self._lines, start + "\U0010ffff")
        same = (line for line in self._lines[first:end] if len(line) > len(start))
        best = max(same, key=self._counts.__getitem__, default="")
        return best[len(start) :]

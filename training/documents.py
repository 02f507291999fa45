"""Documents in a stream of packed tokens: where each begins and ends, what is round a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.fim import END

_FEW = 8  # tokens that a half should have
_TRIES = 64


class Documents:
    """The documents of a stream, each without its <|endoftext|>.

    Args:
        tokens: ids (n_tokens,) as `pack` has written them.
    """

    def __init__(self, tokens: NDArray[np.uint16]) -> None:
        self._tokens = tokens
        self.ends = np.flatnonzero(tokens == END)  # of each document, its own end not included
        self.starts = np.concatenate(([0], self.ends[:-1] + 1))

    def __len__(self) -> int:
        return len(self.ends)

    def around(self, place: int) -> tuple[int, int]:
        """Start and end of the document that holds a place in the stream."""
        number = min(int(np.searchsorted(self.ends, place)), len(self) - 1)
        return int(self.starts[number]), int(self.ends[number])

    def tokens(self, start: int, end: int) -> NDArray[np.int64]:
        """The ids of a range of the stream."""
        return self._tokens[start:end].astype(np.int64)

    def cut_near(self, place: int, rng: np.random.Generator) -> int:
        """A place in the same document with some tokens on both sides, if it is long enough."""
        start, end = self.around(place)
        if end - start < 2 * _FEW:
            return (start + end) // 2
        return min(max(place, start + _FEW), end - _FEW)

    def cut_elsewhere(self, cut: int, rng: np.random.Generator) -> int:
        """A place in another document; in the same one only if there is no other."""
        own = self.around(cut)
        for _ in range(_TRIES):
            other = int(rng.integers(self.ends[-1]))
            if self.around(other) != own:
                return self.cut_near(other, rng)
        return cut

    def before(self, cut: int, n: int) -> NDArray[np.int64]:
        """Up to n tokens that end at a cut."""
        start, _ = self.around(cut)
        return self.tokens(max(start, cut - n), cut)

    def after(self, cut: int, n: int) -> NDArray[np.int64]:
        """Up to n tokens that begin at a cut."""
        _, end = self.around(cut)
        return self.tokens(cut, min(end, cut + n))

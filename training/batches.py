"""Which tokens a run sees, in which order: a pure function of seed and sample number.

A sample is `block_size` tokens and the one after them, of one source. Each epoch of a source goes
through all its samples once, in an order drawn from (seed, source, epoch); sources take turns by
weight. Sample i depends on nothing that was read before it, so a resumed run, or one of several
processes, reads what an undisturbed one would have read.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.config import DataConfig
from training.errors import PackedError
from training.fim import PAD, permute
from training.pack import Packed, open_tokens, read_packed
from training.tokenizer import tokenizer_digest

_TURNS = 1000  # of the weights: shares are kept to a thousandth


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a sample is."""

    source: int
    epoch: int
    place: int  # the sample's number in the source


class Batches:
    """The samples of a run.

    Raises:
        PackedError: a folder is missing, damaged, too small or packed with another tokenizer, or a
            weight names no folder.
    """

    def __init__(self, folders: list[Path], tokenizer: Tokenizer, config: DataConfig) -> None:
        self.names = [folder.name for folder in folders]
        self.packed = [read_packed(folder) for folder in folders]
        self._tokens = [open_tokens(folder) for folder in folders]
        self._tokenizer, self._config = tokenizer, config
        self._n_samples = [(len(some) - 1) // config.block_size for some in self._tokens]
        self._check(tokenizer)
        self._turns = _turns(self._weights())
        self._n_turns = np.bincount(self._turns, minlength=len(folders))
        self._orders: dict[tuple[int, int], NDArray[np.int64]] = {}

    def batch(self, first: int, n: int) -> tuple[NDArray[np.int64], ...]:
        """Inputs and targets, both (n, block_size), of samples `first` to `first + n`."""
        rows = np.stack([self._read(number) for number in range(first, first + n)])
        targets = np.where(rows[:, 1:] == PAD, -100, rows[:, 1:])
        return rows[:, :-1], targets

    def sample(self, number: int) -> Sample:
        """Which sample has this number in the run."""
        rounds, turn = divmod(number, _TURNS)
        source = int(self._turns[turn])
        taken = rounds * int(self._n_turns[source])
        taken += int(np.count_nonzero(self._turns[:turn] == source))
        epoch, rank = divmod(taken, self._n_samples[source])
        return Sample(source, epoch, int(self._order(source, epoch)[rank]))

    def manifest(self, n_samples: int) -> dict[str, Any]:
        """What the first `n_samples` of the run are: enough to read them again."""
        return {
            "n_samples": n_samples,
            "next": asdict(self.sample(n_samples)),
            "order_sha256": self._order_digest(n_samples),
            "sources": [
                {"name": name, "share": float(self._n_turns[number]) / _TURNS, **asdict(packed)}
                for number, (name, packed) in enumerate(zip(self.names, self.packed, strict=True))
            ],
        }

    @property
    def corpus_digests(self) -> list[str]:
        """Of the corpora that the sources were packed from."""
        return [packed.corpus_digest for packed in self.packed]

    def _read(self, number: int) -> NDArray[np.int64]:
        sample = self.sample(number)
        start = sample.place * self._config.block_size
        ids = self._tokens[sample.source][start : start + self._config.block_size + 1]
        rng = np.random.default_rng(
            [self._config.seed, 1, sample.source, sample.epoch, sample.place]
        )
        return permute(ids, self._tokenizer, rng, self._config)

    def _order(self, source: int, epoch: int) -> NDArray[np.int64]:
        key = (source, epoch)
        if key not in self._orders:
            rng = np.random.default_rng([self._config.seed, 0, source, epoch])
            # An epoch's neighbours are asked for at its edges only.
            self._orders = {key: order for key, order in self._orders.items() if key[0] != source}
            self._orders[key] = rng.permutation(self._n_samples[source])
        return self._orders[key]

    def _order_digest(self, n_samples: int) -> str:
        """Of the last samples that were read, which name all before them by seed."""
        digest = hashlib.sha256(str(asdict(self._config)).encode())
        for number in range(max(0, n_samples - _TURNS), n_samples):
            sample = self.sample(number)
            digest.update(f"{sample.source} {sample.epoch} {sample.place}\n".encode())
        return digest.hexdigest()

    def _weights(self) -> list[float]:
        if not self._config.weights:
            return [float(packed.n_tokens) for packed in self.packed]
        named, read = set(self._config.weights), set(self.names)
        if named != read:
            odd = min(named - read or read - named)
            raise PackedError(
                f"data.weights and the packed folders differ in {odd!r}; give each of "
                f"{', '.join(self.names)} a weight"
            )
        return [self._config.weights[name] for name in self.names]

    def _check(self, tokenizer: Tokenizer) -> None:
        digest = tokenizer_digest(tokenizer)
        for name, packed, n_samples in zip(self.names, self.packed, self._n_samples, strict=True):
            if packed.tokenizer_digest != digest:
                raise PackedError(f"{name} was packed with another tokenizer; pack it again")
            if n_samples < 1:
                raise PackedError(
                    f"{name} has {packed.n_tokens} tokens, less than one block of "
                    f"{self._config.block_size}; pack more text"
                )


def heldout_windows(
    folder: Path, block_size: int, n_tokens: int
) -> tuple[NDArray[np.int64], Packed]:
    """Windows (N, block_size + 1) spread evenly over a packed folder, always the same.

    Raises:
        PackedError: there is none, or it is shorter than a window.
    """
    packed, tokens = read_packed(folder), open_tokens(folder)
    n_all = (len(tokens) - 1) // block_size
    n = min(n_all, max(1, n_tokens // block_size))
    if not n_all:
        raise PackedError(f"{folder} holds less than one block of {block_size} tokens")
    places = [number * n_all // n for number in range(n)]
    return np.stack(
        [tokens[p * block_size : (p + 1) * block_size + 1].astype(np.int64) for p in places]
    ), packed


def _turns(weights: list[float]) -> NDArray[np.int64]:
    """Whose turn it is, 1,000 times: each source as often and as evenly as its weight says."""
    shares = np.asarray(weights) / sum(weights)
    credit, turns = np.zeros(len(shares)), []
    for _ in range(_TURNS):
        credit += shares
        turns.append(int(np.argmax(credit)))
        credit[turns[-1]] -= 1
    return np.asarray(turns)

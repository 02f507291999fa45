"""An encoder's samples from packed tokens: two segments with masked tokens, or two views of code.

Which sample has which number is decided by `batches`; here a sample's place in the stream becomes
what the objective reads. Everything random comes from (seed, source, epoch, place).

    masked     <cls> A <sep> B <sep>    B follows A in its document, or is of another document
    views      <cls> view <sep>, twice  two texts that shall find each other (`views`)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stareencoder.tokens import SpecialIds
from training.batches import Batches, Sample
from training.config import DataConfig, ObjectiveConfig
from training.documents import Documents
from training.views import Views

Ids = NDArray[np.int64]
N_SENTINELS = 19  # the first ids, which stand for no text
_ROUND_TO = 16  # lengths of batches, so that few shapes occur


class MaskedBatches(Batches):
    """Two segments a sample, half of the time of two documents, and some tokens to predict."""

    def __init__(
        self,
        folders: list[Path],
        tokenizer: Tokenizer,
        data: DataConfig,
        objective: ObjectiveConfig,
        special: SpecialIds,
    ) -> None:
        super().__init__(folders, tokenizer, data)
        self._objective, self._special = objective, special
        self._documents = [Documents(tokens) for tokens in self._tokens]

    def batch(self, first: int, n: int) -> tuple[Ids, ...]:
        """Arrays of samples `first` to `first + n`.

        Returns:
            ids (n, T), segments (n, T), targets (n, T) with -100 where nothing is to be predicted,
            and is_other (n,): 1 where the second segment is of another document.
        """
        samples = [self._segments(self.sample(number)) for number in range(first, first + n)]
        return tuple(np.stack(column) for column in zip(*samples, strict=True))

    def _segments(self, sample: Sample) -> tuple[Ids, Ids, Ids, Ids]:
        size, special = self._config.block_size, self._special
        rng = np.random.default_rng(
            [self._config.seed, 2, sample.source, sample.epoch, sample.place]
        )
        documents = self._documents[sample.source]
        room = (size - 3) // 2
        one, two, is_other = _halves(documents, sample.place * size, size, room, rng)
        ids = np.concatenate(([special.cls], one, [special.sep], two, [special.sep]))
        segments = np.zeros(size, dtype=np.int64)
        segments[len(one) + 2 : len(ids)] = 1
        ids = np.pad(ids, (0, size - len(ids)), constant_values=special.pad)
        masked, targets = masked_tokens(ids, rng, self._objective.mask_rate, special)
        return masked, segments, targets, np.asarray(int(is_other))


class ViewBatches(Batches):
    """Two views a sample, each of half a block at most."""

    def __init__(
        self,
        folders: list[Path],
        tokenizer: Tokenizer,
        data: DataConfig,
        objective: ObjectiveConfig,
        special: SpecialIds,
    ) -> None:
        super().__init__(folders, tokenizer, data)
        self._special = special
        self._views = [
            Views(folder, Documents(tokens), tokenizer, objective)
            for folder, tokens in zip(folders, self._tokens, strict=True)
        ]

    def batch(self, first: int, n: int) -> tuple[Ids, ...]:
        """Ids (n, T) of the first and (n, U) of the second view of samples `first` on."""
        pairs = [self._pair(self.sample(number)) for number in range(first, first + n)]
        one, two = zip(*pairs, strict=True)
        most = self._config.block_size // 2
        return tuple(
            padded(self._tokenizer, list(texts), most, self._special) for texts in (one, two)
        )

    def _pair(self, sample: Sample) -> tuple[str, str]:
        rng = np.random.default_rng(
            [self._config.seed, 3, sample.source, sample.epoch, sample.place]
        )
        size = self._config.block_size
        return self._views[sample.source].pair(sample.place * size, size // 2, rng)


def masked_tokens(
    ids: Ids, rng: np.random.Generator, rate: float, special: SpecialIds
) -> tuple[Ids, Ids]:
    """Ids in which a share is hidden, and what stood there (-100 elsewhere).

    Of them 80 % become <mask>, 10 % another token and 10 % stay (Devlin et al., arXiv 1810.04805);
    unlike in the published training no other token is a special one.
    """
    is_text = (ids >= N_SENTINELS) & (ids < special.pad)
    chosen = is_text & (rng.random(len(ids)) < rate)
    how = rng.random(len(ids))
    other = rng.integers(N_SENTINELS, special.pad, len(ids))
    masked = np.where(chosen & (how < 0.8), special.mask, ids)
    masked = np.where(chosen & (how >= 0.9), other, masked)
    return masked, np.where(chosen, ids, -100)


def padded(tokenizer: Tokenizer, texts: list[str], most: int, special: SpecialIds) -> Ids:
    """Ids (n, T) of `<cls> text <sep>`, cut at `most` tokens, T as small as it goes."""
    encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    rows = [[special.cls, *one.ids[: most - 2], special.sep] for one in encoded]
    width = min(most, -(-max(map(len, rows)) // _ROUND_TO) * _ROUND_TO)
    ids = np.full((len(rows), width), special.pad, dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    return ids


def _halves(
    documents: Documents, place: int, size: int, room: int, rng: np.random.Generator
) -> tuple[Ids, Ids, bool]:
    """What stands before and after a cut near `place`, or before it and in another document.

    Both halves keep what is nearest to the cut, so that none is cut away whole.
    """
    cut = documents.cut_near(place + int(rng.integers(size)), rng)
    one = documents.before(cut, room)
    if rng.random() < 0.5:
        return one, documents.after(cut, room), False
    return one, documents.after(documents.cut_elsewhere(cut, rng), room), True

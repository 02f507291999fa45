"""Fill in the middle: documents permuted so that a model learns to write between two texts.

As published (Bavarian et al., arXiv 2207.14255; bigcode's Megatron-LM,
megatron/data/gpt_dataset.py): a sample is cut at its <|endoftext|>, each segment is permuted with
probability `fim_rate`, at two places drawn uniformly among its characters, and its three parts are
encoded anew:

    PSM   <fim_prefix> prefix <fim_suffix> suffix <fim_middle> middle <|endoftext|>
    SPM   <fim_prefix> <fim_suffix> suffix <fim_middle> prefix middle <|endoftext|>

Two things differ, since they cost the published models their stopping point: every middle ends with
<|endoftext|>, also where a sample ends before its document does; and where the sentinels need room,
the prefix gives it ("prefix"), not the end of the last middle ("middle", as published).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.curate import sentinels as s
from training.config import DataConfig

END, PAD = s.SENTINEL_ID[s.END_OF_TEXT], s.SENTINEL_ID[s.FIM_PAD]
PREFIX, MIDDLE = s.SENTINEL_ID[s.FIM_PREFIX], s.SENTINEL_ID[s.FIM_MIDDLE]
SUFFIX = s.SENTINEL_ID[s.FIM_SUFFIX]
_N_SENTINELS = 4  # three of infilling and the end


@dataclass(frozen=True, slots=True)
class Parts:
    """A segment in its three parts, as token ids."""

    prefix: list[int]
    middle: list[int]
    suffix: list[int]

    def __len__(self) -> int:
        """Tokens, with the sentinels that `psm` and `spm` add."""
        return len(self.prefix) + len(self.middle) + len(self.suffix) + _N_SENTINELS


def psm(parts: Parts) -> list[int]:
    """Prefix, suffix, middle."""
    return [PREFIX, *parts.prefix, SUFFIX, *parts.suffix, MIDDLE, *parts.middle, END]


def spm(parts: Parts) -> list[int]:
    """Suffix, prefix, middle; prefix and middle stand next to each other."""
    return [PREFIX, SUFFIX, *parts.suffix, MIDDLE, *parts.prefix, *parts.middle, END]


def permute(
    ids: NDArray[np.uint16], tokenizer: Tokenizer, rng: np.random.Generator, config: DataConfig
) -> NDArray[np.int64]:
    """A sample (T,) with its segments permuted by chance: (T,) again, cut or padded.

    The same generator state gives the same sample.
    """
    length = len(ids)
    pieces: list[int] = []
    for segment in _segments(ids.tolist()):
        # Drawn for every segment, so that what one becomes does not move the next one's chances.
        is_permuted, is_spm = rng.random() < config.fim_rate, rng.random() < config.spm_rate
        places = (rng.random(), rng.random())
        permuted = _permuted(segment, tokenizer, places, config) if is_permuted else None
        pieces += segment if permuted is None else (spm if is_spm else psm)(permuted)
    pieces = pieces[:length]
    sample = np.full(length, PAD, dtype=np.int64)
    sample[: len(pieces)] = pieces
    return sample


def split(text: str, places: tuple[float, float], tokenizer: Tokenizer) -> Parts:
    """The three parts of a text, cut at two places in [0, 1) of its characters."""
    start, end = sorted(int(place * (len(text) + 1)) for place in places)
    encode = tokenizer.encode_batch_fast([text[:start], text[start:end], text[end:]])
    return Parts(*(encoding.ids for encoding in encode))


def join(ids: list[int], tokenizer: Tokenizer) -> str:
    """The text that `psm` of a split was made from: the inverse, exact while nothing was cut."""
    middle, suffix = ids.index(MIDDLE), ids.index(SUFFIX)
    parts = ids[1:suffix], ids[middle + 1 : -1], ids[suffix + 1 : middle]
    return "".join(tokenizer.decode(part, skip_special_tokens=False) for part in parts)


def _permuted(
    segment: list[int], tokenizer: Tokenizer, places: tuple[float, float], config: DataConfig
) -> Parts | None:
    """None: left to right, since there is too little to cut or a character is cut in two."""
    text = tokenizer.decode(
        segment[:-1] if segment[-1] == END else segment, skip_special_tokens=False
    )
    if "\N{REPLACEMENT CHARACTER}" in text:
        return None
    parts = split(text, places, tokenizer)
    if config.fim_overflow == "middle":
        return parts
    excess = len(parts) - len(segment)
    if excess <= 0:
        return parts
    # The prefix loses what is furthest from the cursor, then so does the suffix.
    from_prefix = min(excess, len(parts.prefix))
    from_suffix = excess - from_prefix
    if from_suffix > len(parts.suffix):
        return None
    kept = parts.suffix[: len(parts.suffix) - from_suffix]
    return Parts(parts.prefix[from_prefix:], parts.middle, kept)


def _segments(ids: list[int]) -> list[list[int]]:
    """The sample cut behind each end of a document."""
    segments, start = [], 0
    for place, number in enumerate(ids):
        if number == END:
            segments.append(ids[start : place + 1])
            start = place + 1
    if start < len(ids):
        segments.append(ids[start:])
    return segments

"""StarEncoder's four special tokens, after the vocabulary of the decoder's tokenizer.

In the published model that vocabulary has 49,152 tokens, so they are 49152 to 49155.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer

SPECIAL = ("<pad>", "<sep>", "<cls>", "<mask>")


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The ids of the special tokens."""

    pad: int
    sep: int
    cls: int
    mask: int


def special_ids(vocab_size: int) -> SpecialIds:
    """Their ids in an encoder with so many tokens, these four included and last."""
    first = vocab_size - len(SPECIAL)
    return SpecialIds(first, first + 1, first + 2, first + 3)


def with_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """A copy of a decoder's tokenizer that has them; text that spells one stays text."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in SPECIAL])
    copy.encode_special_tokens = True
    return copy

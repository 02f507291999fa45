"""Prompts by model family: pure data and string assembly, byte for byte as each was trained.

Sources: StarCoder's fill-in-the-middle layouts in bigcode-project/Megatron-LM
(`megatron/data/gpt_dataset.py`, function `permute`; PSM, and SPM variant 2); StarCoder 2 (arXiv
2402.19173, section 5.1); Qwen2.5-Coder's and SantaCoder's model cards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Layout = Literal["psm", "spm"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """How a family of models marks prefix, suffix and middle, and where it ends by itself."""

    sentinels: tuple[str, str, str] | None  # prefix, suffix, middle; None: it reads only forwards
    spm: bool = False  # trained on suffix-prefix-middle too, which keeps the suffix cached
    stop: tuple[str, ...] = ()  # never a string that ordinary code contains
    marks: tuple[str, ...] = ()  # tokens by which a vocabulary is recognised


FAMILIES = {
    "starcoder2": Family(
        sentinels=("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
        stop=("<file_sep>", "<|endoftext|>"),
        marks=("<fim_prefix>", "<file_sep>"),
    ),
    "starcoder": Family(
        sentinels=("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
        spm=True,
        stop=("<|endoftext|>",),
        marks=("<fim_prefix>",),
    ),
    "santacoder": Family(
        sentinels=("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
        spm=True,
        stop=("<|endoftext|>",),
        marks=("<fim-prefix>",),
    ),
    "qwen2.5-coder": Family(
        sentinels=("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
        stop=("<|endoftext|>", "<|file_sep|>", "<|repo_name|>", "<|fim_pad|>", "<|im_end|>"),
        marks=("<|fim_prefix|>",),
    ),
    "smollm2": Family(
        sentinels=None, stop=("<|endoftext|>", "<|im_end|>"), marks=("<jupyter_start>",)
    ),
    "prefix": Family(sentinels=None),
}


def detect_family(special_tokens: Iterable[str]) -> str:
    """Name the family whose marks a vocabulary holds; "prefix" where none fits."""
    present = set(special_tokens)
    fitting = (name for name, family in FAMILIES.items() if present.issuperset(family.marks))
    return next(fitting)  # "prefix" has no marks, so it always fits


def build_prompt(family: Family, prefix: str, suffix: str, layout: Layout = "psm") -> str:
    """Lay out a prefix and a suffix as the family was trained.

    The user's text must not spell a control token: `neutralise` it first.
    """
    if family.sentinels is None:
        return prefix
    begin, then, middle = family.sentinels
    if layout == "spm" and family.spm:
        return f"{begin}{then}{suffix}{middle}{prefix}"
    return f"{begin}{prefix}{then}{suffix}{middle}"


# what vocabularies use as control tokens: <|im_start|>, <fim_prefix>, <file_sep>, <fim-middle> …
CONTROL = re.compile(
    r"<(?=\|[A-Za-z_]+\|>"
    r"|(?:fim|file|repo|issue|jupyter|commit|gh|empty)[_-][a-z_]+>"
    r"|(?:filename|reponame|pr|pr_\w+|s|/s|unk|pad)>)"
)


def neutralise(text: str) -> str:
    """Break up what a tokenizer would read as a control token, by a space after its `<`."""
    return CONTROL.sub("< ", text)


# what a token of the usual vocabularies can look like at the end of a text
LAST_PIECE = re.compile(r" ?\w+\Z|\s+\Z|[^\w\s]\Z")
MAX_PIECE_CHARS = 48


def heal(prefix: str) -> tuple[str, str]:
    """Split a prefix so that the model may choose its last token anew (token healing).

    Returns what stays in the prompt and the piece that the model must begin with: a cursor inside
    a token otherwise leaves a prompt such as was never seen in training.
    """
    found = LAST_PIECE.search(prefix[-MAX_PIECE_CHARS:])
    n_chars = len(found[0]) if found else 0
    return prefix[: len(prefix) - n_chars], prefix[len(prefix) - n_chars :]

"""The control tokens of the StarCoder family, listed once, and how literal ones are defused."""

from __future__ import annotations

import re

END_OF_TEXT = "<|endoftext|>"
FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX = "<fim_prefix>", "<fim_middle>", "<fim_suffix>"
FIM_PAD = "<fim_pad>"
FILENAME, GH_STARS = "<filename>", "<gh_stars>"
ISSUE_START, ISSUE_COMMENT, ISSUE_CLOSED = "<issue_start>", "<issue_comment>", "<issue_closed>"
JUPYTER_START, JUPYTER_TEXT = "<jupyter_start>", "<jupyter_text>"
JUPYTER_CODE, JUPYTER_OUTPUT = "<jupyter_code>", "<jupyter_output>"
EMPTY_OUTPUT = "<empty_output>"
COMMIT_BEFORE, COMMIT_MSG = "<commit_before>", "<commit_msg>"
COMMIT_AFTER = "<commit_after>"
REPONAME = "<reponame>"

# A token's id is its place (bigcode-tokenizer, starcoder/train_bpe_tokenizer.py).
SENTINELS = (
    END_OF_TEXT,
    FIM_PREFIX,
    FIM_MIDDLE,
    FIM_SUFFIX,
    FIM_PAD,
    FILENAME,
    GH_STARS,
    ISSUE_START,
    ISSUE_COMMENT,
    ISSUE_CLOSED,
    JUPYTER_START,
    JUPYTER_TEXT,
    JUPYTER_CODE,
    JUPYTER_OUTPUT,
    EMPTY_OUTPUT,
    COMMIT_BEFORE,
    COMMIT_MSG,
    COMMIT_AFTER,
    REPONAME,
)
SENTINEL_ID = {sentinel: number for number, sentinel in enumerate(SENTINELS)}
_LITERAL = re.compile(f"<(?={'|'.join(re.escape(sentinel[1:]) for sentinel in SENTINELS)})")


def neutralise(text: str) -> str:
    """The text with a space after the `<` of each literal sentinel; nothing else changes.

    A file that speaks of `<fim_middle>` otherwise turns into control tokens. No sentinel holds a
    space, so none is left and a second run changes nothing.
    """
    return _LITERAL.sub("< ", text)

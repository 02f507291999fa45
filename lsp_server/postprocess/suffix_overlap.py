"""What the model repeats of the text after the cursor is not written twice."""

from __future__ import annotations

from lsp_server.postprocess.brackets import open_quote, unmatched_closers
from lsp_server.postprocess.context import RuleContext

CLOSERS = set(")]}\"'`")


def cut_suffix_overlap(completion: str, context: RuleContext) -> str | None:
    """Cut the longest end of the completion that also begins the rest of the line.

    Closers that belong to openers inside the completion are never cut.
    """
    rest = context.line_after
    if not rest.strip():
        return completion
    last_line = completion[completion.rfind("\n") + 1 :]
    for n_chars in range(min(len(last_line), len(rest)), 0, -1):
        if last_line.endswith(rest[:n_chars]) and _is_separate(completion, n_chars, context):
            return completion[: len(completion) - n_chars] or None
    return completion


def _is_separate(completion: str, n_chars: int, context: RuleContext) -> bool:
    """Whether the last `n_chars` can go without leaving an opener of the rest unclosed."""
    cut = len(completion) - n_chars
    overlap = completion[cut:]
    if not overlap.strip():
        return False  # a lone space in common says nothing
    quote = open_quote(context.line_before + completion[:cut].rsplit("\n", 1)[-1])
    closers = unmatched_closers(overlap, quote)
    inherited = unmatched_closers(completion, open_quote(context.line_before))
    word_is_split = overlap[0].isalnum() and completion[cut - 1 : cut].isalnum()
    return not word_is_split and all(cut + position in inherited for position in closers)

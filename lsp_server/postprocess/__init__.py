"""Turns what a lane proposed into what may be shown: one rule a file, applied in this order.

Each rule is pure, `(completion, context) -> completion | None`, where None means: show nothing.
The text around the cursor is never changed, so nothing of the user's can get lost.
"""

from __future__ import annotations

from collections.abc import Callable

from lsp_server.postprocess.bracket_balance import cut_at_closed_bracket
from lsp_server.postprocess.context import RuleContext
from lsp_server.postprocess.extent import cut_to_line_or_block, has_ended
from lsp_server.postprocess.indentation import keep_indentation
from lsp_server.postprocess.next_lines import cut_repeated_lines
from lsp_server.postprocess.repetition import drop_loops
from lsp_server.postprocess.special_tokens import cut_special_tokens
from lsp_server.postprocess.suffix_overlap import cut_suffix_overlap
from lsp_server.postprocess.whitespace import trim_whitespace

Rule = Callable[[str, RuleContext], str | None]

RULES: tuple[Rule, ...] = (
    cut_special_tokens,
    keep_indentation,
    cut_to_line_or_block,
    drop_loops,
    cut_at_closed_bracket,
    cut_suffix_overlap,
    cut_repeated_lines,
    trim_whitespace,
)

__all__ = ["RULES", "Rule", "RuleContext", "has_ended", "postprocess"]


def postprocess(completion: str, context: RuleContext) -> str | None:
    """Apply all rules until none changes anything; None where nothing is worth showing."""
    while True:
        current: str | None = completion
        for rule in RULES:
            if not current:
                return None
            current = rule(current, context)
        if not current or current == completion:
            return current or None
        completion = current

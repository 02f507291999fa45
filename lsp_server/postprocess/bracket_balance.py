"""What the model closes and the user has closed already is not closed twice."""

from __future__ import annotations

from lsp_server.postprocess.brackets import open_quote, unmatched_closers
from lsp_server.postprocess.context import RuleContext


def cut_at_closed_bracket(completion: str, context: RuleContext) -> str | None:
    """End the completion at a closer that it did not open and that stands after the cursor.

    `foo(|)` completed by `a, b)` becomes `a, b`; `foo(|)` completed by `g(x) + y` stays, since
    its bracket is its own.
    """
    rest = context.line_after.lstrip()
    if not rest:
        return completion
    for position in unmatched_closers(completion, open_quote(context.line_before)):
        if completion[position] == rest[0]:
            return completion[:position] or None
    return completion

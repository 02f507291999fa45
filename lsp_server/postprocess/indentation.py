"""Where the cursor's line is blank so far, its indentation is the user's choice."""

from __future__ import annotations

from lsp_server.postprocess.context import RuleContext


def keep_indentation(completion: str, context: RuleContext) -> str | None:
    """Shift a completion that indents a blank line further back to where the cursor stands."""
    if not context.line_before or context.line_before.strip():
        return completion
    n_extra = len(completion) - len(completion.lstrip(" \t"))
    first, *others = completion.split("\n")
    return "\n".join([first[n_extra:], *(_dedent(line, n_extra) for line in others)])


def _dedent(line: str, n_chars: int) -> str:
    n_indent = len(line) - len(line.lstrip(" \t"))
    return line[min(n_chars, n_indent) :]

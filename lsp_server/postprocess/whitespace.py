"""No whitespace at the end of a line; a completion of nothing else is none."""

from __future__ import annotations

from lsp_server.postprocess.context import RuleContext


def trim_whitespace(completion: str, context: RuleContext) -> str | None:
    """Trim the ends of the lines; the last one keeps its space where text follows the cursor."""
    if not completion.strip():
        return None
    lines = completion.split("\n")
    ends = [line.rstrip() for line in lines[:-1]]
    last = lines[-1] if context.line_after.strip() else lines[-1].rstrip()
    return "\n".join([*ends, last])

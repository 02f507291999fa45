"""Lines that stand below the cursor already are not proposed again."""

from __future__ import annotations

from lsp_server.postprocess.context import RuleContext


def cut_repeated_lines(completion: str, context: RuleContext) -> str | None:
    """Cut the end of the completion that equals the lines below; nothing if all of it does.

    A last line of closing brackets also goes where the next line begins with it (`}` before
    `} else {`).
    """
    below = context.following_lines
    if not below:
        return completion
    lines = completion.split("\n")
    if (context.line_before + lines[0]).strip() == below[0].strip() and not context.line_after:
        return None
    for start in range(1, len(lines)):
        tail = [line.rstrip() for line in lines[start:] if line.strip()]
        if tail and tail == below[: len(tail)]:
            return "\n".join(lines[:start])
    last = lines[-1].rstrip()
    if len(lines) > 1 and last.strip() and not last.strip(")]};,") and below[0].startswith(last):
        return "\n".join(lines[:-1])
    return completion

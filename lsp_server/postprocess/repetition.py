"""Small models loop: a piece three times in a row, or a line that was just written."""

from __future__ import annotations

import re

from lsp_server.postprocess.context import RuleContext

# a piece with a word character, three times or more, in a row
LOOP = re.compile(r"(?P<piece>(?=[^\n]*\w)[^\n]{4,40}?)(?P=piece){2,}")
LINES_ABOVE = 3


def drop_loops(completion: str, context: RuleContext) -> str | None:
    """Show nothing where the completion loops; end a block before a line that repeats itself."""
    if LOOP.search(completion):
        return None
    lines = completion.split("\n")
    whole_first = (context.line_before + lines[0]).strip()
    above = context.prefix.split("\n")[:-1][-LINES_ABOVE:]
    if len(whole_first) > 8 and [line.strip() for line in above].count(whole_first) >= 2:
        return None
    for number in range(1, len(lines)):
        stripped = lines[number].strip()
        if len(stripped) > 8 and stripped in (line.strip() for line in lines[:number]):
            return "\n".join(lines[:number]).rstrip()
    return completion

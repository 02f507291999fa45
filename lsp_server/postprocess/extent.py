"""A completion is one line, or a block that ends where its indentation does."""

from __future__ import annotations

from lsp_server.postprocess.context import RuleContext, indent_of

MAX_BLOCK_LINES = 12
CLOSERS = ")]}"


def cut_to_line_or_block(completion: str, context: RuleContext) -> str | None:
    """Keep the first line, or the lines that are indented as deep as the cursor's or deeper.

    A closing bracket may stand at the opener's indentation: it belongs to the block. A block that
    was cut off by a limit of length ends with its last whole line.
    """
    if not context.multiline:
        return completion.split("\n", 1)[0].rstrip("\r")
    lines = completion.split("\n")
    kept = lines[:1]
    for line in lines[1:MAX_BLOCK_LINES]:
        if line.strip():
            deep_enough = indent_of(line) >= max(1, context.indent)
            if not deep_enough and line.strip()[0] not in CLOSERS:
                break
            kept.append(line)
            if not deep_enough:
                break
        elif len(kept) > 1 and not kept[-1].strip():
            break  # two blank lines end a block
        else:
            kept.append(line)
    while len(kept) > 1 and not kept[-1].strip():
        kept.pop()
    return "\n".join(kept)


def has_ended(text: str, context: RuleContext) -> bool:
    """Whether a completion that is still being written has passed its line's or block's end."""
    if not context.multiline:
        return "\n" in text
    return len(cut_to_line_or_block(text, context) or "") < len(text.rstrip())

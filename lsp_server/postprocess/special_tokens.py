"""Control tokens and Markdown fences are the model's, not the user's."""

from __future__ import annotations

import re

from lsp_server.postprocess.context import RuleContext

LEAKED = re.compile(
    r"<\|[a-z_]+\|>|<fim[_-][a-z]+>|<file_sep>|<repo_?name>|<filename>|<jupyter_\w+>"
    r"|<issue_\w+>|<commit_\w+>|<gh_stars>|<empty_output>"
)
FENCE = re.compile(r"^\s*```", re.MULTILINE)


def cut_special_tokens(completion: str, context: RuleContext) -> str | None:
    """End the completion before the first control token or fence that the file does not use."""
    leaked = LEAKED.search(completion)
    if leaked and leaked[0] not in context.prefix:
        completion = completion[: leaked.start()]
    fence = FENCE.search(completion)
    if fence and "```" not in context.prefix:
        completion = completion[: fence.start()]
    return completion or None

"""Takes what is personal or secret out of a text: text → candidates → spans → replacements."""

from indexer.curate.redact.find import FINDERS, find, merge
from indexer.curate.redact.redaction import Redaction, redact, redaction_step
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.tagging import Tagger

__all__ = [
    "FINDERS",
    "Kind",
    "Redaction",
    "Span",
    "Tagger",
    "find",
    "merge",
    "redact",
    "redaction_step",
]

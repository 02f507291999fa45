"""Drops XML in files of other languages, and HTML that shows little text for its size."""

from __future__ import annotations

import html
import re

from indexer.curate.config import CurateConfig
from indexer.curate.languages import extension_of
from indexer.curate.pipeline import Drop
from indexer.source_file import SourceFile

_XML_MARK, _XML_WITHIN = "<?xml version=", 100  # bigcode-dataset, preprocessing/filtering.py
_MEANT_AS_XML = frozenset({".xslt", ".xsl"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
# What an unclosed element hides reaches to the end, so that no input takes more than linear time.
_HIDDEN = re.compile(
    r"<(script|style|template|noscript)\b.*?(?:</\1\s*+>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<[/!?a-zA-Z][^>]*+(?:>|\Z)")
_BLANKS = re.compile(r"\s+")


def check_xml(file: SourceFile) -> SourceFile | Drop:
    """The file, or a drop if it is XML under the extension of a language of code."""
    if file.kind != "file" or extension_of(file.origin.path) in _MEANT_AS_XML:
        return file
    return Drop("XML") if _XML_MARK in file.text[:_XML_WITHIN] else file


def check_html(file: SourceFile, *, config: CurateConfig) -> SourceFile | Drop:
    """The file, or a drop for HTML whose visible text is short, or a small share of it."""
    if file.kind != "file" or extension_of(file.origin.path) not in _HTML:
        return file
    n_visible = len(visible_text(file.text))
    share = n_visible / max(1, len(file.text))
    if n_visible <= config.min_html_text_chars:
        return Drop("HTML with little text", f"{n_visible} characters")
    if share <= config.min_html_text_share:
        return Drop("HTML with a small share of text", f"{share:.3f}")
    return file


def visible_text(markup: str) -> str:
    """What a reader of a page sees, every run of whitespace as one space."""
    shown = html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", markup)))
    return _BLANKS.sub(" ", shown).strip()

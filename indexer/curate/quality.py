"""Drops text that people did not write line by line: very long lines, few letters and digits.

The limits are StarCoder's (bigcode-dataset, preprocessing/filtering.py and, for the exceptions by
extension, its visual inspection).
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer.curate.characters import count_alphanumeric
from indexer.curate.config import CurateConfig
from indexer.curate.languages import extension_of
from indexer.curate.pipeline import Drop
from indexer.source_file import SourceFile


@dataclass(frozen=True, slots=True)
class Exempt:
    """Which limits do not hold for an extension, and why that is right."""

    why: str
    lines: bool = False
    alphanumerics: bool = False


_PROSE = Exempt("a paragraph is one line", lines=True)
_SYMBOLS = Exempt("brackets and operators outnumber letters", alphanumerics=True)
EXCEPTIONS: dict[str, Exempt] = {
    ".md": _PROSE,
    ".markdown": _PROSE,
    ".rst": _PROSE,
    ".txt": _PROSE,
    ".tex": _PROSE,
    ".html": Exempt("its own rule judges the visible text", lines=True),
    ".htm": Exempt("its own rule judges the visible text", lines=True),
    ".json": Exempt("its own rule judges size and letters", lines=True, alphanumerics=True),
    ".yaml": Exempt("its own rule judges size and letters", lines=True, alphanumerics=True),
    ".yml": Exempt("its own rule judges size and letters", lines=True, alphanumerics=True),
    ".apl": _SYMBOLS,
    ".agda": _SYMBOLS,
    ".lagda": _SYMBOLS,
    ".vhd": Exempt("ruled comments and aligned ports", alphanumerics=True),
    ".asm": Exempt("aligned columns of short mnemonics", alphanumerics=True),
}


def check_quality(file: SourceFile, *, config: CurateConfig) -> SourceFile | Drop:
    """The file, or a drop for its lines or its characters; issues and commits pass."""
    if file.kind not in ("file", "notebook"):
        return file
    text = file.text
    if not text or text.isspace():
        return Drop("blank")
    exempt = EXCEPTIONS.get(extension_of(file.origin.path))
    if exempt is None or not exempt.lines:
        n_chars = [len(line) for line in text.splitlines()]
        longest = max(n_chars)
        if longest > config.max_line_chars:
            return Drop("line too long", f"{longest} characters")
        mean = sum(n_chars) / len(n_chars)
        if mean > config.max_mean_line_chars:
            return Drop("lines too long on average", f"{mean:.0f} characters")
    if exempt is None or not exempt.alphanumerics:
        share = count_alphanumeric(text) / len(text)
        if share < config.min_alphanumeric_share:
            return Drop("few letters and digits", f"{share:.3f}")
    return file

"""A match as Markdown: package, version, path, lines, licence, tier and claim.

Names, paths and licence texts come from the index, so they are escaped: no file name of a package
may put a link or markup of its own into the hover.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from lsp_server.protocol import OPEN_SOURCE_COMMAND, Match, Origin, Position, Range, SourceSpan

SHOWN_SOURCES = 3

_TIERS = {
    "E0": "the whole file",
    "E1": "verbatim",
    "E2": "equal but for whitespace and comments",
    "E3": "equal under a consistent renaming",
    "E4": "equal but for edits",
}
_CLAIMS = {
    "indexed": "in the index",
    "trained_on": "in the data that the model was trained on",
}
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#!|~&@]|:(?=//))")  # `://` would become a link


def contains(whole: Range, position: Position) -> bool:
    """Whether a position lies in a range; its end counts, for a cursor behind the last letter."""
    return _key(whole["start"]) <= _key(position) <= _key(whole["end"])


def hover_markdown(match: Match, *, command_links: bool) -> str:
    """What the hover on a match says; the lines in it are 1-based, for people."""
    parts = [
        _source(source, command_links=command_links) for source in match["sources"][:SHOWN_SOURCES]
    ]
    parts.append(_summary(match))
    if match["decision"] != "none":
        reasons = "; ".join(_plain(reason) for reason in match["decisionReasons"])
        parts.append(f"The policy of this repository: **{match['decision']}** ({reasons}).")
    return "\n\n".join(parts)


def _source(source: SourceSpan, *, command_links: bool) -> str:
    lines = _lines(source["range"])
    text = "  \n".join(_origin(origin, lines) for origin in source["origins"][:SHOWN_SOURCES])
    n_hidden = len(source["origins"]) - SHOWN_SOURCES
    if n_hidden > 0:
        text += f"  \nThe same file in {_count(n_hidden, 'more place')}."
    if command_links:
        text += f"  \n[Open source beside]({_command(source)})"
    return text


def _origin(origin: Origin, lines: str) -> str:
    where = f"**{_plain(origin['name'])}** {_plain(origin['version'])}"
    licence = f"Licence {_plain(origin['spdxId'])} ({_plain(origin['licenseEvidence'])})"
    return f"{where} · {_code(origin['path'])} · {lines}  \n{licence}"


def _summary(match: Match) -> str:
    text = (
        f"{match['tier']}, {_TIERS[match['tier']]}: {match['nLexemes']} lexemes, "
        f"{_CLAIMS[match['claim']]}; "
        f"in {_count(match['nPackages'], 'package')}, {_count(match['nSources'], 'file')}."
    )
    n_hidden = match["nSources"] - min(len(match["sources"]), SHOWN_SOURCES)
    return f"{text} {_count(n_hidden, 'file')} not shown." if n_hidden > 0 else text


def _lines(span: Range) -> str:
    first, last = span["start"]["line"] + 1, span["end"]["line"]
    return f"line {first}" if last <= first else f"lines {first}–{last}"  # noqa: RUF001


def _command(source: SourceSpan) -> str:
    arguments = [
        source["documentId"],
        source["range"]["start"]["line"],
        source["range"]["end"]["line"],
    ]
    return f"command:{OPEN_SOURCE_COMMAND}?{quote(json.dumps(arguments))}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return f"`{' '.join(text.replace('`', ' ').split())}`"


def _key(position: Position) -> tuple[int, int]:
    return position["line"], position["character"]

"""A match as Markdown."""

from __future__ import annotations

import re
from typing import Literal

import pytest

from lsp_server.hover import contains, hover_markdown
from lsp_server.protocol import Match, Origin, Range, SourceSpan


def span(line: int, end_line: int, character: int = 0, end_character: int = 0) -> Range:
    return {
        "start": {"line": line, "character": character},
        "end": {"line": end_line, "character": end_character},
    }


def origin(name: str = "ringlib", path: str = "ringlib/ring.py", spdx_id: str = "MIT") -> Origin:
    return {
        "source": "pypi",
        "name": name,
        "version": "1.0",
        "path": path,
        "spdxId": spdx_id,
        "licenseEvidence": "LICENSE",
        "purl": f"pkg:pypi/{name}@1.0",
    }


def match(*sources: SourceSpan, n_sources: int | None = None) -> Match:
    return {
        "range": span(0, 9),
        "tier": "E2",
        "claim": "trained_on",
        "nLexemes": 57,
        "nPackages": 1,
        "nSources": len(sources) if n_sources is None else n_sources,
        "sources": list(sources),
        "decision": "none",
        "decisionReasons": [],
    }


def source(*origins: Origin, lines: tuple[int, int] = (4, 9), document_id: int = 7) -> SourceSpan:
    return {
        "documentId": document_id,
        "documentSha256": "0" * 64,
        "range": span(*lines),
        "origins": list(origins),
    }


def test_a_hover_tells_what_the_policy_says_and_why() -> None:
    """The reasons come from a file of the repository, so no markup of theirs gets through."""
    judged = match(source(origin()))
    judged["decision"] = "block"
    judged["decisionReasons"] = ["GPL-3.0-only: block", "exception: [x](command:evil)"]
    text = hover_markdown(judged, command_links=False)

    assert text.endswith(
        "The policy of this repository: **block** "
        r"(GPL-3.0-only: block; exception: \[x\]\(command:evil\))."
    )


def test_a_hover_is_this_text() -> None:
    """The whole hover, as the editor gets it."""
    text = hover_markdown(match(source(origin())), command_links=True)

    assert text == (
        "**ringlib** 1.0 · `ringlib/ring.py` · lines 5\N{EN DASH}9  \n"
        "Licence MIT (LICENSE)  \n"
        "[Open source beside](command:starcite.openSource?%5B7%2C%204%2C%209%5D)\n\n"
        "E2, equal but for whitespace and comments: 57 lexemes, "
        "in the data that the model was trained on; in 1 package, 1 file."
    )


def test_a_single_line_is_named_as_one() -> None:
    """One line is no range of lines."""
    assert "· line 5  \n" in hover_markdown(
        match(source(origin(), lines=(4, 5))), command_links=False
    )


def test_many_sources_are_counted_and_not_all_shown() -> None:
    """A hover stays short; what is left out is said."""
    sources = [source(*[origin(f"p{n}")] * 5, document_id=n) for n in range(5)]
    text = hover_markdown(match(*sources, n_sources=12), command_links=False)

    assert "**p2**" in text
    assert "**p3**" not in text
    assert "The same file in 2 more places." in text
    assert "9 files not shown." in text


@pytest.mark.parametrize(
    "evil",
    [
        "[x](command:evil)",
        "![x](http://a)",
        "<a href=command:evil>",
        "**b**",
        "`` `c` ``",
        "a\n\n# b",
    ],
)
def test_names_from_an_index_bring_no_markup(evil: str) -> None:
    """No package name, path or licence can put a link, an image or a heading into the hover."""
    text = hover_markdown(match(source(origin(evil, evil, evil))), command_links=False)
    unescaped = re.sub(r"\\.", "", text)
    outside_code = "".join(unescaped.split("`")[::2])

    assert unescaped.count("`") == 2
    assert outside_code.count("**") == 2
    for bare in ("](", "<a", "![", "\n#"):
        assert bare not in outside_code


def test_a_range_holds_its_edges_and_nothing_beyond() -> None:
    """The cursor behind the last letter still belongs to the match."""
    where = span(1, 2, 4, 6)
    positions = [(1, 3), (1, 4), (1, 99), (2, 6), (2, 7)]
    held = [contains(where, {"line": line, "character": column}) for line, column in positions]

    assert held == [False, True, True, True, False]


@pytest.mark.parametrize("tier", ["E0", "E1", "E2", "E3", "E4"])
def test_every_tier_that_is_shown_has_words(tier: Literal["E0", "E1", "E2", "E3", "E4"]) -> None:
    """A match of any proved tier makes a hover."""
    text = hover_markdown({**match(source(origin())), "tier": tier}, command_links=False)

    assert f"{tier}, " in text

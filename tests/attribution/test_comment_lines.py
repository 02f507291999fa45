"""Comments round equal code: how far they are the same, where lines were put in or taken out."""

from __future__ import annotations

from attribution.align import Lexed, Run, core_extent
from attribution.comment_lines import with_comment_lines
from indexer import lex

CODE = "total = first + second\n"


def said(query: str, document: str) -> tuple[str, str]:
    """What of both texts the run of all their code is widened to."""
    one, other = (
        Lexed(data=text.encode(), lexemes=lex(text.encode(), "python"))
        for text in (query, document)
    )
    run = Run(0, 0, len(one.lexemes))
    extent = with_comment_lines(one, other, run, core_extent(one, other, run))
    return query[extent[0] : extent[1]], document[extent[2] : extent[3]]


def test_equal_comments_belong_to_the_run_whatever_their_indentation() -> None:
    """Those before and behind, up to the first that differs."""
    query = f"# mine\n# the sums\n{CODE}# of all\n# yours\n"
    document = f"# theirs\n    # the sums\n{CODE}\n  # of all\n# nobody's\n"

    ours, theirs = said(query, document)

    assert ours == f"# the sums\n{CODE}# of all\n"
    assert theirs == f"    # the sums\n{CODE}\n  # of all\n"


def test_a_line_that_was_taken_out_does_not_end_the_comments() -> None:
    """The lines beyond it were copied all the same."""
    query = f"# one\n# three\n{CODE}# four\n# six\n"
    document = f"# one\n# two\n# three\n{CODE}# four\n# five\n# six\n"

    assert said(query, document) == (query, document)
    assert said(document, query) == (document, query)


def test_lines_far_apart_are_no_copy() -> None:
    """A bare sign that stands somewhere beyond other lines proves nothing."""
    query = f"{CODE}#\n"
    document = f"{CODE}# one\n# two\n# three\n#\n"

    assert said(query, document) == (CODE.rstrip(), CODE.rstrip())

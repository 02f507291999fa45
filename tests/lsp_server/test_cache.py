"""What was proposed is found again along the user's way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.cache import TAIL_CHARS, Cached, CompletionCache, rest_after_typing

SHOWN = Cached(text="load(path)", lane="model", model="m")


def texts(cache: CompletionCache, *prefixes: str, line_after: str = "") -> list[str | None]:
    hits = [cache.get("u", prefix, line_after) for prefix in prefixes]
    return [hit.text if hit else None for hit in hits]


def test_typing_along_backspace_and_retyping_hit() -> None:
    """Along the proposal, back to where it was made and forth again, the rest is served."""
    cache = CompletionCache()
    cache.put("u", "x = ", "", SHOWN)
    actual = texts(cache, "x = ", "x = l", "x = lo", "x = l", "x = ", "x = load(")

    assert actual == ["load(path)", "oad(path)", "ad(path)", "oad(path)", "load(path)", "path)"]


def test_anything_else_misses() -> None:
    """Another word, a fully typed proposal, another rest of the line, another document."""
    cache = CompletionCache()
    cache.put("u", "x = ", "", SHOWN)

    assert texts(cache, "x = q", "x = load(path)", "y = ", "x ") == [None] * 4
    assert texts(cache, "x = l", line_after=")") == [None]
    assert cache.get("other", "x = l", "") is None


def test_no_proposal_is_remembered_at_its_place_only() -> None:
    """That there is nothing to propose holds for the very cursor and not for the next one."""
    cache = CompletionCache()
    cache.put("u", "x = ", "", Cached(text="", lane="model", model="m"))

    assert texts(cache, "x = ", "x = l") == ["", None]


def test_the_entry_used_longest_ago_goes_first() -> None:
    """A full cache drops what was not used for longest, not what is oldest."""
    cache = CompletionCache(max_entries=2)
    for prefix in ("a = ", "b = "):
        cache.put("u", prefix, "", SHOWN)
    cache.get("u", "a = ", "")
    cache.put("u", "c = ", "", SHOWN)

    assert texts(cache, "a = ", "b = ", "c = ") == ["load(path)", None, "load(path)"]


def test_the_start_of_a_document_is_a_place_of_its_own() -> None:
    """A proposal in an empty document is not served at any other cursor."""
    cache = CompletionCache()
    cache.put("u", "", "", Cached(text="import os", lane="model", model="m"))

    assert texts(cache, "im", "x = 1\n", "x = im") == ["port os", None, None]


@given(st.text("ab", min_size=0, max_size=300), st.text("ab", min_size=1, max_size=6), st.data())
def test_the_rest_completes_what_was_typed(prefix: str, text: str, data: st.DataObject) -> None:
    """Wherever the user is along a proposal, what was typed and the rest make the proposal."""
    n_typed = data.draw(st.integers(0, len(text) - 1))
    rest = rest_after_typing(prefix[-TAIL_CHARS:], text, prefix + text[:n_typed])

    assert text.endswith(rest)
    assert rest

"""Traces of random texts against an oracle that compares every pair of words."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution import Match, Tier, Tracer
from attribution.config import TraceConfig
from indexer import Index, Origin, SourceFile
from indexer.build import build_index

N_DOCUMENTS = 12
N_WORDS = 40  # few, so that short runs are shared by chance, as in code
CONFIG = TraceConfig()

Run = tuple[int, int, int, int]  # query, document number, place in it, length


def words_of_document(number: int) -> list[str]:
    rng = random.Random(number)  # noqa: S311
    words = [f"w{rng.randrange(N_WORDS)}" for _ in range(250)]
    if number % 3 == 2:  # shares a long run with the one before it
        words[60:120] = words_of_document(number - 1)[100:160]
    return words


DOCUMENTS = [words_of_document(number) for number in range(N_DOCUMENTS)]


def spaced(words: list[str], rng: random.Random) -> str:
    return "".join(word + rng.choice([" ", "  ", "\n", "\t", " # aside\n"]) for word in words)


@pytest.fixture(scope="module")
def random_tracer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracer]:
    """A tracer on documents of random words."""
    out = tmp_path_factory.mktemp("oracle") / "index"
    rng = random.Random(0)  # noqa: S311
    files = [
        SourceFile(
            text=spaced(words, rng),
            language="python",
            origin=Origin(
                source="pypi",
                name=f"package{number}",
                version="1",
                path="a.py",
                spdx_id="MIT",
                license_evidence="",
            ),
        )
        for number, words in enumerate(DOCUMENTS)
    ]
    build_index(files, out)
    # Comments are no words of the oracle, so nothing may be found by them.
    tracer = Tracer(Index.open(out), TraceConfig(max_snippet_bytes=0))
    yield tracer
    tracer.close()


def shared_by_hand(query: list[str], min_length: int) -> set[Run]:
    """Every maximal run of equal words, by walking from every pair of equal ones."""
    found = set()
    for number, document in enumerate(DOCUMENTS):
        places: dict[str, list[int]] = {}
        for place, word in enumerate(document):
            places.setdefault(word, []).append(place)
        for start, word in enumerate(query):
            for place in places.get(word, []):
                if start and place and query[start - 1] == document[place - 1]:
                    continue
                length = 1
                while (
                    start + length < len(query)
                    and place + length < len(document)
                    and query[start + length] == document[place + length]
                ):
                    length += 1
                if length >= min_length:
                    found.add((start, number, place, length))
    return found


@st.composite
def queries(draw: st.DrawFn) -> tuple[list[str], int]:
    """Pieces of documents between words that no document has, and a seed for the spacing."""
    words: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        words += [f"n{draw(st.integers(0, 99))}" for _ in range(draw(st.integers(0, 8)))]
        document = DOCUMENTS[draw(st.integers(0, N_DOCUMENTS - 1))]
        start = draw(st.integers(0, len(document)))
        words += document[start : start + draw(st.integers(1, 90))]
    return words, draw(st.integers(0, 1000))


def word_range(text: str, start: int, end: int) -> tuple[int, int]:
    """A range of characters as a range of words, comments not counted."""
    before = text[:start].replace("# aside", "").split()
    inside = text[start:end].replace("# aside", "").split()
    return len(before), len(before) + len(inside)


def claimed_run(match: Match, query: str, tracer: Tracer, nth: int) -> Run:
    source = match.sources[nth]
    document, text = tracer.source(source.document_id)
    first, end = word_range(query, match.query.start, match.query.end)
    place, place_end = word_range(text, source.span.start, source.span.end)
    assert end - first == place_end - place == match.n_lexemes
    return first, int(document.origins[0].name.removeprefix("package")), place, end - first


def is_run_less_ragged_ends(claim: Run, run: Run, words: list[str], text: str) -> bool:
    """Whether the claim is the run, cut at line breaks of the query by 5 words or less an end."""
    start, number, place, length = claim
    n_head = start - run[0]
    n_tail = run[0] + run[3] - (start + length)
    if (number, place - start) != (run[1], run[2] - run[0]) or min(n_head, n_tail) < 0:
        return False
    begins_line = {0} | {len(line.split()) for line in _begun_lines(text)}
    was_ragged = run[0] not in begins_line, run[0] + run[3] not in begins_line | {len(words)}
    is_cut_right = (
        n_head == 0 or (n_head <= 5 and was_ragged[0] and start in begins_line),
        n_tail == 0 or (n_tail <= 5 and was_ragged[1] and start + length in begins_line),
    )
    return all(is_cut_right)


def _begun_lines(text: str) -> Iterator[str]:
    bare = text.replace("# aside", "")
    for at, letter in enumerate(bare):
        if letter == "\n":
            yield bare[:at]


def room_of(start: int, claims: list[tuple[int, int, int, int]], n_words: int) -> int:
    """How much the longer claims on both sides of a place leave: a block is judged by itself."""
    length = max(one[3] for one in claims if one[0] == start)
    longer = [(one[0], one[0] + one[3]) for one in claims if one[3] > length]
    before = [end for first, end in longer if first < start]
    after = [first for first, _ in longer if first > start]
    return min([*after, n_words]) - min(start, max([*before, 0]))


@settings(max_examples=60, deadline=None)
@given(query=queries())
def test_what_is_claimed_is_shared_and_what_is_shared_is_claimed(
    random_tracer: Tracer, query: tuple[list[str], int]
) -> None:
    """Every claim is a maximal run of the oracle, a few words of a begun line less at each end at
    the most; every run of 30 or more is claimed.
    """
    words, seed = query
    text = spaced(words, random.Random(seed))  # noqa: S311
    expected = shared_by_hand(words, CONFIG.min_whole_lexemes)

    exact = (Tier.E0, Tier.E1, Tier.E2)
    matches = [one for one in random_tracer.trace(text).matches if one.tier in exact]

    claims = [
        claimed_run(match, text, random_tracer, nth)
        for match in matches
        for nth in range(len(match.sources))
    ]
    for claim in claims:
        assert any(is_run_less_ragged_ends(claim, run, words, text) for run in expected), claim
    for start, _, _, length in claims:
        assert length >= CONFIG.min_lexemes or 2 * length >= room_of(start, claims, len(words))
    covered = {place for start, _, _, length in claims for place in range(start, start + length)}
    ranges = {(start, length) for start, _, _, length in claims}
    for start, _, _, length in expected:
        n_uncovered = len(set(range(start, start + length)) - covered)
        # A run may overlap a longer one; then what it adds must be too short to stand alone.
        if length >= CONFIG.min_lexemes:
            assert (start, length) in ranges or n_uncovered < CONFIG.min_covering_lexemes

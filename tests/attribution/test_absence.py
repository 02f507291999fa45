"""That a run is absent is said if and only if an oracle, which compares everything, finds none."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.absence import Bounds, absence_of, readings_of
from indexer import Index, Origin, SourceFile
from indexer.build import build_index
from indexer.store.fingerprints import MAX_POSTINGS
from indexer.text.winnow import K, W

N_DOCUMENTS = 10
N_WORDS = 30  # few, so that short runs are shared by chance
SHORTEST = K + W - 1


def words_of(number: int) -> list[str]:
    rng = random.Random(number)  # noqa: S311
    if number == 0:  # one k-gram again and again
        return ["w0", "w1"] * 100
    words = [f"w{rng.randrange(N_WORDS)}" for _ in range(200)]
    if number % 3 == 2:  # shares a long run with the one before it
        words[60:120] = words_of(number - 1)[100:160]
    return words


DOCUMENTS = [words_of(number) for number in range(N_DOCUMENTS)]


def index_of(documents: list[list[str]], out: Path) -> Index:
    files = [
        SourceFile(
            text=" ".join(words) + "\n",
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
        for number, words in enumerate(documents)
    ]
    build_index(files, out)
    return Index.open(out)


@pytest.fixture(scope="module")
def random_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of documents of random words."""
    with index_of(DOCUMENTS, tmp_path_factory.mktemp("absence") / "index") as index:
        yield index


def longest_shared(query: list[str], documents: list[list[str]]) -> int:
    """The length of the longest run of equal words, by trying every pair of places."""
    longest = 0
    for document in documents:
        before = [0] * (len(document) + 1)
        for word in query:
            row = [0]
            for place, other in enumerate(document):
                row.append(before[place] + 1 if word == other else 0)
            longest, before = max(longest, *row), row
    return longest


@st.composite
def queries(draw: st.DrawFn) -> list[str]:
    """Pieces of documents between words of which some occur in documents, too."""
    words: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        words += [f"w{draw(st.integers(0, 2 * N_WORDS))}" for _ in range(draw(st.integers(0, 6)))]
        document = draw(st.sampled_from(DOCUMENTS))
        start = draw(st.integers(0, len(document) - 1))
        words += document[start : start + draw(st.integers(1, 60))]
    return words


@settings(max_examples=150, deadline=None)
@given(words=queries(), data=st.data())
def test_absence_is_proved_if_and_only_if_it_is_so(
    random_index: Index, words: list[str], data: st.DataObject
) -> None:
    """Around the length of the longest shared run, and of any other length."""
    longest = longest_shared(words, DOCUMENTS)
    near = st.sampled_from([max(SHORTEST, longest + step) for step in (-1, 0, 1)])
    min_lexemes = data.draw(near | st.integers(SHORTEST, 80))

    told = absence_of(random_index, " ".join(words).encode(), "python", min_lexemes=min_lexemes)

    assert told.is_proved is (longest < min_lexemes)
    assert told.is_shared is (longest >= min_lexemes)


def test_what_a_lookup_samples_away_is_still_seen(tmp_path: Path) -> None:
    """One of a thousand documents with a fingerprint has the whole run, and no sample has it."""
    rng = random.Random(3)  # noqa: S311
    query = [f"q{number}" for number in range(SHORTEST)]
    [reading] = readings_of(" ".join(query).encode(), "python", k=K, w=W)
    [place] = reading.fingerprints.positions.tolist()

    def noise() -> list[str]:
        return [f"n{rng.randrange(10**9)}" for _ in range(12)]

    documents = [noise() + query[place : place + K] + noise() for _ in range(1_600)]
    documents[803] = noise() + query + noise()
    with index_of(documents, tmp_path / "index") as index:
        [holder] = [
            number
            for number in index.live_document_ids()
            if index.text(number) == " ".join(documents[803]) + "\n"
        ]
        sampled = index.lookup(reading.fingerprints.values).document_id.tolist()
        told = absence_of(index, " ".join(query).encode(), "python", min_lexemes=SHORTEST)

    assert len(sampled) == MAX_POSTINGS
    assert holder not in sampled  # else this test shows nothing
    assert told.is_shared
    assert told.reason == "package803 1, a.py"


def test_what_costs_too_much_is_no_proof(random_index: Index) -> None:
    """Beyond the bounds it is said that nothing is proved, and why; never that nothing is there."""
    data = " ".join(DOCUMENTS[3][:40]).encode()
    few = absence_of(random_index, data, "python", min_lexemes=20, bounds=Bounds(max_postings=1))
    short = absence_of(random_index, data, "python", min_lexemes=20, bounds=Bounds(max_bytes=1))

    assert (few.is_proved, few.is_shared) == (False, False)
    assert "more than 1 can be read" in few.reason
    assert (short.is_proved, short.is_shared) == (False, False)
    assert "more than 1 bytes" in short.reason


def test_a_fragment_of_a_docstring_is_read_in_every_way(tmp_path: Path) -> None:
    """What looks like a comment, unless the text starts inside of a string, is compared too."""
    text = " ".join(f"word{number}" for number in range(40))
    files = [f'"""Head.\n\n# {text}\n"""\n'.split(" ")]
    with index_of(files, tmp_path / "index") as index:
        inside = absence_of(index, f'# {text}\n"""\n'.encode(), "python", min_lexemes=30)

    assert inside.is_shared


def test_too_short_a_run_cannot_be_proved(random_index: Index) -> None:
    """Below k + w - 1 a copy may have no fingerprint."""
    with pytest.raises(ValueError, match="below 17 lexemes"):
        absence_of(random_index, b"a", "python", min_lexemes=SHORTEST - 1)

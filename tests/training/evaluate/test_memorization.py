"""Verbatim runs in generated text, against an oracle that compares all places with all places."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from attribution import Tracer
from indexer import SourceFile, lex
from indexer.build import build_index
from training.evaluate.memorization import MIN_LEXEMES, memorized, open_tracer

N_TEXTS = 150
MAX_CUT = 5  # lexemes of a begun line that a match may leave out at each end

Range = tuple[int, int]  # of lexemes of the generated text


@pytest.fixture(scope="module")
def tracer(files: list[SourceFile], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracer]:
    """A tracer on an index whose text is the training data of the scripted generator."""
    out = tmp_path_factory.mktemp("memory") / "index"
    build_index(files, out)
    tracer = open_tracer(out)
    yield tracer
    tracer.close()


def generated(files: list[SourceFile], rng: random.Random) -> str:
    """What a model that copies would write: pieces of files between words of its own."""
    text = ""
    for _ in range(rng.randrange(1, 4)):
        text += "".join(f"new{rng.randrange(10**9)} = {rng.randrange(10**9)}\n" for _ in range(2))
        source = rng.choice(files).text
        data = source.encode()
        lexemes = lex(data, "python")
        length = rng.choice([8, 16, 17, 18, 20, 25, 29, 30, 45, 80])
        first = rng.randrange(len(lexemes) - length)
        piece = data[lexemes.starts[first] : lexemes.ends[first + length - 1]]
        text += piece.decode() + "\n"
    return text


def runs_by_hand(text: str, files: list[SourceFile]) -> list[Range]:
    """Every maximal run of MIN_LEXEMES or more, by extending every pair of equal lexemes."""
    query = lex(text.encode(), "python").hashes
    found = set()
    for file in files:
        document = lex(file.text.encode(), "python").hashes
        ended = np.zeros(len(document) + 1, dtype=int)  # length of the run that ends at each place
        for place, one in enumerate(query):
            begun = np.concatenate([[0], np.where(document == one, ended[:-1] + 1, 0)])
            goes_on = np.zeros(len(document) + 1, dtype=bool)
            if place + 1 < len(query):
                goes_on[:-1] = document == query[place + 1]
            for length in begun[~goes_on & (begun >= MIN_LEXEMES)].tolist():
                found.add((place + 1 - length, place + 1))
            ended = begun
    return sorted(found)


def attributed(tracer: Tracer, text: str) -> set[int]:
    """The lexemes of a text that lie in some match."""
    lexemes = lex(text.encode(), "python")  # the texts are ASCII: bytes are characters
    return {
        place
        for match in tracer.trace(text).matches
        for place in range(len(lexemes))
        if match.query.start <= lexemes.starts[place] and lexemes.ends[place] <= match.query.end
    }


def test_every_generated_verbatim_run_is_attributed(
    tracer: Tracer, files: list[SourceFile]
) -> None:
    """Of the oracle's runs of 17 lexemes or more, 99 % or more are found, begun lines aside."""
    rng = random.Random(5)  # noqa: S311
    n_runs = n_missed = 0
    for _ in range(N_TEXTS):
        text = generated(files, rng)
        found = attributed(tracer, text)
        for start, end in runs_by_hand(text, files):
            n_runs += 1
            n_missed += not set(range(start + MAX_CUT, end - MAX_CUT)) <= found

    assert n_runs > 150
    assert n_missed <= 0.01 * n_runs, f"{n_missed} of {n_runs}"


def test_lines_are_counted_by_what_covers_them(tracer: Tracer, files: list[SourceFile]) -> None:
    """Copied lines count, the model's own and blank ones do not."""
    lines = files[3].text.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("def "))
    copied = "\n".join(lines[start : start + 6])
    found = memorized(tracer, f"own = 12345\n\n{copied}\n\nother = 54321 * own\n")

    assert found["n_lines"] == 8
    assert found["n_found_lines"] == 6
    assert found["has_run"] == 1
    assert found["longest_lexemes"] >= 30


def test_text_of_its_own_is_not_found(tracer: Tracer) -> None:
    """Nothing is said to be memorized that is not in the index."""
    found = memorized(tracer, "\n".join(f"value_{n} = compute({n}) ** {n * 7}" for n in range(30)))

    assert (found["n_found_lines"], found["has_run"]) == (0, 0)

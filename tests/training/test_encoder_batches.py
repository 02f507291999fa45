"""An encoder's samples: two segments with masked tokens, two views, all by number alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.source_file import SourceFile
from stareencoder.tokens import special_ids
from training.config import DataConfig, ObjectiveConfig
from training.docstrings import FILE_NAME, open_docstrings, write_docstrings
from training.documents import Documents
from training.encoder_batches import MaskedBatches, ViewBatches, masked_tokens
from training.errors import PackedError
from training.pack import open_tokens, pack
from training.views import Views, renamed, spoken, vocabulary_words

SPECIAL = special_ids(320 + 4)
DATA = DataConfig(block_size=32)
ABOUT = "# Both sides of the box count twice."
SAID = '"""The length of all sides of a box together."""'
METHOD = f"""
    def perimeter(self, edge):
        {SAID}
        total = self.size + edge
        return 2 * total

{ABOUT}
EDGES = ["north", "south", "east", "west", "inner", "outer"]
CORNERS = ["left", "right"]
"""


@pytest.fixture
def masked(tokens: Path, tokenizer: Tokenizer) -> MaskedBatches:
    return MaskedBatches([tokens / "train"], tokenizer, DATA, ObjectiveConfig(), SPECIAL)


@pytest.fixture(scope="module")
def packed(
    files: list[SourceFile], tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small modules, each with a method that says what it does."""
    folder = tmp_path_factory.mktemp("documented")
    documented = [replace(file, text=file.text + METHOD) for file in files]
    pack(documented, tokenizer, folder, corpus_digest="c" * 64)
    write_docstrings(folder, tokenizer)
    return folder


def test_a_sample_has_two_segments_and_keeps_them_both(masked: MaskedBatches) -> None:
    """<cls> A <sep> B <sep>: however long the document, B is never cut away whole."""
    ids, segments, _, _ = masked.batch(0, 60)
    in_second = (segments == 1) & (ids != SPECIAL.sep)

    assert (ids[:, 0] == SPECIAL.cls).all()
    assert ((ids == SPECIAL.sep).sum(axis=1) == 2).all()
    assert (in_second.sum(axis=1) >= 8).all()


def test_the_second_segment_follows_or_is_of_another_document(
    masked: MaskedBatches, tokens: Path
) -> None:
    """Where `is_other` is 0 the two stand together in one document, where it is 1 they do not."""
    ids, _, targets, is_other = masked.batch(0, 200)
    stream = open_tokens(tokens / "train").tobytes()
    plain = np.where(targets == -100, ids, targets).astype("<u2")
    is_text = plain < SPECIAL.pad
    together = [row[kept].tobytes() in stream for row, kept in zip(plain, is_text, strict=True)]

    assert all(one or other for one, other in zip(together, is_other, strict=True))
    assert not all(together)
    assert 0.35 < is_other.mean() < 0.65


@given(st.integers(0, 2**32), st.floats(0.05, 0.9))
def test_masking_hides_text_only_and_remembers_it(seed: int, rate: float) -> None:
    """Special tokens are neither chosen nor drawn, and what is not chosen stays as it was."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 324, 500)
    masked, targets = masked_tokens(ids, rng, rate, SPECIAL)
    chosen = targets != -100

    assert (targets[chosen] == ids[chosen]).all()
    assert (masked[~chosen] == ids[~chosen]).all()
    assert ((ids[chosen] >= 19) & (ids[chosen] < 320)).all()
    drawn = masked[chosen & (masked != SPECIAL.mask)]
    assert ((drawn >= 19) & (drawn < 320)).all()


def test_masking_takes_the_shares_that_were_published() -> None:
    """15 % of the tokens are to be predicted: 80 % of them hidden, 10 % replaced, 10 % kept."""
    rng = np.random.default_rng(0)
    ids = rng.integers(19, 320, 200_000)
    masked, targets = masked_tokens(ids, rng, 0.15, SPECIAL)
    chosen = targets != -100
    kept = (masked == ids)[chosen].mean()

    assert chosen.mean() == pytest.approx(0.15, abs=0.005)
    assert (masked == SPECIAL.mask)[chosen].mean() == pytest.approx(0.8, abs=0.01)
    assert kept == pytest.approx(0.1 + 0.1 / 301, abs=0.01)


@pytest.mark.parametrize("kind", [MaskedBatches, ViewBatches])
def test_a_sample_is_a_function_of_its_number(
    kind: type[MaskedBatches | ViewBatches], packed: Path, tokenizer: Tokenizer
) -> None:
    """Read alone, in a batch or in another order: the same arrays."""
    batches = kind([packed], tokenizer, DATA, ObjectiveConfig(), SPECIAL)
    again = kind([packed], tokenizer, DATA, ObjectiveConfig(), SPECIAL)
    late, early = again.batch(7, 1), again.batch(3, 1)
    together = batches.batch(3, 5)

    assert all(_same(*arrays) for arrays in zip((a[:1] for a in together), early, strict=True))
    assert all(_same(*arrays) for arrays in zip((a[4:] for a in together), late, strict=True))


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are equal but for padding at the end of rows."""
    width = min(one.shape[-1], other.shape[-1])
    return np.array_equal(one[..., :width], other[..., :width])


def test_docstrings_are_found_with_their_functions(packed: Path, tokenizer: Tokenizer) -> None:
    """Each row cuts a document into a head, its docstring and its body; a comment has no head."""
    documents = Documents(open_tokens(packed))
    rows = open_docstrings(packed).tolist()
    commented = [row for row in rows if row[0] == row[1]]
    for start, doc_start, doc_end, end in (row for row in rows if row[0] != row[1]):
        head, said, body = (
            tokenizer.decode(documents.tokens(*span).tolist())
            for span in ((start, doc_start), (doc_start, doc_end), (doc_end, end))
        )
        # A token reaches over a boundary here and there, as the blanks before a docstring do.
        assert "def perimeter" in head
        assert said.strip().strip('"') == SAID.strip('"')
        assert "return" in body
    assert len(rows) == 31
    (comment,) = commented  # of thirty that say the same

    assert tokenizer.decode(documents.tokens(*comment[1:3]).tolist()).strip() == ABOUT
    assert "CORNERS" in tokenizer.decode(documents.tokens(*comment[2:]).tolist())


@pytest.mark.parametrize("damage", [None, b"", b"\x93NUMPY garbage", b"x" * 200])
def test_a_damaged_table_is_refused(damage: bytes | None, tmp_path: Path) -> None:
    """Missing, empty or overwritten: one error that names the file."""
    if damage is not None:
        (tmp_path / FILE_NAME).write_bytes(damage)
    with pytest.raises(PackedError, match=FILE_NAME):
        open_docstrings(tmp_path)


@pytest.mark.parametrize("kind", ["changed", "documented", "neighbour"])
def test_views_are_two_texts_of_one_document(kind: str, packed: Path, tokenizer: Tokenizer) -> None:
    """Neither is empty, they differ, and numbers that only one document has do not mix."""
    documents = Documents(open_tokens(packed))
    shares = dict.fromkeys(("changed", "documented", "neighbour"), 0.0) | {kind: 1.0}
    views = Views(packed, documents, tokenizer, ObjectiveConfig(**shares))  # type: ignore[arg-type]
    pairs = [views.pair(150 * n, 200, np.random.default_rng(n)) for n in range(30)]

    assert all(one.strip() and two.strip() for one, two in pairs)
    assert sum(one != two for one, two in pairs) > 20
    assert kind != "documented" or {one for one, _ in pairs} <= {SAID.strip('"'), ABOUT[2:]}
    assert kind != "neighbour" or not any(two in one for one, two in pairs)


@given(st.text(), st.integers(0, 1000))
def test_renaming_keeps_everything_but_names(text: str, seed: int) -> None:
    """Any text: what stands between names is as it was, keywords and builtins stay."""
    code = f"def f(x):\n    return len(x) + self.y\n{text}"
    other = renamed(code, ["alpha", "beta"], np.random.default_rng(seed))

    assert other.startswith("def ")
    assert "return len(" in other


@given(st.text())
def test_any_literal_can_be_spoken(text: str) -> None:
    """No quotes round it, no line breaks in it."""
    assert "\n" not in spoken(f'r"""{text}"""')


def test_words_keep_their_first_letter() -> None:
    """A prefix of a literal goes, the same letter of a word stays."""
    assert spoken("Return a box.") == "Return a box."
    assert spoken("rb'Return a box.'") == "Return a box."


def test_names_are_made_of_words_of_the_vocabulary(tokenizer: Tokenizer) -> None:
    """Letters only, each once."""
    words = vocabulary_words(tokenizer)

    assert words == list(dict.fromkeys(words))
    assert all(word.isalpha() and word.islower() for word in words)

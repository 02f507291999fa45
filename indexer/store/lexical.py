"""BM25 over chunks of 50 lines: finds text that shares words with a query, but no run of lexemes.

Words are whole identifiers in lower case. They are split here and handed to tantivy joined by
blanks: its own analyzers split identifiers in ways that dilute code.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tantivy

from indexer.errors import IndexBuildError, IndexDamagedError, IndexerError
from indexer.store.tantivy_names import name_by_content

FOLDER_NAME = "lexical"
CHUNK_LINES = 50
# Of a long query the rarest words count; scoring every one would cost more than it finds.
MAX_TERMS = 64

_MAX_WORD = 64  # longer runs are data; both sides cut them the same way
_WORD = re.compile(rf"\w{{1,{_MAX_WORD}}}")
_NO_WORD_TO_BLANK = bytes(
    byte if chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(128)
).ljust(256)
_LINE_END, _BLANK = b"\n "
_NO_WORD_IN_LINES_TO_BLANK = bytearray(_NO_WORD_TO_BLANK)
_NO_WORD_IN_LINES_TO_BLANK[_LINE_END] = _LINE_END
_HEAP_BYTES = 128_000_000
_MORE = 8  # times as many chunks are asked for where forgotten documents take places
_MAX_KEPT = 1 << 16  # numbers of chunks, about 10 MB


@dataclass(frozen=True, kw_only=True, slots=True)
class Lead:
    """A chunk of a document that shares words with the query: a lead and never a match."""

    document_id: int
    start_line: int  # 0-based, half-open
    end_line: int
    score: float


def words_of(text: str) -> list[str]:
    """The words of a text as both the index and a query see them."""
    lowered = text.lower()
    if lowered.isascii():  # four times as fast as the pattern
        words = lowered.encode().translate(_NO_WORD_TO_BLANK).decode().split()
        if max(map(len, words), default=0) <= _MAX_WORD:
            return words
    return _WORD.findall(lowered)


def weights_of(text: str, readers: Sequence[LexicalReader]) -> dict[str, float]:
    """How much each word of a query counts: its occurrences there times its idf.

    Rarity is that in the segments of all readers together, so that they rank alike. The idf is
    that of BM25 in tantivy and Lucene. Of a long query the rarest words are kept.
    """
    counts = Counter(words_of(text))
    freqs = dict(zip(counts, doc_freqs_of(list(counts), readers), strict=True))
    n_chunks = sum(reader.n_chunks for reader in readers)
    known = [word for word in counts if freqs[word]]
    rarest = sorted(known, key=lambda word: (freqs[word], word))[:MAX_TERMS]
    return {word: counts[word] * _idf(n_chunks, freqs[word]) for word in rarest}


def doc_freqs_of(words: Sequence[str], readers: Sequence[LexicalReader]) -> list[int]:
    """In how many chunks of all segments each word occurs; words as `words_of` gives them."""
    freqs = [reader.doc_freqs(words) for reader in readers]
    return [sum(of_word) for of_word in zip(*freqs, strict=True)] or [0] * len(words)


def _idf(n_chunks: int, doc_freq: int) -> float:
    return math.log(1 + (n_chunks - doc_freq + 0.5) / (doc_freq + 0.5))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    for name in ("number", "start_line", "end_line"):
        builder.add_unsigned_field(name, stored=True)
    return builder.build()


class LexicalWriter:
    """Adds documents chunk by chunk; one thread, so that equal input gives equal rankings.

    Every method raises IndexBuildError where tantivy cannot write.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FOLDER_NAME
        path.mkdir()
        self._path = path
        self._writer: tantivy.IndexWriter | None = None
        with _build_errors():
            index = tantivy.Index(_schema(), path=str(path))
            self._writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)

    def add(self, number: int, text: str) -> None:
        """Add a document under its number in the segment."""
        if self._writer is None:
            raise IndexBuildError("the BM25 index is already finished; start another build")
        with _build_errors():
            for start, end, words in chunks_of(text):
                document = tantivy.Document()
                document.add_text("words", words)
                document.add_unsigned("number", number)
                document.add_unsigned("start_line", start)
                document.add_unsigned("end_line", end)
                self._writer.add_document(document)

    def finish(self) -> None:
        """Write what is still in memory and wait for tantivy's threads."""
        if self._writer is not None:
            with _build_errors():
                self._writer.commit()
                self._writer.wait_merging_threads()
            self.discard()
            name_by_content(self._path)

    def discard(self) -> None:
        """Let go of the writer; that ends its threads, which would go on writing files."""
        self._writer = None


@contextmanager
def _build_errors() -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # what tantivy's own errors become
        raise IndexBuildError(
            f"cannot write the BM25 index: {error}; make room or choose another --out"
        ) from error


def chunks_of(text: str) -> Iterator[tuple[int, int, str]]:
    """The chunks of a text that hold words: first line, line behind the last, words and blanks."""
    plain = _plain_lines(text)
    lines = plain or text.split("\n")
    for start in range(0, len(lines), CHUNK_LINES):
        chunk = lines[start : start + CHUNK_LINES]
        words = "\n".join(chunk) if plain else " ".join(words_of("\n".join(chunk)))
        if words and not words.isspace():
            yield start, start + len(chunk), words


def _plain_lines(text: str) -> list[str]:
    """The lines of a text with nothing but its words and blanks; none where that takes more.

    Three times as fast as `words_of` a chunk. A word may be too long if half of what is allowed,
    at a multiple of that, is all word.
    """
    if not text.isascii():
        return []
    data = text.lower().encode().translate(_NO_WORD_IN_LINES_TO_BLANK)
    half = _MAX_WORD // 2
    halves = np.frombuffer(data, dtype=np.uint8, count=len(data) // half * half).reshape(-1, half)
    if (halves > _BLANK).all(axis=1).any():
        return []
    return data.decode().split("\n")


class LexicalReader:
    """Search over one segment; memory-mapped by tantivy."""

    def __init__(self, folder: Path) -> None:
        path = folder / FOLDER_NAME
        try:
            self._index = tantivy.Index.open(str(path))
            self._searcher = self._index.searcher()
            self._numbers: dict[tuple[int, int], int] = {}
        except ValueError as error:
            if "Lockfile" in str(error):  # tantivy takes a lock in the folder even to read
                raise IndexerError(
                    f"cannot search in {path}: it must be writable; copy the index elsewhere"
                ) from error
            raise IndexDamagedError(path, str(error)) from error

    def search(
        self,
        weights: Mapping[str, float],
        *,
        top_k: int,
        is_live: Callable[[int], bool] = lambda _number: True,
    ) -> list[Lead]:
        """The best chunks for weighted words, best first; `document_id` is the number here.

        Documents of which `is_live` says no are as if they were not there, but for how rare words
        are: tantivy is asked for more chunks until enough others are among them.
        """
        query = self._query(weights)
        if query is None or top_k < 1:
            return []
        n_asked, n_seen = top_k, 0
        live: list[tuple[float, tantivy.DocAddress]] = []
        while True:
            hits = self._searcher.search(query, limit=n_asked, count=False).hits
            # The first ones are those of the search before, which asked for fewer.
            for hit in hits[n_seen:]:
                if len(live) >= top_k and hit[0] < live[-1][0]:  # only ties can still matter
                    break
                if is_live(self._number(hit[1])):
                    live.append(hit)
            if len(live) >= top_k or len(hits) < n_asked:
                break
            n_asked, n_seen = n_asked * _MORE, len(hits)
        leads = [self._lead(score, address) for score, address in live]
        leads.sort(key=lambda lead: (-lead.score, lead.document_id, lead.start_line))
        return leads[:top_k]

    @property
    def n_chunks(self) -> int:
        """How many chunks there are."""
        return int(self._searcher.num_docs)

    def doc_freqs(self, words: Sequence[str]) -> list[int]:
        """In how many chunks each word occurs; words as `words_of` gives them."""
        return [int(self._searcher.doc_freq("words", word)) for word in words]

    def _query(self, weights: Mapping[str, float]) -> tantivy.Query | None:
        """An OR of terms, no query syntax; each boost puts the rarity in all of the index in."""
        freqs = dict(zip(weights, self.doc_freqs(list(weights)), strict=True))
        known = [word for word in weights if freqs[word]]
        if not known:
            return None
        schema = self._index.schema
        terms = (tantivy.Query.term_query(schema, "words", word, "freq") for word in known)
        boosts = (weights[word] / _idf(self.n_chunks, freqs[word]) for word in known)
        weighted = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(term, boost))
            for term, boost in zip(terms, boosts, strict=True)
        ]
        return tantivy.Query.boolean_query(weighted)

    def _number(self, address: tantivy.DocAddress) -> int:
        """The document of a chunk; kept, as the same forgotten ones come up again and again."""
        key = (address.segment_ord, address.doc)
        number = self._numbers.get(key)
        if number is None:
            if len(self._numbers) >= _MAX_KEPT:
                self._numbers.clear()
            number = self._numbers[key] = int(self._searcher.doc(address)["number"][0])
        return number

    def _lead(self, score: float, address: tantivy.DocAddress) -> Lead:
        chunk = self._searcher.doc(address)
        return Lead(
            document_id=int(chunk["number"][0]),
            start_line=int(chunk["start_line"][0]),
            end_line=int(chunk["end_line"][0]),
            score=score,
        )

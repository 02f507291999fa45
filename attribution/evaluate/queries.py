"""From the plan of classes to queries, each with what a right answer would say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from attribution.evaluate import changes
from attribution.evaluate.changes import Change, Lines
from attribution.evaluate.corpus import LANGUAGE, Corpus, Hashes, Place
from attribution.evaluate.oracle import MIN_RUN, Oracle
from attribution.evaluate.windows import Text, Window, cut, draw, seeded
from indexer import lex, start_hypotheses

MIN_OWNERS = 5  # who hold a run of boilerplate; the default corpus has 74 owners
_MIN_LEXEMES = 5  # of a window, comments aside; fewer are found by their comments at best
_MAX_DRAWS = 400  # windows drawn for one query before its class gives up

Range = tuple[int, int]  # half-open


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeClass:
    """One row of the protocol."""

    name: str
    sizes: tuple[int, ...]  # lines of a window
    change: Change = changes.verbatim
    kind: str = "indexed"  # or "boilerplate", or "unseen"
    is_renamed: bool = False  # then whoever holds a renaming holds the code, too


CLASSES = (
    CodeClass(name="verbatim", sizes=(3, 5, 10, 20)),
    CodeClass(name="layout", sizes=(5, 10, 20), change=changes.layout),
    CodeClass(name="comments", sizes=(5, 10, 20), change=changes.comments),
    CodeClass(name="rename_half", sizes=(10, 20), change=changes.rename_half, is_renamed=True),
    CodeClass(name="rename", sizes=(10, 20), change=changes.rename, is_renamed=True),
    CodeClass(name="rename_all", sizes=(10, 20), change=changes.rename_all, is_renamed=True),
    CodeClass(name="insert", sizes=(10, 20), change=changes.insert),
    CodeClass(name="delete", sizes=(10, 20), change=changes.delete),
    CodeClass(name="reorder", sizes=(10, 20), change=changes.reorder),
    CodeClass(name="splice", sizes=(10, 20), change=changes.splice),
    CodeClass(name="midstring", sizes=(5, 10, 20), change=changes.midstring),
    CodeClass(name="boilerplate", sizes=(5,), kind="boilerplate"),
    CodeClass(name="unseen", sizes=(3, 5, 10, 20), kind="unseen"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One source that a query was made of, and who holds it."""

    query: tuple[Range, ...]  # code points of the query that come from the source
    source: Text
    document: tuple[Range, ...]  # the same in the source
    holders: dict[int, tuple[Place, ...]]  # every document that holds it, the source too
    kept: tuple[Range, ...] = ()  # the same as lexemes, counted from the first of them
    # Comments that count neither for nor against a span, in code points:
    added: tuple[Range, ...] = ()  # put into the query
    gone: tuple[Range, ...] = ()  # taken out of the source


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A text to ask for. `parts` is empty for unseen code."""

    key: str  # "class/lines/number"
    name: str  # of the class
    n_lines: int
    owner: str
    origin: str  # where the window was cut, for a person
    text: str
    n_lexemes: int
    parts: tuple[Part, ...]
    shared_run: int  # unseen code: the longest run that the index holds all the same
    n_owners: int  # who hold the window


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What queries are drawn from."""

    indexed: Sequence[Text]
    unseen: Sequence[Text]
    oracle: Oracle
    with_comments: Oracle | None = None  # what unseen code shares with comments, for screening

    @property
    def corpus(self) -> Corpus:
        """The lexemes of the index."""
        return self.oracle.corpus


def queries_of(
    one: CodeClass, n_lines: int, *, n: int, seed: int, sources: Sources
) -> Iterator[Query]:
    """The first `n` queries of a class and size; fewer where the texts have no more.

    The windows are the same for every class of a size, so that classes compare, and a smaller `n`
    gives the first of a larger one.
    """
    windows = _windows(one, n_lines, seed=seed, sources=sources)
    others = draw(sources.indexed, n_lines, seeded(seed, n_lines, "other"))
    rng = seeded(seed, n_lines, one.name)
    for number in range(n):
        query = None
        for window in islice(windows, _MAX_DRAWS):
            if one.change is changes.midstring and not changes.may_be_midstring(window):
                continue
            other = next(two for two in others if two.source.owner != window.source.owner)
            lines = changes.changed(one.change, window, other, rng)
            if lines is None:
                continue
            key = f"{one.name}/{n_lines}/{number}"
            query = _query(key, one, (window, other), lines, sources)
            if query is not None:
                break
        if query is None:
            return
        yield query


def _windows(one: CodeClass, n_lines: int, *, seed: int, sources: Sources) -> Iterator[Window]:
    rng = seeded(seed, n_lines, "window")
    if one.kind == "unseen":
        return draw(sources.unseen, n_lines, rng)
    if one.kind == "boilerplate":
        return _widespread_windows(n_lines, seed=seed, sources=sources)
    return draw(sources.indexed, n_lines, rng)


def _widespread_windows(n_lines: int, *, seed: int, sources: Sources) -> Iterator[Window]:
    """Windows round runs that many owners hold; most of them are too wide and are thrown away."""
    corpus, rng = sources.corpus, seeded(seed, n_lines, "widespread")
    places = sources.oracle.widespread(MIN_OWNERS).tolist()
    rng.shuffle(places)
    by_id = {text.document_id: text for text in sources.indexed}
    for place in places:
        number = int(np.searchsorted(corpus.bounds, place, side="right")) - 1
        source = by_id.get(int(corpus.document_ids[number]))
        if source is None:  # of the other split
            continue
        text = source.read()
        before = text.encode()[: int(corpus.starts[place])].decode("utf-8", "replace")
        lines, start = cut(text), len(cut(before + "x")) - 1
        if start + n_lines <= len(lines):
            yield Window(source=source, lines=lines, start=start, end=start + n_lines)


def _query(
    key: str, one: CodeClass, windows: tuple[Window, Window], lines: Lines, sources: Sources
) -> Query | None:
    window = windows[0]
    text = "".join(line.text for line in lines)
    parts: list[Part] = []
    if one.kind != "unseen":
        n_parts = 1 + max(line.part for line in lines)
        for number, origin in zip(range(n_parts), windows, strict=False):
            part = _part(one, origin, lines, number, sources)
            if part is None:
                return None
            parts.append(part)
    data = text.encode("utf-8", "replace")
    lexed = [
        lex(data, LANGUAGE, inside=inside).hashes for inside in start_hypotheses(data, LANGUAGE)
    ]
    n_lexemes = max(map(len, lexed))
    holders = {document_id for part in parts for document_id in part.holders}
    owners = {name for document_id in holders for name in sources.corpus.owners_of(document_id)}
    if n_lexemes < (MIN_RUN if one.kind == "boilerplate" else _MIN_LEXEMES):
        return None
    if one.kind == "boilerplate" and len(owners) < MIN_OWNERS:
        return None
    return Query(
        key=key,
        name=one.name,
        n_lines=window.end - window.start,
        owner=window.source.owner,
        origin=f"{window.source.name}:{window.start + 1}",
        text=text,
        n_lexemes=n_lexemes,
        parts=tuple(parts),
        shared_run=max(
            *(_longest_run(hashes, sources.oracle) for hashes in lexed),
            _longest_with_comments(data, one, sources),
        ),
        n_owners=len(owners),
    )


def _longest_with_comments(data: bytes, one: CodeClass, sources: Sources) -> int:
    """A notice or a docstring that the index holds is shared, too, where it is a comment."""
    if one.kind != "unseen" or sources.with_comments is None:
        return 0
    return _longest_run(lex(data, LANGUAGE, keep_comments=True).hashes, sources.with_comments)


def _longest_run(hashes: Hashes, oracle: Oracle) -> int:
    return max(oracle.longest_by_document(hashes).values(), default=0)


def _part(
    one: CodeClass, origin: Window, lines: Lines, number: int, sources: Sources
) -> Part | None:
    """What of a query comes from one source, and who holds that."""
    mine = sorted({line.source_line for line in lines if line.part == number})
    held = _place_of(origin, mine[0], mine[-1] + 1, sources.corpus)
    if held.length < _MIN_LEXEMES:
        return None
    own_text = "".join(line.text for line in lines if line.part == number)
    blocks = _merged([(line, line + 1) for line in mine])
    places = [_place_of(origin, *block, sources.corpus) for block in blocks]
    gaps = [(one[1], other[0]) for one, other in pairwise(blocks)]
    return Part(
        query=_query_ranges(lines, number),
        source=origin.source,
        document=_code_points(origin, blocks),
        holders=_holders(one, held, own_text, sources),
        kept=tuple(
            (place.first - held.first, place.first - held.first + place.length) for place in places
        ),
        added=_added_ranges(lines),
        gone=_code_points(
            origin, [gap for gap in gaps if not _place_of(origin, *gap, sources.corpus).length]
        ),
    )


def _code_points(window: Window, blocks: Iterable[Range]) -> tuple[Range, ...]:
    return tuple((window.offsets[first], window.offsets[end]) for first, end in blocks)


def _place_of(window: Window, first: int, end: int, corpus: Corpus) -> Place:
    """The lexemes of some lines of an indexed document."""
    before = len("".join(window.lines[:first]).encode())
    after = before + len("".join(window.lines[first:end]).encode())
    start, stop = corpus.lexemes_between(window.source.document_id, before, after)
    return Place(window.source.document_id, start, stop - start)


def _holders(
    one: CodeClass, held: Place, text: str, sources: Sources
) -> dict[int, tuple[Place, ...]]:
    """Every document that holds these lexemes, or a run of what is left of them as long as theirs.

    For renamed code also who holds a renaming. Of those that hold a run only, the place is open.
    """
    corpus = sources.corpus
    begin = corpus.of_document(held.document_id).start + held.first
    row = slice(begin, begin + held.length)
    places = sources.oracle.holders(corpus.hashes[row])
    if one.is_renamed:
        places += corpus.renamed_holders(corpus.hashes[row], corpus.is_name[row])
    found: dict[int, tuple[Place, ...]] = {}
    for place in places:
        found[place.document_id] = (*found.get(place.document_id, ()), place)
    if not one.is_renamed:
        longest = sources.oracle.longest_by_document(lex(text.encode(), LANGUAGE).hashes)
        enough = longest.get(held.document_id, 0)
        for document_id, length in longest.items():
            if enough and length >= enough:
                found.setdefault(document_id, ())
    return found


def _query_ranges(lines: Lines, number: int) -> tuple[Range, ...]:
    ranges, at = [], 0
    for line in lines:
        if line.part == number:
            ranges.append((at, at + len(line.text)))
        at += len(line.text)
    return _merged(ranges)


def _added_ranges(lines: Lines) -> tuple[Range, ...]:
    ranges, at = [], 0
    for line in lines:
        if line.n_own is not None:
            ranges.append((at + line.n_own, at + len(line.text)))
        at += len(line.text)
    return tuple(ranges)


def _merged(ranges: list[Range]) -> tuple[Range, ...]:
    """Touching ranges as one."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and merged[-1][1] >= start:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)

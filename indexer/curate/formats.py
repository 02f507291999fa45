"""Records as the documents that a model reads: the StarCoder family's formats, with sentinels.

    file      [<reponame>R][<filename>P][<gh_stars>B]⏎T<|endoftext|>     ⏎ only after a tag
    issue     <issue_start>Title: T⏎username_0: …<issue_comment>username_1: …[<issue_closed>]…
    commit    <commit_before>T<commit_msg>T<commit_after>T<|endoftext|>
    notebook  <jupyter_start>[<jupyter_text>T]<jupyter_code>T<jupyter_output>T…<|endoftext|>

Texts come from others, so every literal sentinel in them is defused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby

from indexer.corpus.parts import Part, has_parts, split_parts
from indexer.curate import sentinels as s
from indexer.source_file import SourceFile

TAG_RATE = 0.2  # of each tag of a file, on its own
_BUCKETS = ((0, "0"), (10, "1-10"), (100, "10-100"), (1000, "100-1000"))
_TAGS = {"markdown": s.JUPYTER_TEXT, "code": s.JUPYTER_CODE, "output": s.JUPYTER_OUTPUT}


def format_document(file: SourceFile, *, seed: int = 0, tag_rate: float = TAG_RATE) -> str:
    """The document of a record; which tags a file has depends on the seed and the file only.

    Raises:
        ValueError: an issue or a commit that no reader made.
    """
    if file.kind == "issue":
        body = _issue(split_parts(file.text))
    elif file.kind == "commit":
        body = _commit(split_parts(file.text))
    elif file.kind == "notebook" and has_parts(file.text):
        body = _notebook(split_parts(file.text))
    else:  # a notebook as a script reads like any file
        body = _file(file, seed, tag_rate)
    return body + s.END_OF_TEXT


def star_bucket(stars: int) -> str:
    """The bucket of a number of stars: 0, 1-10, 10-100, 100-1000 or 1000+."""
    return next((name for most, name in _BUCKETS if stars <= most), "1000+")


def _file(file: SourceFile, seed: int, tag_rate: float) -> str:
    origin = file.origin
    tags = [
        (s.REPONAME, origin.repository or origin.name),
        (s.FILENAME, origin.path),
        (s.GH_STARS, "" if file.stars is None else star_bucket(file.stars)),
    ]
    head = "".join(
        tag + s.neutralise(value)
        for tag, value in tags
        if value and _chance(file, seed, tag) < tag_rate
    )
    return (f"{head}\n" if head else "") + s.neutralise(file.text)


def _chance(file: SourceFile, seed: int, tag: str) -> float:
    """A number in [0, 1): equal for equal texts in equal places, of one seed and one tag."""
    key = "\0".join((str(seed), tag, file.origin.purl, file.origin.path, file.text))
    digest = hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def _issue(parts: list[Part]) -> str:
    """The first comment is the issue's own text and stands under its title."""
    title = "".join(part.text for part in parts if part.role == "title")
    pieces = [f"{s.ISSUE_START}Title: {s.neutralise(title)}"]
    is_first = True
    for part in parts:
        if part.role == "closed":
            pieces.append(s.ISSUE_CLOSED)
        elif part.role == "comment":
            pieces.append(("\n" if is_first else s.ISSUE_COMMENT) + s.neutralise(part.text))
            is_first = False
    return "".join(pieces)


def _commit(parts: list[Part]) -> str:
    text = {part.role: s.neutralise(part.text) for part in parts}
    if text.keys() != {"before", "message", "after"}:
        raise ValueError(f"a commit has a text before, a message and a text after, not {[*text]}")
    return (
        f"{s.COMMIT_BEFORE}{text['before']}{s.COMMIT_MSG}{text['message']}"
        f"{s.COMMIT_AFTER}{text['after']}"
    )


def _notebook(parts: list[Part]) -> str:
    return s.JUPYTER_START + "".join(_cells(parts))


def _cells(parts: list[Part]) -> Iterator[str]:
    """Neighbouring texts are one; every code is followed by its output or by `<empty_output>`."""
    waiting = False  # a code whose output may follow
    for role, group in groupby(parts, key=lambda part: part.role):
        for text in _merged(role, group):
            if waiting and role != "output":
                yield s.JUPYTER_OUTPUT + s.EMPTY_OUTPUT
            waiting = role == "code"
            yield _TAGS[role] + s.neutralise(text)
    if waiting:
        yield s.JUPYTER_OUTPUT + s.EMPTY_OUTPUT


def _merged(role: str, group: Iterator[Part]) -> list[str]:
    texts = [part.text.strip() for part in group]
    return ["\n".join(texts)] if role == "markdown" else texts

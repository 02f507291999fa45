"""A row of a data set, by the names of its columns, as a source file.

The names are those of The Stack v1 and StarCoderData (`max_stars_repo_path`, `max_stars_count`, …),
of The Stack v2 (`blob_id`, `detected_licenses`, `is_vendor`, …) and the plain ones of JSON lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from indexer.corpus.filters import MAX_FILE_BYTES, SkipReason, is_vendored
from indexer.source_file import Origin, SourceFile
from indexer.text.languages import language_of

Row = Mapping[str, object]

# The first column that holds something decides.
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("content", "text", "code"),
    "path": ("max_stars_repo_path", "path", "file_path", "filename"),
    "repository": ("max_stars_repo_name", "repo_name", "repo", "repository"),
    "license": (
        "max_stars_repo_licenses",
        "detected_licenses",
        "gha_license_id",
        "licenses",
        "license",
        "license_type",
    ),
    "stars": ("max_stars_count", "star_events_count", "stars"),
    "language": ("lang", "language"),
    "revision": ("max_stars_repo_head_hexsha", "revision_id", "commit", "revision"),
    "first_seen": ("first_seen", "revision_date", "committer_date", "date"),
    "is_vendored": ("is_vendor",),
    "is_generated": ("is_generated",),
    "source": ("source",),
}
_MARKS_OF_STACK = frozenset({"max_stars_repo_path", "max_stars_repo_name", "blob_id", "hexsha"})
_NO_LICENSE = frozenset({"", "no_license", "none", "unknown", "noassertion"})
_LANGUAGES = {
    "c++": "cpp",
    "c#": "csharp",
    "c-sharp": "csharp",
    "f#": "fsharp",
    "f-sharp": "fsharp",
    "jsx": "javascriptreact",
    "tsx": "typescriptreact",
    "bash": "shell",
    "jupyter-notebook": "python",
    "objective-c++": "objective-c",
    "protocol-buffer": "protobuf",
}
_LANGUAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+#.-]{0,39}")


class WrongTypeError(Exception):
    """A column holds a value of a type that it cannot have."""


@dataclass(frozen=True, slots=True)
class Left:
    """Why a row gives no source file, and the column or the value that decided."""

    reason: SkipReason
    detail: str = ""


def source_file_of(row: Row, *, stem: str) -> SourceFile | Left:
    """The source file of a row; `stem` names the data set where no repository is stated."""
    try:
        return _source_file(row, stem)
    except WrongTypeError as error:
        return Left(SkipReason.WRONG_TYPE, str(error))


def _source_file(row: Row, stem: str) -> SourceFile | Left:
    text = text_of(row, "text")
    if not text:
        return Left(SkipReason.NO_TEXT)
    path = text_of(row, "path") or "unnamed"
    if left := judge_row(row, text, path):
        return left
    language = language_for(text_of(row, "language"), path)
    if language is None:
        return Left(SkipReason.NOT_SOURCE, path.rsplit("/", 1)[-1][-40:])
    text = text.removeprefix("\ufeff")
    source = "stack" if _MARKS_OF_STACK & row.keys() else "jsonl"
    return SourceFile(
        text=text,
        language=language,
        origin=origin_of(row, source=source, path=path, stem=stem),
        stars=_stars(row),
    )


def origin_of(row: Row, *, source: str, path: str, stem: str) -> Origin:
    """Where a row says that its text was published.

    Raises:
        WrongTypeError: a column holds a value of a type that it cannot have.
    """
    repository = text_of(row, "repository").strip("/")
    revision = text_of(row, "revision")
    spdx_id, evidence = _license(row)
    return Origin(
        source=source,
        name=repository or stem,
        version=revision[:12],
        path=path,
        spdx_id=spdx_id,
        license_evidence=evidence,
        repository=repository,
        revision=revision,
        first_seen=_date(row),
    )


def judge_row(row: Row, text: str, path: str) -> Left | None:
    """Why a row gives no text of the corpus, or None."""
    if flag_of(row, "is_vendored") or is_vendored(path):
        return Left(SkipReason.VENDORED)
    if flag_of(row, "is_generated"):
        return Left(SkipReason.GENERATED)
    if not path.isprintable():
        return Left(SkipReason.NOT_SOURCE, "its path has control characters")
    reason = judge_value(text)
    return Left(reason) if reason else None


def parse_json(data: bytes) -> object:
    """A JSON value, or `Left` where there is none; damaged input never raises."""
    try:
        value: object = json.loads(data)
    except UnicodeDecodeError:
        return Left(SkipReason.UNDECODABLE)
    except RecursionError:
        return Left(SkipReason.TOO_DEEP)
    except ValueError as error:  # JSONDecodeError; a number of more digits than Python reads
        return Left(SkipReason.DAMAGED, str(error)[:80])
    return value


def judge_value(text: str) -> SkipReason | None:
    """Why a text can be no text of the corpus, or None."""
    if not text.strip():
        return SkipReason.EMPTY
    if "\0" in text:
        return SkipReason.BINARY
    try:
        n_bytes = len(text.encode())
    except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and UTF-8 cannot
        return SkipReason.UNDECODABLE
    return SkipReason.TOO_LARGE if n_bytes > MAX_FILE_BYTES else None


def text_of(row: Row, field: str) -> str:
    """The text of the first column of `field` that has one, or nothing.

    Raises:
        WrongTypeError: the column holds something else.
    """
    name, value = _value(row, field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongTypeError(f"{name}: {type(value).__name__}")
    if field != "text" and not _is_unicode(value):
        raise WrongTypeError(f"{name}: no Unicode text")
    return value


def flag_of(row: Row, field: str) -> bool:
    """Whether the column of `field` is true.

    Raises:
        WrongTypeError: the column holds something else than a truth value.
    """
    name, value = _value(row, field)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise WrongTypeError(f"{name}: {type(value).__name__}")


def language_named(name: str) -> str:
    """A language's name as data sets write it ("C++", "Emacs Lisp"), as the corpus writes it."""
    plain = "-".join(name.strip().lower().split())
    return _LANGUAGES.get(plain, plain)


def language_for(stated: str, path: str) -> str | None:
    """The stated language, which knows a `.h` of C++ from one of C, else that of the path."""
    named = language_named(stated)
    return named if _LANGUAGE_NAME.fullmatch(named) else language_of(path)


def _value(row: Row, field: str) -> tuple[str, object]:
    for name in COLUMNS[field]:
        if row.get(name) not in (None, ""):
            return name, row[name]
    return "", None


def _stars(row: Row) -> int | None:
    name, value = _value(row, "stars")
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():  # Parquet has nullable counts as floats
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WrongTypeError(f"{name}: {type(value).__name__}")
    return value


def _license(row: Row) -> tuple[str, str]:
    """An SPDX expression (several licences are joined by AND) and the column it was read from."""
    name, value = _value(row, "license")
    ids = value if isinstance(value, list | tuple) else [] if value is None else [value]
    if not all(isinstance(i, str) and _is_unicode(i) for i in ids):
        raise WrongTypeError(f"{name}: {type(value).__name__}")
    known = sorted({str(i).strip() for i in ids if str(i).strip().lower() not in _NO_LICENSE})
    if not known or name == "license_type":  # "permissive" is no licence
        return "NOASSERTION", f"{name}: {', '.join(map(str, ids))}" if name else ""
    bracketed = [f"({i})" if " OR " in i and len(known) > 1 else i for i in known]
    return " AND ".join(bracketed), f"{name}: {', '.join(known)}"


def _date(row: Row) -> str:
    """The ISO date of the row, or nothing: data sets also hold dates that no one can read."""
    value = _value(row, "first_seen")[1]
    if isinstance(value, date):  # a datetime is one
        value = value.isoformat()
    try:
        return date.fromisoformat(value[:10]).isoformat() if isinstance(value, str) else ""
    except ValueError:
        return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

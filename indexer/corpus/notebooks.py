"""Jupyter notebooks, as a script with its text in comments or as cells with their outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from indexer.corpus.filters import SkipReason
from indexer.corpus.parts import Part, join_parts
from indexer.corpus.rows import Left, judge_value, language_named, parse_json
from indexer.corpus.skips import OnSkip, Skip, ignore
from indexer.source_file import Origin, SourceFile
from indexer.text.languages import language_of

SUFFIXES = (".ipynb",)
MAX_NOTEBOOK_BYTES = 16_000_000  # with its pictures, which are not read
MAX_OUTPUT_CHARS = 1000  # StarCoder's structured notebooks cut outputs here
CUT = "[...]"

Form = Literal["script", "structured"]
_COMMENT = {"javascript": "//", "typescript": "//", "java": "//", "scala": "//", "cpp": "//"}
_COMMENT |= {"c": "//", "csharp": "//", "go": "//", "rust": "//", "kotlin": "//", "fsharp": "//"}
_COMMENT |= {"sql": "--", "haskell": "--", "lua": "--", "matlab": "%"}


def read_notebook(
    path: Path, *, form: Form = "script", on_skip: OnSkip = ignore
) -> Iterator[SourceFile]:
    """The one record of a `.ipynb` file, or none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTEBOOK_BYTES + 1)
    except OSError as error:
        on_skip(Skip(SkipReason.DAMAGED, None, path.name, error.strerror or ""))
        return
    origin = Origin(
        source="notebook",
        name=path.stem,
        version="",
        path=path.name,
        spdx_id="NOASSERTION",
        license_evidence="",
    )
    found = notebook_of(data, origin, form=form)
    if isinstance(found, SourceFile):
        yield found
    else:
        on_skip(Skip(found.reason, None, path.name, found.detail))


def notebook_of(data: bytes, origin: Origin, *, form: Form = "script") -> SourceFile | Left:
    """The record of a notebook's JSON (format 3 or 4), or why there is none."""
    table = parse_json(data) if len(data) <= MAX_NOTEBOOK_BYTES else Left(SkipReason.LONG_RECORD)
    if isinstance(table, Left):
        return table
    cells = _cells(table)
    if cells is None:
        return Left(SkipReason.WRONG_TYPE, "no list of cells")
    parts = [part for cell in cells for part in _parts(cell)]
    if not any(part.role == "code" for part in parts):
        return Left(SkipReason.EMPTY)
    language = _language(table)
    text = _script(parts, language) if form == "script" else join_parts(parts)
    reason = judge_value(text)
    if reason:
        return Left(reason)
    return SourceFile(text=text, language=language, origin=origin, kind="notebook")


def _cells(table: object) -> list[Mapping[str, object]] | None:
    if not isinstance(table, dict):
        return None
    sheets = table.get("worksheets")  # format 3
    found = table.get("cells")
    if found is None and isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):
        found = sheets[0].get("cells")
    if not isinstance(found, list):
        return None
    return [cell for cell in found if isinstance(cell, dict)]


def _language(table: object) -> str:
    metadata = _mapping(_mapping(table).get("metadata"))
    info, kernel = _mapping(metadata.get("language_info")), _mapping(metadata.get("kernelspec"))
    suffix = info.get("file_extension")
    of_suffix = language_of(f"x{suffix}") if isinstance(suffix, str) else None
    stated = [info.get("name"), kernel.get("language")]
    named = next((n for n in stated if isinstance(n, str) and n.isascii() and 0 < len(n) < 40), "")
    return of_suffix or language_named(named) or "python"  # the first notebooks state nothing


def _parts(cell: Mapping[str, object]) -> Iterator[Part]:
    source = _joined(cell.get("source", cell.get("input"))).strip()
    if cell.get("cell_type") == "markdown" and source:
        yield Part("markdown", source)
    elif cell.get("cell_type") == "code" and source:
        yield Part("code", source)
        if output := _output(cell.get("outputs")):
            yield Part("output", output)


def _output(outputs: object) -> str:
    """What the outputs show as text, cut; pictures and HTML are left out."""
    shown = "".join(map(_shown, outputs)) if isinstance(outputs, list) else ""
    shown = shown.strip()
    return shown if len(shown) <= MAX_OUTPUT_CHARS else shown[:MAX_OUTPUT_CHARS] + CUT


def _shown(output: object) -> str:
    table = _mapping(output)
    if table.get("output_type") in ("error", "pyerr"):
        return _line(table.get("ename")) + ": " + _line(table.get("evalue")) + "\n"
    data = _mapping(table.get("data"))
    return _joined(table.get("text")) or _joined(data.get("text/plain"))


def _script(parts: list[Part], language: str) -> str:
    """Code as it is, text as comments, outputs left out, an empty line between cells."""
    mark = _COMMENT.get(language, "#")
    blocks = []
    for part in parts:
        if part.role == "code":
            blocks.append(part.text)
        elif part.role == "markdown":
            lines = part.text.split("\n")
            blocks.append("\n".join(f"{mark} {line}".rstrip() for line in lines))
    return "\n\n".join(blocks) + "\n"


def _joined(value: object) -> str:
    """Notebooks hold texts whole or as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _line(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

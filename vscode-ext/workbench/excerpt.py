"""A function of someone else's, taken from the index when it is wanted and never committed."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from indexer import Index, IndexerError, Origin
from workbench.step import StepFailedError


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A function in a document of the index; lines are 0-based and half-open."""

    text: str
    document_id: int
    start_line: int
    end_line: int
    origin: Origin

    @property
    def note(self) -> str:
        """Whose it is, as a line of Python comment."""
        origin = self.origin
        return f"# From {origin.name} {origin.version}, {origin.path} ({origin.spdx_id})\n"


def excerpts_from_index(path: Path, wanted: dict[str, str]) -> list[Excerpt]:
    """The functions of `wanted` (path in its package → function) that an index holds.

    Args:
        path: The index.
        wanted: Paths as they end in a package, such as `heapq.py`, and the function to take.

    Raises:
        StepFailedError: There is no index, it is damaged, or it holds none of them.
    """
    found: dict[str, Excerpt] = {}
    try:
        with Index.open(path) as index:
            for document_id in index.live_document_ids():
                for origin in index.document(document_id).origins:
                    wish = next((end for end in wanted if _is_at(origin.path, end)), None)
                    if wish is None or wish in found:
                        continue
                    text = index.text(document_id)
                    lines = function_lines(text, wanted[wish])
                    if lines is not None:
                        found[wish] = Excerpt(
                            text="".join(text.splitlines(keepends=True)[lines[0] : lines[1]]),
                            document_id=document_id,
                            start_line=lines[0],
                            end_line=lines[1],
                            origin=origin,
                        )
    except IndexerError as error:
        raise StepFailedError(str(error)) from error
    if not found:
        raise StepFailedError(f"the index holds none of {list(wanted)}. Next: make clean demo.")
    return [found[wish] for wish in wanted if wish in found]


def function_lines(text: str, name: str) -> tuple[int, int] | None:
    """The lines of a top-level function, without its decorators; None if there is no such one."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name and node.end_lineno is not None:
            return node.lineno - 1, node.end_lineno
    return None


def _is_at(path: str, wanted: str) -> bool:
    return path == wanted or path.endswith(f"/{wanted}")

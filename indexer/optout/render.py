"""What a request comes to, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from indexer.optout.resolve import Found, Resolution, Tally, tally

_N_LISTED = 20


def as_record(resolution: Resolution) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "selector": resolution.selector.as_record(),
        "corpus_digest": resolution.corpus_digest,
        "n_live": resolution.n_live,
        "counts": asdict(tally(resolution.found)),
        "documents": [
            {
                "document_id": one.document.document_id,
                "sha256": one.document.sha256,
                "language": one.document.language,
                "n_bytes": one.document.n_bytes,
                "because": [{**asdict(origin), "purl": origin.purl} for origin in one.because],
                "n_places": len(one.document.origins),
            }
            for one in resolution.found
        ],
    }


def as_text(resolution: Resolution) -> str:
    """The counts and the first documents, for a terminal."""
    asked, n_live = str(resolution.selector), resolution.n_live
    if not resolution.found:
        return f"{asked}: nothing, in none of {n_live:,} documents"
    counts = tally(resolution.found)
    lines = [f"{asked}: {counts.n_documents:,} of {n_live:,} documents, {counts.n_bytes:,} bytes"]
    lines += _counts_as_text(counts)
    lines += [f"  {_place(one)}" for one in resolution.found[:_N_LISTED]]
    if counts.n_documents > _N_LISTED:
        lines.append(f"  … and {counts.n_documents - _N_LISTED:,} more; all of them with --json")
    return "\n".join(lines)


def _counts_as_text(counts: Tally) -> Iterator[str]:
    for name, rows in (
        ("licences", counts.by_license),
        ("languages", counts.by_language),
        ("sources", counts.by_source),
    ):
        yield f"{name:<10} " + ", ".join(f"{_printable(key)} {n:,}" for key, n in rows.items())
    if counts.n_twins:
        yield f"{counts.n_twins:,} only stand for a near-duplicate that is meant"
    if counts.n_shared:
        yield f"{counts.n_shared:,} were published in other places, too, and go all the same"


def _place(one: Found) -> str:
    origin = one.because[0]
    where = origin.repository or origin.purl
    more = f" and {len(one.because) - 1} more" if len(one.because) > 1 else ""
    mark = " (near-duplicate)" if one.is_twin else ""
    return _printable(f"{where} {origin.path}{more}{mark}")


def _printable(text: str) -> str:
    """Names come from strangers: none may move the cursor of a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

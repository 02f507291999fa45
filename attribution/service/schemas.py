"""What goes into the service and comes out, as JSON Schema 2020-12 for the OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

from attribution.service.asked import MAX_FINGERPRINTS, MAX_NAME_CHARS, MAX_TOP_K, MAX_U32
from attribution.service.sources import FIELDS
from attribution.trace_json import schema_text

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
BATCH_LINE = (
    "Each line that is sent is a TraceAsked. Each line that comes back has `line` (from 0), "
    "`status`, and what a Trace or a Problem has."
)


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: Schema, optional: Schema | None = None, *, is_open: bool = False) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": is_open,
    }


def _list(items: Schema, **facts: int) -> Schema:
    return {"type": "array", "items": items, **facts}


def _published(name: str, text: str) -> Schema:
    """A schema that is published by itself, with its references as this document has them."""
    schema: Schema = json.loads(text.replace('"#/$defs/', f'"#/components/schemas/{name}/$defs/'))
    return {key: value for key, value in schema.items() if key not in {"$schema", "$id"}}


_NAME = {"type": "string", "maxLength": MAX_NAME_CHARS}
_PACKED = {
    "type": "string",
    "contentEncoding": "base64",
    "description": "Little-endian 64-bit whole numbers.",
}
_ORIGIN_NAMES = (
    "source", "name", "version", "path", "spdx_id", "license_evidence", "repository", "revision",
    "first_seen", "relation", "purl",
)  # fmt: skip
_ORIGIN = _object(dict.fromkeys(_ORIGIN_NAMES, TEXT), {"swhid": TEXT})
_DESCRIBED = {
    "document_id": COUNT, "document_sha256": TEXT, "language": TEXT,
    "origins": _list(ref("Origin")),
}  # fmt: skip
_ASKED = {"anyOf": [_NAME, _list(_NAME)]}

SCHEMAS: dict[str, Schema] = {
    "TraceAsked": _object(
        {"text": TEXT}, {"language": _NAME, "path": _NAME, "leads": FLAG, "absence": FLAG}
    ),
    "Trace": _published("Trace", schema_text()),
    "Origin": _ORIGIN,
    "TextAsked": _object({"text": TEXT}),
    "Membership": _object(
        {
            "longest_chain": COUNT,
            "is_worth_a_look": FLAG,
            "tile_chars": COUNT,
            "corpus_digest": TEXT,
        }
    ),
    "SearchAsked": _object(
        {"text": TEXT},
        {
            "view": {"enum": ["bm25", "dense", "hybrid"]},
            "top_k": {"type": "integer", "minimum": 1, "maximum": MAX_TOP_K},
        },
    ),
    "Found": _object(
        {
            "view": TEXT,
            "missing_views": _list(TEXT),
            "corpus_digest": TEXT,
            "results": _list(
                _object(
                    {
                        **_DESCRIBED,
                        "start_line": COUNT,
                        "end_line": COUNT,
                        "score": {"type": "number"},
                    }
                )
            ),
        }
    ),
    "Document": _object(
        {
            **_DESCRIBED,
            "generation": TEXT,
            "corpus_digest": TEXT,
            "curated_corpus": TEXT,
            "n_lines": COUNT,
            "start_line": COUNT,
            "end_line": COUNT,
            "text": TEXT,
        },
        {"n_chunks": COUNT, "doc_freqs": {"type": "object", "additionalProperties": COUNT}},
    ),
    "LookupAsked": _object(
        {
            "fingerprints": _list(
                {"type": "integer", "minimum": 0, "maximum": MAX_U32}, maxItems=MAX_FINGERPRINTS
            )
        },
        {"view": {"enum": ["e", "p"]}},
    ),
    "Postings": _object(
        {"generation": TEXT, "query_index": _PACKED, "document_id": _PACKED, "offset": _PACKED}
    ),
    "Index": _object(
        {
            "generation": TEXT,
            "corpus_digest": TEXT,
            **dict.fromkeys(("n_documents", "k", "w", "p_k", "p_w"), COUNT),
            "missing_views": _list(TEXT),
        }
    ),
    "OverlapAsked": _object({"document": TEXT}, is_open=True),
    "Overlap": _object(
        {
            "spans": _list(_list(COUNT, minItems=2, maxItems=2)),
            "segments": _list(TEXT),
            "raw_segments": _list(TEXT),
        }
    ),
    "Sources": _object(
        {
            "selector": {"type": "object"},
            "counts": {"type": "object"},
            "documents": _list({"type": "object"}),
            "is_kept_out": FLAG,
        },
        is_open=True,
    ),
    "OptoutAsked": {
        "type": "object",
        "properties": dict.fromkeys(FIELDS, _ASKED),
        "additionalProperties": False,
        "minProperties": 1,
    },
    "Optout": _object(
        {
            "key": TEXT,
            "status": {"enum": ["waiting", "settled"]},
            "asked_at": TEXT,
            "settled_at": TEXT,
            "selector": {"type": "object"},
        }
    ),
    "Health": _object({"status": {"const": "ok"}}),
    "Ready": _object({"status": {"const": "ready"}, "corpus_digest": TEXT, "generation": COUNT}),
    "Problem": _object({"error": TEXT}),
}

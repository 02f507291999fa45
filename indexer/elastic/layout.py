"""What an index in Elasticsearch consists of: its mapping, and documents as chunks of 50 lines.

A document of the corpus is a row of chunks, all on one shard: they are routed by the document's
key, which is made of its owner, path and content. The first chunk carries the document's record.
The text of a document is that of its chunks, joined; the record has its digest.

Fingerprints are words of a field of their own for each view, which are searched, and a packed array
of the same values with their byte offsets, which is read. A chunk is never changed: a document of
which anything else is known gets another number.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.manifest import Manifest
from indexer.optout.selector import normal_package
from indexer.source_file import Origin
from indexer.store.documents import Document
from indexer.store.fingerprints import VIEWS
from indexer.store.lexical import CHUNK_LINES, words_of
from indexer.store.segment import fingerprints_of
from indexer.text.normalize import to_bytes

FORMAT = 1
_POSTING = np.dtype([("value", "<u4"), ("offset", "<u4")])
_META = ("k", "w", "p_k", "p_w", "chunk_lines", "corpus_digest", "built_by")
Vectors = NDArray[np.float32]  # (chunks of a document, dims), unit rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """How an index in Elasticsearch was made; what `Index.manifest` says of an embedded one."""

    k: int
    w: int
    p_k: int
    p_w: int
    chunk_lines: int
    corpus_digest: str
    built_by: str
    n_documents: int = 0  # when it was opened

    @property
    def n_live(self) -> int:
        """The documents that queries see."""
        return self.n_documents


def body_of(
    manifest: Manifest, *, n_shards: int, n_replicas: int, vector_dims: int = 0
) -> dict[str, Any]:
    """Settings and mapping of an index that is to hold what the manifest describes."""
    unseen = {"index": False, "doc_values": False}
    properties: dict[str, Any] = {
        "number": {"type": "integer"},  # of the document, as ids count
        "chunk": {"type": "integer"},  # of the chunk in its document
        "start_line": {"type": "integer", "index": False},
        "end_line": {"type": "integer", "index": False},
        "words": {"type": "text", "analyzer": "whitespace", "index_options": "freqs"},
        "text": {"type": "keyword", **unseen},
        "record": {"type": "keyword", **unseen},
        "sha256": {"type": "keyword", "doc_values": False},
        "names": {"type": "keyword", "doc_values": False},  # owners, repositories, packages
        "next_number": {"type": "integer", **unseen},  # of one record that is no chunk
    }
    for view in VIEWS:
        properties[f"fp_{view}"] = {
            "type": "text",
            "analyzer": "whitespace",
            "index_options": "docs",
            "norms": False,
        }
        properties[f"at_{view}"] = {"type": "binary", "doc_values": True}
    if vector_dims:
        properties["vector"] = {
            "type": "dense_vector",
            "dims": vector_dims,
            "index": True,
            "similarity": "dot_product",
            "index_options": {"type": "int8_hnsw"},
        }
    meta = {"format": FORMAT, **{name: getattr(manifest, name) for name in _META}}
    read_elsewhere = [
        "words",
        "vector",
        *(f"{kind}_{view}" for kind in ("fp", "at") for view in VIEWS),
    ]
    return {
        "settings": {
            "number_of_shards": n_shards,
            "number_of_replicas": n_replicas,
            "refresh_interval": "-1",
            "codec": "best_compression",
        },
        "mappings": {
            "dynamic": "strict",
            "_routing": {"required": True},
            "_source": {"excludes": read_elsewhere},
            "_meta": meta,
            "properties": properties,
        },
    }


def facts_of(meta: Mapping[str, Any], *, n_documents: int) -> Facts:
    """What `body_of` wrote of how the index was made.

    Raises:
        ValueError: it was made by another version, or by somebody else.
    """
    if meta.get("format") != FORMAT:
        raise ValueError(f"it has format {meta.get('format')!r}, this version reads {FORMAT}")
    facts = Facts(**{name: meta[name] for name in _META}, n_documents=n_documents)
    if not all(
        isinstance(one, int) and 1 <= one <= 1000
        for one in (facts.k, facts.w, facts.p_k, facts.p_w)
    ):
        raise ValueError("it was made with windows that cannot be")
    return facts


def key_of(document: Document) -> str:
    """What a document is routed and removed by: its first owner and path, and its content."""
    origin = document.origins[0]
    told = "\0".join((origin.owner, origin.path, document.sha256))
    return hashlib.sha256(to_bytes(told)).hexdigest()


def chunk_id(key: str, chunk: int) -> str:
    """The id of a chunk."""
    return f"{key}-{chunk}"


def chunks_of(
    document: Document, text: str, *, corpus: str, vectors: Vectors | None = None
) -> Iterator[dict[str, Any]]:
    """The chunks of a document, as Elasticsearch stores them."""
    lines = text.split("\n")
    parts = ["\n".join(lines[at : at + CHUNK_LINES]) for at in range(0, len(lines), CHUNK_LINES)]
    ends = np.array(list(accumulate(len(to_bytes(part)) + 1 for part in parts)))
    data = to_bytes(text)
    posted = {
        view: _by_chunk(*one, ends)
        for view, one in fingerprints_of(data, document.language).items()
    }
    for number, part in enumerate(parts):
        start = number * CHUNK_LINES
        chunk: dict[str, Any] = {
            "number": document.document_id,
            "chunk": number,
            "start_line": start,
            "end_line": min(start + CHUNK_LINES, len(lines)),
            "text": part,
        }
        words = " ".join(words_of(part))
        if words:
            chunk["words"] = words
        for view in VIEWS:
            postings = posted[view][number]
            if len(postings):
                chunk[f"fp_{view}"] = " ".join(words_of_values(np.unique(postings["value"])))
                chunk[f"at_{view}"] = base64.b64encode(postings.tobytes()).decode("ascii")
        if vectors is not None:
            chunk["vector"] = vectors[number].tolist()
        if number == 0:
            chunk |= {
                "record": json.dumps(
                    {**asdict(document), "corpus": corpus, "n_chunks": len(parts)}
                ),
                "sha256": document.sha256,
                "names": sorted(_names(document.origins)),
            }
        yield chunk


def words_of_values(values: NDArray[np.uint32]) -> list[str]:
    """Fingerprints as words."""
    return [f"{value:08x}" for value in values.tolist()]


def postings_of(packed: str) -> NDArray[Any]:
    """The fingerprints of a chunk with their byte offsets: (M,) of `value` and `offset`.

    Raises:
        ValueError: it is no such array.
    """
    return np.frombuffer(base64.b64decode(packed, validate=True), dtype=_POSTING)


def document_of(record: str) -> tuple[Document, str, int]:
    """A document from the record of its first chunk, its corpus, and how many chunks it has.

    Raises:
        ValueError, KeyError, TypeError: it is no record.
    """
    told = json.loads(record)
    corpus, n_chunks = str(told.pop("corpus")), int(told.pop("n_chunks"))
    origins = tuple(Origin(**origin) for origin in told.pop("origins"))
    return Document(origins=origins, **told), corpus, n_chunks


def _by_chunk(
    values: NDArray[np.uint32], offsets: NDArray[np.int64], ends: NDArray[np.int64]
) -> list[NDArray[Any]]:
    """The postings of a document, each with the chunk in which it begins."""
    postings = np.empty(len(values), dtype=_POSTING)
    postings["value"], postings["offset"] = values, offsets
    return np.split(postings, np.searchsorted(offsets, ends[:-1]))


def _names(origins: Iterable[Origin]) -> set[str]:
    """What an opt-out can name its origins by, in the normal form of `Selector`."""
    names = set()
    for origin in origins:
        repository = origin.repository.lower().removesuffix(".git")
        names |= (
            {repository, repository.partition("/")[0]}
            if repository
            else {normal_package(origin.name)}
        )
    return names

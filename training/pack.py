"""Shards as one stream of token ids on disk: what a run reads, and where each document ends.

    tokens.u16       the ids of all documents, one after the other, each with its <|endoftext|>
    packed.json      what they are and were made from; written last

The writer and the reader stand here side by side. Documents keep the order of the shards; the
order in which a run sees them is decided by `batches`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.curate.formats import format_document
from indexer.curate.shards import write_durably
from indexer.source_file import SourceFile
from training.errors import PackedError
from training.tokenizer import tokenizer_digest

FORMAT = 1
_TOKENS, _MANIFEST = "tokens.u16", "packed.json"
_BATCH = 64  # documents that are encoded at a time
DTYPE = np.dtype("<u2")


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """What a folder of packed tokens is."""

    corpus_digest: str
    tokenizer_digest: str
    n_documents: int
    n_tokens: int
    n_bytes: int  # of the documents, as UTF-8
    seed: int  # of the documents' tags
    sha256: str  # of the tokens
    format: int = FORMAT


def pack(
    files: Iterable[SourceFile],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    corpus_digest: str,
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> Packed:
    """Format, encode and write every file; the same files give the same bytes.

    Args:
        files: of a set of shards.
        tokenizer: of the family.
        folder: where they go; what it held is replaced.
        corpus_digest: of the shards.
        seed: decides which tags each document has.
        on_progress: told the number of documents that are done.

    Raises:
        PackedError: the vocabulary does not fit into 16 bits, or there is no document.
    """
    if tokenizer.get_vocab_size() > 1 << 16:
        raise PackedError(
            f"the vocabulary has {tokenizer.get_vocab_size()} tokens, packed ones are 16 bits "
            "wide; use a smaller one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MANIFEST).unlink(missing_ok=True)
    n_documents = n_tokens = n_bytes = 0
    checksum = hashlib.sha256()
    documents = (format_document(file, seed=seed) for file in files)
    with (folder / _TOKENS).open("wb") as out:
        for texts in _batches(documents):
            for text, encoding in zip(texts, tokenizer.encode_batch_fast(texts), strict=True):
                ids = np.asarray(encoding.ids, dtype=DTYPE)
                out.write(ids.tobytes())
                checksum.update(ids.tobytes())
                n_documents, n_tokens = n_documents + 1, n_tokens + len(ids)
                n_bytes += len(text.encode(errors="surrogatepass"))
            if on_progress:
                on_progress(n_documents)
    if not n_documents:
        raise PackedError("there is no document to pack; curate a corpus first")
    packed = Packed(
        corpus_digest=corpus_digest,
        tokenizer_digest=tokenizer_digest(tokenizer),
        n_documents=n_documents,
        n_tokens=n_tokens,
        n_bytes=n_bytes,
        seed=seed,
        sha256=checksum.hexdigest(),
    )
    write_durably(folder / _MANIFEST, json.dumps(asdict(packed), indent=1, sort_keys=True) + "\n")
    return packed


def read_packed(folder: Path) -> Packed:
    """What a folder of packed tokens is.

    Raises:
        PackedError: there is none, or it is damaged.
    """
    path = folder / _MANIFEST
    try:
        packed = Packed(**json.loads(path.read_bytes()))
        size = (folder / _TOKENS).stat().st_size
    except OSError as error:
        raise PackedError(
            f"no packed tokens in {folder}: {error.strerror}; run: starcite train pack"
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise PackedError(f"{path} is damaged: {error}; pack the shards again") from error
    if packed.format != FORMAT or size != packed.n_tokens * DTYPE.itemsize:
        raise PackedError(f"{folder} is not what was packed by format {FORMAT}; pack again")
    return packed


def open_tokens(folder: Path) -> NDArray[np.uint16]:
    """The ids (n_tokens,) uint16, memory-mapped.

    Raises:
        PackedError: there is none, or it is damaged.
    """
    read_packed(folder)
    return np.memmap(folder / _TOKENS, dtype=DTYPE, mode="r")


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(texts, _BATCH)):
        yield batch

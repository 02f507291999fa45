"""A model as it is served: the graph that `starcite train export` has written, int8 or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.checkpoint import read_decoder_config
from training.config import DecoderConfig
from training.errors import TrainError
from training.evaluate.decode import Vector
from training.evaluate.errors import EvaluateError
from training.evaluate.text_tokens import TextTokens, read_tokens, trained_context
from training.evaluate.windows import windowed_nats
from training.export import GRAPH, log_softmax, open_session, run_graph


class OnnxModel:
    """A `TokenModel` and a `Scorer`; its state is the cache (n_layer, P, 2 D)."""

    def __init__(
        self,
        name: str,
        session: onnxruntime.InferenceSession,
        config: DecoderConfig,
        tokens: TextTokens,
        *,
        n_context: int,
    ) -> None:
        self.name, self.n_context = name, n_context
        self.vocabulary = tokens.vocabulary
        self._tokens, self._session, self._config = tokens, session, config
        self._empty = np.zeros((config.n_layer, 0, 2 * config.head_dim), dtype=np.float32)

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return self._tokens.encode(text)

    def begin(self, ids: Sequence[int]) -> tuple[Vector, Any]:
        """The ln p of the token after `ids`, and the cache."""
        return self._forward(list(ids) or [0], self._empty)

    def step(self, token: int, state: Any) -> tuple[Vector, Any]:
        """The ln p of the token after one more."""
        return self._forward([token], state)

    def nats(self, text: str) -> float:
        """The text's -ln p, in overlapping windows where it is longer than the context."""
        start = self.vocabulary.start
        return windowed_nats(
            [*start, *self.encode(text)],
            n_start=max(1, len(start)),
            n_context=self.n_context,
            nats_of=self._window_nats,
        )

    def _window_nats(self, window: list[int], n_known: int) -> float:
        ids = np.asarray(window, dtype=np.int64)
        scores = log_softmax(run_graph(self._session, self._config, ids[:-1]))
        rows = np.arange(n_known - 1, len(ids) - 1)
        return -float(scores[rows, ids[n_known:]].sum())

    def _forward(self, ids: list[int], past: NDArray[np.float32]) -> tuple[Vector, Any]:
        feeds = {
            "ids": np.asarray(ids, dtype=np.int64),
            "past": past,
            "rows": np.array([len(ids) - 1], dtype=np.int64),
        }
        logits, present = self._session.run(["logits", "present"], feeds)
        return log_softmax(logits)[0, : len(self.vocabulary.tokens)], present


def load_model(folder: Path) -> OnnxModel:
    """The model of an exported folder, on one thread.

    Raises:
        EvaluateError: a file of it is missing or damaged.
    """
    tokens = read_tokens(folder)
    try:
        config = read_decoder_config(folder)
        session = open_session(folder / GRAPH)
    except TrainError as error:
        raise EvaluateError(str(error)) from error
    except Exception as error:
        raise EvaluateError(f"cannot load {folder / GRAPH}: {error}; export it again") from error
    n_context = min(config.n_positions, trained_context(folder) or config.n_positions)
    return OnnxModel(folder.name, session, config, tokens, n_context=n_context)

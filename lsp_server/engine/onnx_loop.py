"""A StarCoder-type model of our own in this process, through ONNX Runtime.

Reads a folder that `starcite train export` has written: a graph with an explicit cache (its inputs
and outputs are described in `training/onnx_graph.py`), a tokenizer and a shape.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lsp_server.engine.token_loop import TokenLoop
from lsp_server.engine.xllama import n_threads
from lsp_server.errors import WorkerError

N_SLOTS = 8  # documents whose prefix stays in memory: 3 MB each at 1,024 tokens of the tiny model


class OnnxReader:
    """A graph and the cache (n_layer, P, 2 D) of one document."""

    def __init__(self, session: onnxruntime.InferenceSession, empty: NDArray[np.float32]) -> None:
        self.ids: list[int] = []
        self._session, self._cache = session, empty

    def keep(self, n_tokens: int) -> None:
        """Forget what was read after the first `n_tokens`."""
        self.ids, self._cache = self.ids[:n_tokens], self._cache[:, :n_tokens]

    def feed(self, ids: list[int]) -> NDArray[np.float32]:
        """Read tokens; logits (vocab_size,) after the last one."""
        feeds = {
            "ids": np.asarray(ids, dtype=np.int64),
            "past": self._cache,
            "rows": np.array([len(ids) - 1], dtype=np.int64),
        }
        logits, self._cache = self._session.run(["logits", "present"], feeds)
        self.ids = [*self.ids, *ids]
        row: NDArray[np.float32] = logits[0]
        return row


class OnnxLoop(TokenLoop):
    """An exported model in memory.

    Raises:
        WorkerError: a file of the folder is missing or damaged.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or n_threads()
        # a thread that waits in a loop takes the core that the editor needs
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            shape = json.loads((path.parent / "config.json").read_bytes())
            width = 2 * int(shape["n_embd"]) // int(shape["n_head"])
            empty = np.zeros((int(shape["n_layer"]), 0, width), dtype=np.float32)
            tokenizer = Tokenizer.from_file(str(path.parent / "tokenizer.json"))
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            readers = [OnnxReader(session, empty) for _ in range(N_SLOTS)]
            super().__init__(tokenizer, int(shape["n_positions"]), readers)
        except Exception as error:
            raise WorkerError(f"{path.parent} holds no whole exported model: {error}") from error

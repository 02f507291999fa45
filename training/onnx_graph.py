"""The decoder as an ONNX graph with a cache, written operator by operator.

The embedding that reads tokens and writes logits is stored once. One sample at a time:

    ids      (T,) int64                the new tokens
    past     (n_layer, P, 2 D) float32 keys and values of the tokens before them
    rows     (R,) int64                which of the new tokens want logits
    logits   (R, vocab_size) float32
    present  (n_layer, P + T, 2 D)     the cache with the new tokens in it
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from training.config import DecoderConfig
from training.graph_parts import GraphParts, Weights


def build_graph(config: DecoderConfig, weights: Weights, *, int8: bool) -> onnx.ModelProto:
    """The graph of a model; with `int8`, matrices are stored in eight bits, scaled by channel.

    Args:
        config: its shape.
        weights: by the names of transformers' GPTBigCode.
        int8: quantize matrices, and activations while computing.
    """
    return _Graph(config, weights, int8=int8).model()


class _Graph(GraphParts):
    def __init__(self, config: DecoderConfig, weights: Weights, *, int8: bool) -> None:
        super().__init__(weights, int8=int8, epsilon=1e-5)
        self._config = config

    def model(self) -> onnx.ModelProto:
        config = self._config
        n_past = self._dimension("past", 1)
        n_new = self._dimension("ids", 0)
        n_all = self._op("Add", n_past, n_new)
        positions = self._op("Range", n_past, n_all, self._constant(np.int64(1)))
        tokens = self._embedding("transformer.wte.weight", "ids")
        places = self._op("Gather", self._weight("transformer.wpe.weight"), positions)
        x = self._op("Add", tokens, places)
        mask = self._mask(positions, n_all)
        caches = []
        for number in range(config.n_layer):
            x, cache = self._block(f"transformer.h.{number}", number, x, mask)
            caches.append(self._op("Unsqueeze", cache, self._constant(np.array([0]))))
        self._op("Concat", *caches, output="present", axis=0)
        chosen = self._op("Gather", self._norm("transformer.ln_f", x), "rows", axis=0)
        self._product(chosen, "transformer.wte.weight", output="logits")
        cached = 2 * config.head_dim
        value, real = helper.make_tensor_value_info, TensorProto.FLOAT
        inputs = [
            value("ids", TensorProto.INT64, ["T"]),
            value("past", real, [config.n_layer, "P", cached]),
            value("rows", TensorProto.INT64, ["R"]),
        ]
        outputs = [
            value("logits", real, ["R", config.vocab_size]),
            value("present", real, [config.n_layer, "P+T", cached]),
        ]
        return self._finish("decoder", inputs, outputs)

    def _block(self, name: str, number: int, x: str, mask: str) -> tuple[str, str]:
        attended, cache = self._attention(
            f"{name}.attn", number, self._norm(f"{name}.ln_1", x), mask
        )
        x = self._op("Add", x, attended)
        hidden = self._linear(f"{name}.mlp.c_fc", self._norm(f"{name}.ln_2", x))
        hidden = self._op("Gelu", hidden, approximate="tanh")
        return self._op("Add", x, self._linear(f"{name}.mlp.c_proj", hidden)), cache

    def _attention(self, name: str, number: int, x: str, mask: str) -> tuple[str, str]:
        width, n_head, size = self._config.n_embd, self._config.n_head, self._config.head_dim
        query, new = self._split(self._linear(f"{name}.c_attn", x), width, 2 * size)
        past = self._op("Gather", "past", self._constant(np.int64(number)), axis=0)  # (P, 2 D)
        cache = self._op("Concat", past, new, axis=0)  # (P + T, 2 D)
        key, value = self._split(cache, size, size)
        query = self._reshape(query, [-1, n_head, size])
        query = self._op("Transpose", query, perm=[1, 0, 2])  # (H, T, D)
        scores = self._op("MatMul", query, self._op("Transpose", key, perm=[1, 0]))
        scores = self._op("Mul", scores, self._constant(np.float32(size**-0.5)))
        shares = self._op("Softmax", self._op("Add", scores, mask), axis=-1)  # (H, T, P + T)
        mixed = self._op("Transpose", self._op("MatMul", shares, value), perm=[1, 0, 2])
        return self._linear(f"{name}.c_proj", self._reshape(mixed, [-1, width])), cache

    def _mask(self, positions: str, n_all: str) -> str:
        """(T, P + T): 0 where a token may look, else as low as float32 goes."""
        columns = self._op("Range", self._constant(np.int64(0)), n_all, self._constant(np.int64(1)))
        rows = self._op("Unsqueeze", positions, self._constant(np.array([1])))
        is_seen = self._op("LessOrEqual", columns, rows)
        low = self._constant(np.finfo(np.float32).min)
        return self._op("Where", is_seen, self._constant(np.float32(0)), low)

"""The decoder as an ONNX graph with a cache, written operator by operator.

Written by hand rather than traced, so that the embedding that reads tokens and writes logits is
stored once, also quantized, and so that no torch is needed. One sample at a time:

    ids      (T,) int64                the new tokens
    past     (n_layer, P, 2 D) float32 keys and values of the tokens before them
    rows     (R,) int64                which of the new tokens want logits
    logits   (R, vocab_size) float32
    present  (n_layer, P + T, 2 D)     the cache with the new tokens in it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.config import DecoderConfig

OPSET = 20  # the first with a tanh-GELU of its own
# Seven bits: an eighth overflows in the sums of CPUs without VNNI (ONNX Runtime's `reduce_range`).
_INT8_MAX = 63
_ZERO, _UINT8_MAX = 128, 127  # activations: where zero lies, and how far the largest is from it
Weights = Mapping[str, NDArray[np.float32]]


def build_graph(config: DecoderConfig, weights: Weights, *, int8: bool) -> onnx.ModelProto:
    """The graph of a model; with `int8`, matrices are stored in eight bits, scaled by channel.

    Args:
        config: its shape.
        weights: by the names of transformers' GPTBigCode.
        int8: quantize matrices, and activations while computing.
    """
    return _Graph(config, weights, int8=int8).model()


class _Graph:
    """Nodes and initializers in the making; every method returns the name of a value."""

    def __init__(self, config: DecoderConfig, weights: Weights, *, int8: bool) -> None:
        self._config, self._weights, self._int8 = config, weights, int8
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def model(self) -> onnx.ModelProto:
        config = self._config
        n_past = self._dimension("past", 1)
        n_new = self._dimension("ids", 0)
        n_all = self._op("Add", n_past, n_new)
        positions = self._op("Range", n_past, n_all, self._constant(np.int64(1)))
        tokens = self._embedding("ids")
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
        return self._finish()

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

    def _norm(self, name: str, x: str) -> str:
        scale, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._op("LayerNormalization", x, scale, bias, epsilon=1e-5)

    def _linear(self, name: str, x: str) -> str:
        return self._op("Add", self._product(x, f"{name}.weight"), self._weight(f"{name}.bias"))

    def _product(self, x: str, name: str, output: str = "") -> str:
        """Rows (…, in) by a weight (out, in): (…, out); the runtime transposes it when it loads."""
        turned = self._op("Transpose", self._matrix(name), perm=[1, 0])
        if not self._int8:
            return self._op("MatMul", x, turned, output=output)
        low, scale = self._quantized(x)
        whole = self._op("MatMulInteger", low, turned, self._constant(np.uint8(_ZERO)))
        product = self._op("Mul", self._op("Cast", whole, to=TensorProto.FLOAT), scale)
        return self._op("Mul", product, f"{name}.scale", output=output)

    def _quantized(self, x: str) -> tuple[str, str]:
        """Rows (…, C) in eight bits round `_ZERO`, and the scale (…, 1) of each.

        A scale a row and not one for all: what a token becomes must not depend on how many others
        are read with it, or a cached prefix and a draft that is verified would give other answers.
        """
        largest = self._op("ReduceMax", self._op("Abs", x), self._constant(np.array([-1])))
        scale = self._op("Mul", largest, self._constant(np.float32(1 / _UINT8_MAX)))
        scale = self._op("Max", scale, self._constant(np.float32(1e-12)))
        whole = self._op("Round", self._op("Div", x, scale))
        shifted = self._op("Add", whole, self._constant(np.float32(_ZERO)))
        return self._op("Cast", shifted, to=TensorProto.UINT8), scale

    def _embedding(self, ids: str) -> str:
        name = "transformer.wte.weight"
        rows = self._op("Gather", self._matrix(name), ids, axis=0)
        if not self._int8:
            return rows
        scales = self._op("Gather", f"{name}.scale", ids, axis=0)
        scales = self._op("Unsqueeze", scales, self._constant(np.array([1])))
        return self._op("Mul", self._op("Cast", rows, to=TensorProto.FLOAT), scales)

    def _matrix(self, name: str) -> str:
        """A weight (out, in), as int8 with a scale for each row where the graph is quantized."""
        if not self._int8:
            return self._weight(name)
        if name not in self._initializers:
            rows, scales = quantize_rows(self._weights[name])
            self._store(name, rows)
            self._store(f"{name}.scale", scales)
        return name

    def _weight(self, name: str) -> str:
        if name not in self._initializers:
            self._store(name, self._weights[name].astype(np.float32))
        return name

    def _split(self, x: str, *sizes: int) -> list[str]:
        return self._many("Split", len(sizes), x, self._constant(np.array(sizes)), axis=-1)

    def _reshape(self, x: str, shape: list[int]) -> str:
        return self._op("Reshape", x, self._constant(np.array(shape)))

    def _dimension(self, value: str, axis: int) -> str:
        shape = self._op("Shape", value)
        return self._op("Gather", shape, self._constant(np.int64(axis)))

    def _constant(self, value: np.generic | NDArray[np.int64]) -> str:
        array = np.asarray(value)
        name = f"constant_{array.dtype}_{'_'.join(map(str, array.reshape(-1)))}_{array.ndim}"
        if name not in self._initializers:
            self._store(name, array)
        return name

    def _store(self, name: str, array: NDArray[np.generic]) -> None:
        self._initializers[name] = numpy_helper.from_array(array, name)

    def _op(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        return self._many(kind, 1, *inputs, output=output, **attributes)[0]

    def _many(
        self, kind: str, n: int, *inputs: str, output: str = "", **attributes: Any
    ) -> list[str]:
        base = output or f"{kind}_{len(self._nodes)}"
        outputs = [base if n == 1 else f"{base}.{number}" for number in range(n)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, name=base, **attributes))
        return outputs

    def _finish(self) -> onnx.ModelProto:
        config, cached = self._config, 2 * self._config.head_dim
        number, integer = TensorProto.FLOAT, TensorProto.INT64
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self._nodes,
            "decoder",
            [
                value("ids", integer, ["T"]),
                value("past", number, [config.n_layer, "P", cached]),
                value("rows", integer, ["R"]),
            ],
            [
                value("logits", number, ["R", config.vocab_size]),
                value("present", number, [config.n_layer, "P+T", cached]),
            ],
            list(self._initializers.values()),
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model


def quantize_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix (out, in) as whole numbers and the scale (out,) of each row."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / _INT8_MAX
    rows = np.rint(matrix / scales[:, None]).astype(np.int8)
    return rows, scales.astype(np.float32)

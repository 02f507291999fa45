"""Operators that the graphs of the decoder and of the encoder are made of.

Graphs are written by hand rather than traced, so that no torch is needed and an embedding that is
used twice is stored once, also quantized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 20  # the first with a GELU of its own
# Seven bits: an eighth overflows in the sums of CPUs without VNNI (ONNX Runtime's `reduce_range`).
_INT8_MAX = 63
_ZERO, _UINT8_MAX = 128, 127  # activations: where zero lies, and how far the largest is from it
Weights = Mapping[str, NDArray[np.float32]]


class GraphParts:
    """Nodes and initializers in the making; every method returns the name of a value."""

    def __init__(self, weights: Weights, *, int8: bool, epsilon: float) -> None:
        self._weights, self._int8, self._epsilon = weights, int8, epsilon
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def _finish(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        initializers = list(self._initializers.values())
        graph = helper.make_graph(self._nodes, name, inputs, outputs, initializers)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _norm(self, name: str, x: str) -> str:
        scale, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._op("LayerNormalization", x, scale, bias, epsilon=self._epsilon)

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

    def _embedding(self, name: str, ids: str) -> str:
        """The rows of a weight that is stored as a matrix."""
        rows = self._op("Gather", self._matrix(name), ids, axis=0)
        if not self._int8:
            return rows
        scales = self._op("Gather", f"{name}.scale", ids, axis=0)
        scales = self._op("Unsqueeze", scales, self._constant(np.array([-1])))
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


def quantize_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix (out, in) as whole numbers and the scale (out,) of each row."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / _INT8_MAX
    rows = np.rint(matrix / scales[:, None]).astype(np.int8)
    return rows, scales.astype(np.float32)

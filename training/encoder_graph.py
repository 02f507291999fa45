"""The encoder as an ONNX graph, for the vectors of texts or for the labels of their tokens.

ids      (B, T) int64          `<cls> text <sep>`, padded on the right
vectors  (B, width) float32    of unit length, for `pooling` as the configuration has it
logits   (B, T, L) float32     instead of them, where there is a classifier
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from stareencoder.config import EncoderConfig
from stareencoder.tokens import special_ids
from training.graph_parts import GraphParts, Weights

_LAYER = "bert.encoder.layer"
_CLASSIFIER = "classifier"


def build_encoder_graph(config: EncoderConfig, weights: Weights, *, int8: bool) -> onnx.ModelProto:
    """The graph of an encoder, or of a tagger where the weights hold a classifier.

    Args:
        config: its shape.
        weights: by the names of transformers' BERT.
        int8: quantize matrices, and activations while computing; each text by itself, so that its
            vector does not depend on its neighbours in a batch.
    """
    return _Graph(config, weights, int8=int8).model()


class _Graph(GraphParts):
    def __init__(self, config: EncoderConfig, weights: Weights, *, int8: bool) -> None:
        super().__init__(weights, int8=int8, epsilon=1e-12)
        self._config = config

    def model(self) -> onnx.ModelProto:
        value, real = helper.make_tensor_value_info, TensorProto.FLOAT
        pad = self._constant(np.int64(special_ids(self._config.vocab_size).pad))
        seen = self._op("Not", self._op("Equal", "ids", pad))  # (B, T)
        x, mask = self._embedded(), self._mask(seen)
        for number in range(self._config.n_layer):
            x = self._block(f"{_LAYER}.{number}", x, mask)
        inputs = [value("ids", TensorProto.INT64, ["B", "T"])]
        if f"{_CLASSIFIER}.weight" in self._weights:
            n_labels = len(self._weights[f"{_CLASSIFIER}.weight"])
            self._op("Identity", self._linear(_CLASSIFIER, x), output="logits")
            return self._finish("tagger", inputs, [value("logits", real, ["B", "T", n_labels])])
        pooled, width = self._pooled(x, seen), self._config.width
        if self._config.n_lexical:
            pooled = self._beside_words(self._unit(pooled), seen)
        self._unit(pooled, output="vectors")
        return self._finish("encoder", inputs, [value("vectors", real, ["B", width])])

    def _embedded(self) -> str:
        name = "bert.embeddings"
        tokens = self._embedding(f"{name}.word_embeddings.weight", "ids")
        zero, one = self._constant(np.int64(0)), self._constant(np.int64(1))
        positions = self._op("Range", zero, self._dimension("ids", 1), one)
        places = self._op("Gather", self._weight(f"{name}.position_embeddings.weight"), positions)
        segment = self._op("Gather", self._weight(f"{name}.token_type_embeddings.weight"), zero)
        x = self._op("Add", self._op("Add", tokens, places), segment)
        return self._norm(f"{name}.LayerNorm", x)

    def _block(self, name: str, x: str, mask: str) -> str:
        x = self._added(
            f"{name}.attention.output", self._mixed(f"{name}.attention.self", x, mask), x
        )
        inner = self._op("Gelu", self._linear(f"{name}.intermediate.dense", x))
        return self._added(f"{name}.output", inner, x)

    def _mixed(self, name: str, x: str, mask: str) -> str:
        width, n_head, size = self._config.n_embd, self._config.n_head, self._config.head_dim
        query, key, value = (
            self._reshape(self._linear(f"{name}.{part}", x), [0, 0, n_head, size])
            for part in ("query", "key", "value")
        )
        query = self._op("Transpose", query, perm=[0, 2, 1, 3])  # (B, H, T, D)
        key = self._op("Transpose", key, perm=[0, 2, 3, 1])  # (B, H, D, T)
        value = self._op("Transpose", value, perm=[0, 2, 1, 3])
        scores = self._op("MatMul", query, key)
        scores = self._op("Mul", scores, self._constant(np.float32(size**-0.5)))
        shares = self._op("Softmax", self._op("Add", scores, mask), axis=-1)  # (B, H, T, T)
        mixed = self._op("Transpose", self._op("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self._reshape(mixed, [0, 0, width])

    def _added(self, name: str, new: str, x: str) -> str:
        added = self._op("Add", self._linear(f"{name}.dense", new), x)
        return self._norm(f"{name}.LayerNorm", added)

    def _mask(self, seen: str) -> str:
        """(B, 1, 1, T): 0 for a token, as low as float32 goes for padding."""
        low = self._constant(np.finfo(np.float32).min)
        mask = self._op("Where", seen, self._constant(np.float32(0)), low)
        return self._op("Unsqueeze", mask, self._constant(np.array([1, 2])))

    def _pooled(self, x: str, seen: str) -> str:
        """(B, C): the sum over a text's tokens, or its last one."""
        axis = self._constant(np.array([1]))
        if self._config.pooling == "mean":
            weights = self._op("Cast", seen, to=TensorProto.FLOAT)
            weights = self._op("Unsqueeze", weights, self._constant(np.array([2])))
            return self._op("ReduceSum", self._op("Mul", x, weights), axis, keepdims=0)
        counts = self._op("Cast", seen, to=TensorProto.INT64)
        counts = self._op("ReduceSum", counts, axis, keepdims=1)
        last = self._op("Sub", counts, self._constant(np.int64(1)))  # (B, 1)
        return self._op("GatherND", x, last, batch_dims=1)

    def _beside_words(self, pooled: str, seen: str) -> str:
        """(B, W): the words' own vector and what the blocks (B, C) add to it."""
        weights = np.exp(self._weights["lexical.log_weights"]).astype(np.float32)
        self._store("lexical.token_weights", weights)
        shares = self._op("Gather", "lexical.token_weights", "ids")
        counts = self._op("Cast", seen, to=TensorProto.FLOAT)
        last = self._constant(np.array([2]))
        shares = self._op("Unsqueeze", self._op("Mul", shares, counts), last)
        words = self._op("Mul", self._embedding("lexical.word_embeddings.weight", "ids"), shares)
        sums = self._op("ReduceSum", words, self._constant(np.array([1])), keepdims=0)
        added = self._product(pooled, "lexical.projection.weight")
        return self._op("Add", self._unit(sums), added)

    def _unit(self, x: str, output: str = "") -> str:
        length = self._op("ReduceL2", x, self._constant(np.array([1])), keepdims=1)
        least = self._op("Max", length, self._constant(np.float32(1e-12)))
        return self._op("Div", x, least, output=output)

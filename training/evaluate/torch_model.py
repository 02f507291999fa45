"""Any causal language model in a local folder: ours, or one that `transformers` can load."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch.nn import functional
from transformers import AutoModelForCausalLM, DynamicCache

from training.evaluate.decode import Vector
from training.evaluate.errors import EvaluateError
from training.evaluate.text_tokens import TextTokens, read_tokens, trained_context
from training.evaluate.windows import windowed_nats

MAX_CONTEXT = 2048  # tokens; more cost minutes a file on a CPU
_CONTEXT_KEYS = ("n_positions", "max_position_embeddings", "n_ctx")


class TorchModel:
    """A `TokenModel` and a `Scorer` on the CPU or an accelerator, in float32."""

    def __init__(
        self, name: str, model: Any, tokens: TextTokens, *, n_context: int, device: str = "cpu"
    ) -> None:
        self.name, self.n_context = name, n_context
        self.vocabulary = tokens.vocabulary
        self._tokens, self._device = tokens, torch.device(device)
        self._model = model.to(self._device).eval()
        parameters = inspect.signature(self._model.forward).parameters
        # transformers 5 renames this argument, and warns of the old name from some version on.
        self._cache_name = "cache" if "cache" in parameters else "past_key_values"

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return self._tokens.encode(text)

    def begin(self, ids: Sequence[int]) -> tuple[Vector, Any]:
        """The ln p of the token after `ids`, and the key-value cache."""
        return self._forward(list(ids) or [0], DynamicCache(config=self._model.config))

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

    @torch.inference_mode()
    def _window_nats(self, window: list[int], n_known: int) -> float:
        ids = torch.tensor([window], device=self._device)
        logits = self._model(ids, use_cache=False).logits[0, n_known - 1 : -1].float()
        return float(functional.cross_entropy(logits, ids[0, n_known:], reduction="sum"))

    @torch.inference_mode()
    def _forward(self, ids: list[int], cache: Any) -> tuple[Vector, Any]:
        out = self._model(
            torch.tensor([ids], device=self._device), use_cache=True, **{self._cache_name: cache}
        )
        logits = out.logits[0, -1, : len(self.vocabulary.tokens)].double()
        scores = torch.log_softmax(logits, dim=-1).cpu().numpy()
        return np.asarray(scores, dtype=np.float64), cache  # which now holds `ids`, too


def load_model(folder: Path, *, device: str = "cpu", max_context: int = MAX_CONTEXT) -> TorchModel:
    """The model of a folder with `config.json`, weights and `tokenizer.json`.

    Nothing is downloaded and no code of the folder is run.

    Raises:
        EvaluateError: it is missing, damaged or of a kind that transformers does not know.
    """
    if not (folder / "config.json").is_file():
        raise EvaluateError(f"{folder} has no config.json; give the folder of a model")
    tokens = read_tokens(folder)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32
        )
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise EvaluateError(f"cannot load {folder}: {reason[0]}; use another folder") from error
    n_positions = next(
        (n for key in _CONTEXT_KEYS if isinstance(n := getattr(model.config, key, None), int)),
        max_context,
    )
    n_context = min(n_positions, max_context, trained_context(folder) or n_positions)
    return TorchModel(folder.name, model, tokens, n_context=n_context, device=device)

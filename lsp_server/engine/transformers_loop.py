"""Any causal language model in a local folder, through `transformers`: the StarCoder family first.

Needs the extra `train`, since it brings torch; the base install serves without. Nothing is
downloaded and no code of the folder is run.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lsp_server.engine.token_loop import TokenLoop
from lsp_server.engine.xllama import n_threads
from lsp_server.errors import WorkerError
from lsp_server.model_folder import read_folder

N_SLOTS = 2  # documents whose prefix stays in memory: 160 MB each at 8,192 tokens of StarCoder


class TransformersReader:
    """A model and the cache of one document."""

    def __init__(self, model: Any, new_cache: Any, torch: Any) -> None:
        self.ids: list[int] = []
        self._model, self._new_cache, self._torch = model, new_cache, torch
        self._cache: Any = new_cache()
        parameters = inspect.signature(model.forward).parameters
        # transformers 5 renames this argument, and warns of the old name from some version on
        self._cache_name = "cache" if "cache" in parameters else "past_key_values"
        self._options = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}

    def keep(self, n_tokens: int) -> None:
        """Forget what was read after the first `n_tokens`."""
        n_read = len(self.ids)
        self.ids = self.ids[:n_tokens]
        if not n_tokens:
            self._cache = self._new_cache()
        elif n_tokens < n_read:
            self._cache.crop(n_tokens - n_read)  # negative: how many to take away

    def feed(self, ids: list[int]) -> NDArray[np.float32]:
        """Read tokens; logits (vocab_size,) after the last one."""
        with self._torch.inference_mode():
            out = self._model(
                self._torch.tensor([ids]),
                use_cache=True,
                **{self._cache_name: self._cache},
                **self._options,
            )
        self.ids = [*self.ids, *ids]
        row: NDArray[np.float32] = out.logits[0, -1].float().numpy()
        return row


class TransformersLoop(TokenLoop):
    """A model folder in memory: `config.json`, `*.safetensors` and `tokenizer.json`.

    Raises:
        WorkerError: torch is not installed, or transformers cannot load the folder.
        ModelDamagedError: a file of the folder is missing or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        n_positions = read_folder(folder).context_length
        torch, transformers = _libraries()
        torch.set_num_threads(n_threads())
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32
            ).eval()
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise WorkerError(
                f"transformers cannot load {folder}: {reason[0]}; use another copy"
            ) from error
        cache = transformers.DynamicCache
        readers = [TransformersReader(model, cache, torch) for _ in range(N_SLOTS)]
        super().__init__(tokenizer, n_positions, readers)


def _libraries() -> tuple[Any, Any]:
    try:
        import torch  # noqa: PLC0415 - 1.3 GB that the base install leaves out
        import transformers  # noqa: PLC0415
    except ImportError as error:
        raise WorkerError(
            f"a model folder needs {error.name}, which the base install leaves out; run: "
            'pip install "starcite[train]"'
        ) from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return torch, transformers

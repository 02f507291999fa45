"""llama.cpp in this process, through xllamacpp: the loop that the worker runs.

The prompt is read in small batches and reported after each, so that a stop is seen within one
batch while reading (about 80 ms on one core) and within one token while writing (about 10 ms).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from xllamacpp import CommonParams, Server

from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.loop import Step
from lsp_server.errors import WorkerError

N_SLOTS = 3  # documents whose prefix stays in the KV cache: 47 MB each for SmolLM2-135M
SLOT_TOKENS = 2048
BATCH_TOKENS = 16  # of the prompt between two looks at the stop event; 64 would be 15 % faster


class XllamaLoop:
    """A GGUF model in memory."""

    n_slots = N_SLOTS

    def __init__(self, path: Path) -> None:
        params = CommonParams()
        params.model.path = str(path)
        params.n_parallel = N_SLOTS
        params.n_ctx = N_SLOTS * SLOT_TOKENS
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        # with as many threads as cores llama.cpp collapses as soon as anything else runs
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = n_threads()
        params.cache_ram_mib = 0
        params.warmup = False
        params.verbosity = 0
        # its HTTP server cannot be switched off: nobody knows the key or can reach the socket,
        # which is gone with the folder as soon as the model has loaded
        params.api_keys = [secrets.token_hex(32)]
        with tempfile.TemporaryDirectory(prefix="starcite-") as folder:
            if os.name == "posix":
                params.hostnames = [str(Path(folder) / "llama.sock")]
            self._server = Server(params)

    def run(self, request: GenerateRequest, slot: int, step: Step) -> None:
        """Generate from the prompt; see `ModelLoop.run`."""
        cut = _Cut(request, step)
        self._server.handle_completions(_body(request, slot), cut)
        if cut.error:
            raise WorkerError(f"the model refused the request: {cut.error}")


class _Cut:
    """Takes llama.cpp's chunks; passes on what comes after the forced text, up to the line's end.

    Returns True where llama.cpp is to stop.
    """

    def __init__(self, request: GenerateRequest, step: Step) -> None:
        self._n_forced, self._multiline, self._step = (
            len(request.forced),
            request.multiline,
            step,
        )
        self.error = ""

    def __call__(self, chunk: Any) -> bool:
        if "error" in chunk:
            self.error = str(chunk["error"].get("message", chunk["error"]))
            return True
        choices = chunk.get("choices") or [{}]
        text = choices[0].get("text") or ""
        n_skipped = min(self._n_forced, len(text))
        self._n_forced -= n_skipped
        text = text[n_skipped:]
        line, newline, _ = text.partition("\n")
        ends = bool(newline) and not self._multiline
        return not self._step(line + newline if ends else text) or ends


def _body(request: GenerateRequest, slot: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "cache_prompt": True,
        "id_slot": slot,
        "stream": True,
        "return_progress": True,
        "stop": list(request.stop),
    }
    if request.forced:
        body["max_tokens"] += 1 + len(request.forced) // 2  # the forced text's own tokens
        body["grammar"] = healing_grammar(request.forced, multiline=request.multiline)
    return body


def healing_grammar(forced: str, *, multiline: bool) -> str:
    """The GBNF grammar of an answer that begins with `forced`.

    A line may end in a newline with any indentation after it: tokens that merge the two would
    be banned by a grammar that ends at the bare newline, and the model would never end the line.
    """
    rest = "[^\\x00]*" if multiline else '[^\\n]* ("\\n" [ \\t\\n]*)?'
    return f'root ::= "{"".join(map(_escape, forced))}" {rest}'


def _escape(char: str) -> str:
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return named.get(char) or (char if char.isprintable() else f"\\U{ord(char):08X}")


def n_threads() -> int:
    """One thread less than there are cores, and at least one."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (n_cores or 1) - 1)

"""The training loop: deterministic, and resumable bit for bit after whatever kills it.

A step reads samples by number (`batches`), adds up the gradients of its micro-batches, clips, and
lets the optimisers move. Everything that the next step depends on is in the checkpoint; the same
machine, precision and number of threads and processes then give the same weights to the last bit.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stareencoder.model import LEXICAL
from training import checkpoint
from training.errors import DivergedError, RecipeError
from training.hardware import autocast, choose_device, choose_precision, describe_machine
from training.metrics import MetricsLog
from training.optim import lr_ratio, make_optimizers, peak_lrs
from training.parallel import (
    join_processes,
    load_states,
    mean_over_processes,
    wait_for_all,
    whole_states,
    whole_weights,
    wrap,
)
from training.tokenizer import load_tokenizer
from training.trainee import Task
from training.trainees import make_trainee

__all__ = ["Fit", "Progress", "Task", "fit"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Where a run is."""

    step: int
    n_steps: int
    tokens: int
    loss: float
    tokens_per_s: float
    seconds_left: float
    heldout_bpb: float | None  # the newest; None of an encoder
    measured: Mapping[str, float]  # what was last measured on held-out text, by name


class Fit:
    """A run that is held open: model, optimisers, data and where it is.

    Raises:
        TrainError: something of the task is missing, damaged or does not go together.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.recipe = task, task.recipe
        self.device = choose_device(self.recipe.run)
        self.precision = choose_precision(self.recipe.run, self.device)
        self.rank, self.n_processes = join_processes(self.recipe, self.device)
        torch.manual_seed(self.recipe.data.seed)
        self.trainee = make_trainee(task, load_tokenizer(task.tokenizer))
        self.batches = self.trainee.batches
        self.model = self.trainee.model.to(self.device)
        self.n_samples, self.seconds = 0, 0.0
        self._before = {"tokens": 0, "seconds": 0.0}  # of the runs that this one goes on from
        self.measured: dict[str, float] = {}
        found = checkpoint.checkpoints(task.run)
        source = found[-1] if found else task.start_from
        if source is not None and (found or not self.trainee.borrow(source)):
            self._check_same(source, is_resumed=bool(found))
            weights = checkpoint.load_weights(source)
            may_lack = None if found else LEXICAL  # what a stage adds
            checkpoint.load_into(self.model, weights, source, may_lack=may_lack)
            self._before = _before(checkpoint.read_manifest(source), is_resumed=bool(found))
        self.objective = wrap(self.trainee, self.recipe, self.device)
        self.optimizers = make_optimizers(self.model, self.recipe.optim, ns_dtype=self.precision)
        self._peaks = peak_lrs(self.optimizers, self.recipe.optim)
        if found:
            self._resume(found[-1])

    @property
    def step(self) -> int:
        """Steps that are done."""
        return self.n_samples // self.recipe.samples_per_step

    def train_step(self) -> float:
        """One step; its mean loss in nats a token.

        Raises:
            DivergedError: the loss is no number.
        """
        ratio = lr_ratio(self.step, self.recipe)
        for optimizer, peak in zip(self.optimizers, self._peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * ratio
        loss = mean_over_processes(self._backward())
        if not np.isfinite(loss):
            raise DivergedError(
                f"the loss is {loss} in step {self.step}; lower optim.lr or optim.muon_lr and go "
                f"on from a checkpoint in {self.task.run}"
            )
        if self.recipe.optim.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optim.clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.n_samples += self.recipe.samples_per_step
        return loss

    def measure(self) -> dict[str, float]:
        """How good the model is on the held-out tokens; nothing where there are none."""
        if self.task.heldout is not None and self.recipe.run.eval_tokens:
            self.measured = self.trainee.measure(
                self.device, self.precision, micro_batch=self._micro_samples()
            )
        return self.measured

    def save(self) -> Path:
        """Write a checkpoint; every process has to call it."""
        folder = checkpoint.checkpoint_path(self.task.run, self.step)
        weights = whole_weights(self.model, self.recipe)
        states = whole_states(self.model, self.optimizers, self.recipe)
        if self.rank == 0:
            random = {"torch": torch.get_rng_state()}
            checkpoint.write_model(
                folder,
                weights,
                self.recipe.model,
                self.trainee.tokenizer,
                self.manifest(),
                state={"optimizers": states, "random": random},
            )
            checkpoint.prune(self.task.run, self.recipe.run.keep)
            log.info("checkpoint step=%d tokens=%d", self.step, self.manifest()["tokens"])
        wait_for_all()
        return folder

    def manifest(self) -> dict[str, Any]:
        """What a checkpoint says of itself."""
        digests = self.batches.corpus_digests
        return {
            "corpus_digest": digests[0] if len(set(digests)) == 1 else "",
            "recipe": asdict(self.recipe),
            "recipe_digest": self.recipe.digest(),
            "step": self.step,
            "tokens": self.n_samples * self.recipe.data.block_size,
            "seconds": round(self.seconds, 1),
            "before": self._before,
            "heldout_bpb": None,
            **self.measured,
            "data_order": self.batches.manifest(self.n_samples),
            "machine": describe_machine(self.device, self.precision),
            "n_parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }

    def _backward(self) -> Tensor:
        """Gradients of this process's rows, in micro-batches; the mean loss."""
        n_rows = self.recipe.samples_per_step // self.n_processes
        first = self.n_samples + self.rank * n_rows
        micro = self._micro_samples()
        total = torch.zeros((), device=self.device)
        for start in range(0, n_rows, micro):
            n = min(micro, n_rows - start)
            arrays = self.batches.batch(first + start, n)
            with autocast(self.device, self.precision):
                loss = self.objective(*(torch.from_numpy(one).to(self.device) for one in arrays))
            (loss * (n / n_rows)).backward()
            total += loss.detach() * (n / n_rows)
        return total

    def _micro_samples(self) -> int:
        return max(1, self.recipe.run.micro_batch_tokens // self.recipe.data.block_size)

    def _check_same(self, source: Path, *, is_resumed: bool) -> None:
        """A run goes on only with the model and, if it is the same run, the data it began with."""
        config = checkpoint.read_config(source)
        if type(config) is not type(self.recipe.model) or (
            config.n_layer,
            config.n_embd,
            config.n_head,
            config.inner,
            config.vocab_size,
        ) != (
            self.recipe.model.n_layer,
            self.recipe.model.n_embd,
            self.recipe.model.n_head,
            self.recipe.model.inner,
            self.recipe.model.vocab_size,
        ):
            raise RecipeError(f"{source} holds a model of another shape than the recipe's [model]")
        if not is_resumed:
            return
        recorded = checkpoint.read_manifest(source)["recipe"]
        if recorded["data"] != asdict(self.recipe)["data"]:
            raise RecipeError(
                f"the run in {self.task.run} was begun with another [data] table; use its recipe, "
                "or another folder with --from"
            )

    def _resume(self, folder: Path) -> None:
        manifest, state = checkpoint.read_manifest(folder), checkpoint.load_state(folder)
        load_states(self.model, self.optimizers, state["optimizers"], self.recipe)
        torch.set_rng_state(state["random"]["torch"])
        self.n_samples = manifest["data_order"]["n_samples"]
        self.seconds = manifest["seconds"]
        self.measured = {
            name: value
            for name, value in manifest.items()
            if name.startswith("heldout_") and value is not None
        }


def _before(manifest: dict[str, Any], *, is_resumed: bool) -> dict[str, float]:
    """Tokens and seconds of earlier runs, which a new run adds up and a resumed one keeps."""
    before = manifest.get("before", {"tokens": 0, "seconds": 0.0})
    own = {"tokens": 0, "seconds": 0.0} if is_resumed else manifest
    return {key: before[key] + own.get(key, 0) for key in ("tokens", "seconds")}


def fit(task: Task, on_progress: Callable[[Progress], None] = lambda _: None) -> Path:
    """Train to the end of the recipe, or go on where a run was; the last checkpoint.

    A signal ends it after the step it is in, with a checkpoint.

    Raises:
        TrainError: something is missing, damaged, does not go together or has diverged.
        KeyboardInterrupt: it was asked to stop; the checkpoint is written.
    """
    run = Fit(task)
    metrics = MetricsLog(task.run, from_step=run.step) if run.rank == 0 else None
    eval_steps = max(1, task.recipe.run.eval_every_tokens // task.recipe.tokens_per_step)
    saved_at = time.monotonic()
    with _stop_requests() as stop:
        while run.step < task.recipe.n_steps:
            started = time.monotonic()
            loss = run.train_step()
            took = time.monotonic() - started
            run.seconds += took
            is_last = run.step >= task.recipe.n_steps
            if run.step % eval_steps == 0 or is_last:
                run.measure()
            progress = _progress(run, loss, took)
            if metrics:
                row = asdict(progress)
                metrics.add(**(row | row.pop("measured")), seconds=round(run.seconds, 1))
                on_progress(progress)
            is_due = time.monotonic() - saved_at > task.recipe.run.checkpoint_s
            if is_due or is_last or stop.is_set():
                run.save()
                saved_at = time.monotonic()
            if stop.is_set() and not is_last:
                raise KeyboardInterrupt
    return checkpoint.checkpoint_path(task.run, run.step)


def _progress(run: Fit, loss: float, took: float) -> Progress:
    per_s = run.recipe.tokens_per_step / took
    left = (run.recipe.n_steps - run.step) * run.recipe.tokens_per_step
    return Progress(
        step=run.step,
        n_steps=run.recipe.n_steps,
        tokens=run.n_samples * run.recipe.data.block_size,
        loss=loss,
        tokens_per_s=round(per_s, 1),
        seconds_left=round(left / per_s, 1),
        heldout_bpb=run.measured.get("heldout_bpb"),
        measured=dict(run.measured),
    )


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, instead of ending the process in the middle."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {
        number: signal.signal(number, lambda *_: event.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

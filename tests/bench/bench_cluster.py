"""Curates a corpus in one process and on each of datatrove's executors; compares what comes out.

An executor whose software is not here is left out, and the record says why. Slurm needs a cluster
that `sbatch` reaches (one machine will do), Ray the package; both need the `cluster` extra.

Example: .venv/bin/python tests/bench/bench_cluster.py --json tests/bench/results/cluster.json
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from cluster_inputs import N_INPUTS, read_all, read_share
from machine import cpu_name

from indexer.cluster import PHASES, Executor, Plan, curate_on_cluster
from indexer.config import default_corpus_path
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.shards import is_shards, read_shards_manifest

KINDS = ["local", "ray", "slurm"]
N_TASKS = 4
_POLL_S = 1.0
_SLURM_OPTIONS = {
    "time": "1:00:00",
    "mem_per_cpu_gb": 1,
    "randomize_start_duration": 0,
    "sbatch_args": {"chdir": str(Path.cwd())},
}


def main() -> None:
    """Run each executor on the same files; print and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--work", type=Path, help="a folder that all machines see")
    parser.add_argument("--executors", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    corpus = arguments.corpus.absolute()
    with tempfile.TemporaryDirectory(prefix="starcite-bench-", dir=arguments.work) as name:
        folder = Path(name)
        started = time.monotonic()
        task = Task(read=partial(read_all, corpus), folder=folder / "plain")
        plain = curate_corpus(task)
        record: dict[str, Any] = {
            "what": "the same files curated by one process and by tasks of datatrove's executors",
            "command": f".venv/bin/python {' '.join(sys.argv)}",
            "cpu": cpu_name(),
            "n_cpus": os.cpu_count(),
            "python": platform.python_version(),
            "load_average_1_min": round(os.getloadavg()[0], 2),
            "n_read": plain.n_read,
            "n_read_mb": round(plain.n_read_bytes / 1e6, 1),
            "corpus_digest": plain.corpus_digest,
            "plain": {"wall_s": round(time.monotonic() - started, 1), "n_files": plain.n_files},
        }
        for kind in arguments.executors:
            missing = why_missing(kind)
            record[kind] = {"not_run": missing} if missing else measure(kind, corpus, folder)
            if not missing:
                record[kind]["is_same_digest"] = (
                    record[kind]["corpus_digest"] == plain.corpus_digest
                )
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n", encoding="utf-8")


def why_missing(kind: str) -> str:
    """Why an executor cannot be tried here; nothing if it can."""
    if kind == "ray" and not importlib.util.find_spec("ray"):
        return "the package ray is not installed"
    if kind == "slurm" and not shutil.which("sbatch"):
        return "there is no sbatch"
    return ""


def measure(kind: Any, corpus: Path, folder: Path) -> dict[str, Any]:
    """Curate on one executor, and wait until it is done."""
    plan = Plan(
        reads=tuple(partial(read_share, corpus, number) for number in range(N_INPUTS)),
        work=folder / f"{kind}-work",
        folder=folder / f"{kind} shards",
        n_tasks=N_TASKS,
    )
    options = _SLURM_OPTIONS if kind == "slurm" else {}
    if kind == "slurm":
        options = {**options, "partition": slurm_partition(), "env_command": environment()}
    # datatrove looks at Ray's tasks once a minute: all of them at once are one minute a phase.
    executor = Executor(kind=kind, n_workers=-1 if kind == "ray" else 2, options=options)
    started = time.monotonic()
    curate_on_cluster(plan, executor)
    while kind == "slurm" and not is_shards(plan.folder) and n_waiting():
        time.sleep(_POLL_S)  # a cluster tells nobody that it is done
    wall_s = time.monotonic() - started
    manifest = read_shards_manifest(plan.folder)
    return {
        "version": version_of(kind),
        "n_tasks": sum(phase.n_tasks(plan) for phase in PHASES),
        "wall_s": round(wall_s, 1),
        "n_files": manifest.n_files,
        "n_shards": len(manifest.shards),
        "corpus_digest": manifest.corpus_digest,
    }


def environment() -> str:
    """What a Slurm task has to set to find this interpreter's packages."""
    paths = ":".join([str(Path(__file__).absolute().parent), os.environ.get("PYTHONPATH", "")])
    return f"export PATH={shell(Path(sys.executable).parent)}:$PATH PYTHONPATH={shell(paths)}"


def shell(value: object) -> str:
    """A value as one word of a shell."""
    return "'" + str(value).replace("'", "'\\''") + "'"


def slurm_partition() -> str:
    """The cluster's default partition."""
    shown = run("sinfo", "--noheader", "--format=%P").split()
    return next((name for name in shown if name.endswith("*")), shown[0]).rstrip("*")


def n_waiting() -> int:
    """How many of our jobs are queued or running, and can still be."""
    reasons = run("squeue", "--noheader", "--me", "--format=%r").splitlines()
    return 0 if "DependencyNeverSatisfied" in reasons else len(reasons)


def version_of(kind: str) -> str:
    """The executor's own version, datatrove's beside it."""
    names = ["datatrove"] + (["ray"] if kind == "ray" else [])
    said = [f"{name} {importlib.metadata.version(name)}" for name in names]
    if kind == "slurm":
        said += re.findall(r"slurm\S* \S+", run("sbatch", "--version"))
    return ", ".join(said)


def run(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()

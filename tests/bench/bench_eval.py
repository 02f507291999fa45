"""The table of `starcite eval model`: models, lanes and baselines on held-out packages.

    starcite corpus fetch --lock tests/bench/heldout.lock --to .starcite/corpus/heldout
    python tests/bench/bench_eval.py --json tests/bench/results/eval.json

Runs `starcite eval model` once for each of `STEPS`, so that one command gives the table. What comes
after `--` are tasks, of which only the steps are run, and options, which overrule the amounts here:
`-- lines fim --cursors 50` is a quick look. Raw results are kept in the data folder, by model, and
an interrupted run goes on from them; they are the second file that is written beside the table.
The sandbox is checked first: HumanEval's own solutions, on two processes, with the time they took.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from itertools import takewhile
from pathlib import Path

from machine import cpu_name

import starcite
from indexer import data_home
from lsp_server.models import DEFAULT_MODEL, SHIPPED
from training.evaluate.records import RECORDS

# the tasks of one call and its amounts: those that baselines learn for share their learning
STEPS: tuple[tuple[str, str], ...] = (
    ("bits lines fim infilling", "--files 100 --cursors 200 --problems 20 --train-mb 200 "
                                 "--variants"),
    ("memorization", "--prompts 50 --temperature 0 --temperature 0.4 --temperature 0.8 "
                     "--temperature 1.0"),
    ("humaneval", "--problems 164 --temperature 0"),
)  # fmt: skip


def evaluate(arguments: list[str], path: Path) -> dict[str, object]:
    """What `starcite eval model` writes to its JSON."""
    try:
        starcite.main(["eval", "model", *arguments, "--json", str(path)])
    except SystemExit as end:
        if end.code:
            raise
    found: dict[str, object] = json.loads(path.read_bytes())
    return found


def steps(more: list[str]) -> list[list[str]]:
    """The arguments of each call: its tasks, its amounts, and then what was asked for instead."""
    chosen = list(takewhile(lambda word: not word.startswith("-"), more))
    calls = []
    for names, amounts in STEPS:
        tasks = [name for name in names.split() if not chosen or name in chosen]
        if tasks:
            calls.append([*tasks, *amounts.split(), *more[len(chosen) :]])
    return calls


def main() -> None:
    """Check the sandbox, make the table, write it with the machine and the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, action="append", help="default: the shipped one")
    parser.add_argument("--lane", action="append", default=None, help="default: copy and both")
    parser.add_argument("--heldout", type=Path, default=data_home() / "corpus" / "heldout")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("more", nargs="*", help="of `starcite eval model`, after --")
    options = parser.parse_args()
    models = options.model or [SHIPPED / DEFAULT_MODEL]
    folder = data_home() / "eval" / "-".join(["bench", *(path.name for path in models)])
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    canonical = evaluate(["canonical", "--out", str(folder / f"canonical-{time.time_ns()}")],
                         folder / "canonical.json")  # fmt: skip
    seconds = round(time.monotonic() - started, 1)
    arguments = ["--heldout", str(options.heldout), "--out", str(folder)]
    arguments += [part for path in models for part in ("--model", str(path))]
    arguments += [part for lane in options.lane or ["copy", "both"] for part in ("--lane", lane)]
    found: dict[str, object] = {}
    for call in steps(options.more):
        found = evaluate([*call, *arguments], folder / "table.json")
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python", "tests/bench/bench_eval.py", *_named(sys.argv[1:])]),
        "machine": f"{cpu_name()}, {os.cpu_count()} cores",
        "amounts": [" ".join(call) for call in steps(options.more)],
        "canonical": {"seconds": seconds, "workers": 2, "table": canonical["table"]},
        "identities": found["identities"],
        "sandbox": found["sandbox"],
        "table": found["table"],
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        raw = options.json.with_name(f"{options.json.stem}_raw.jsonl")
        raw.write_bytes((folder / RECORDS).read_bytes())


def _named(arguments: list[str]) -> list[str]:
    """The command without this machine's folders."""
    return [Path(part).name if part.startswith("/") else part for part in arguments]


if __name__ == "__main__":
    main()

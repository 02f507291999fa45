"""The table of `starcite eval model`: models, lanes and baselines on held-out packages.

    starcite corpus fetch --lock tests/bench/heldout.lock --to .starcite/corpus/heldout
    python tests/bench/bench_eval.py --model MODEL --json tests/bench/results/eval.json

Runs `starcite eval model` with the amounts below, so that one command gives the table; what
comes after `--` goes to it as it is (`-- --cursors 50` for a quick look, `-- lines fim` for two
tasks). Raw results are kept in the data folder, by model, and an interrupted run goes on from them.
The sandbox is checked first: HumanEval's own solutions, on two processes, with the time they took.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from machine import cpu_name

import starcite
from indexer import data_home

AMOUNTS = (
    "--cursors", "200", "--files", "100", "--problems", "164", "--prompts", "50",
    "--temperature", "0", "--temperature", "0.4", "--temperature", "0.8", "--temperature", "1.0",
    "--train-mb", "200",
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


def main() -> None:
    """Check the sandbox, make the table, write it with the machine and the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--lane", action="append", default=None, help="default: copy and smollm2")
    parser.add_argument("--heldout", type=Path, default=data_home() / "corpus" / "heldout")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("more", nargs="*", help="of `starcite eval model`, after --")
    options = parser.parse_args()
    folder = data_home() / "eval" / "-".join(["bench", *(path.name for path in options.model)])
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    canonical = evaluate(["canonical", "--out", str(folder / f"canonical-{time.time_ns()}")],
                         folder / "canonical.json")  # fmt: skip
    seconds = round(time.monotonic() - started, 1)
    lanes = ["copy", "smollm2-135m", "both"] if options.lane is None else options.lane
    arguments = ["--heldout", str(options.heldout), "--out", str(folder), "--variants", *AMOUNTS]
    arguments += [part for path in options.model for part in ("--model", str(path))]
    arguments += [part for lane in lanes for part in ("--lane", lane)]
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python", "tests/bench/bench_eval.py", *_named(sys.argv[1:])]),
        "machine": f"{cpu_name()}, {os.cpu_count()} cores",
        "canonical": {"seconds": seconds, "workers": 2, "table": canonical["table"]},
        **evaluate([*options.more, *arguments], folder / "table.json"),
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _named(arguments: list[str]) -> list[str]:
    """The command without this machine's folders."""
    return [Path(part).name if part.startswith("/") else part for part in arguments]


if __name__ == "__main__":
    main()

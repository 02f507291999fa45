"""Which lane is shown: fitted on one set of held-out packages, reported on another.

    starcite corpus fetch --lock tests/bench/heldout.lock --to .starcite/corpus/heldout
    python tests/bench/bench_lanes.py --json tests/bench/results/lanes.json

At each cursor (a random place in a random line, one a file) the copy lane, the shipped model and,
with --second, another model are asked for the rest of the line. Half of the packages chooses the
thresholds of each rule, the other half says what the rule is worth. Answers are kept in the data
folder, one JSON object a line, and an interrupted run goes on from them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from machine import cpu_name

from indexer import data_home
from lsp_server.copy_lane import find_copy
from lsp_server.lane import open_lane
from lsp_server.models import DEFAULT_MODEL, SHIPPED
from lsp_server.postprocess import RuleContext, postprocess
from training.evaluate.decode import Filler
from training.evaluate.heldout import Cursor, heldout_files, line_ends
from training.evaluate.intervals import wilson
from training.evaluate.model_digest import model_digest
from training.evaluate.onnx_model import load_model

MATCHES = (3, 6, 8, 10, 12, 14, 16, 20, 25, 30, 40, 1000)  # characters before the cursor
CONFIDENCES = (-1e9, -8.0, -5.0, -3.0, -2.0, -1.5, -1.0, -0.7, -0.5, -0.3, 0.0)  # ln p of a line


@dataclass(frozen=True, kw_only=True)
class Row:
    """What each lane said at one cursor."""

    key: str
    expected: str
    is_code: bool
    copy: str
    n_matched: int
    own: str
    ln_p: float  # of the own model's tokens together
    second: str | None


Rule = Callable[[Row, Sequence[float]], str]


def longest_match(row: Row, thresholds: Sequence[float]) -> str:
    """The copy where enough characters match, else the own model, else the copy."""
    return row.copy if row.n_matched >= thresholds[0] and row.copy else row.own or row.copy


def match_or_confidence(row: Row, thresholds: Sequence[float]) -> str:
    """As above, and a copy of a shorter match where the model doubts its own answer."""
    sure, least, ln_p = thresholds
    doubts = row.ln_p < ln_p and row.n_matched >= least
    return row.copy if row.copy and (row.n_matched >= sure or doubts) else row.own or row.copy


def votes(row: Row, thresholds: Sequence[float]) -> str:
    """What two lanes say, else the copy of a long match, the own model if sure, the second."""
    own, copy, second = row.own.rstrip(), row.copy.rstrip(), (row.second or "").rstrip()
    if own and own in (copy, second):
        return own
    if copy and (copy == second or row.n_matched >= thresholds[0]):
        return copy
    return own if own and row.ln_p >= thresholds[1] else second or own or copy


RULES: dict[str, tuple[Rule, tuple[tuple[float, ...], ...], bool]] = {
    "copy lane": (lambda row, _: row.copy, (), False),
    "own model": (lambda row, _: row.own, (), False),
    "second model": (lambda row, _: row.second or "", (), True),
    "copy + own, by match": (longest_match, (MATCHES,), False),
    "copy + own, by match and confidence": (
        match_or_confidence, (MATCHES, MATCHES, CONFIDENCES), False),
    "copy + own + second, by votes": (votes, (MATCHES, CONFIDENCES), True),
}  # fmt: skip


def main() -> None:
    """Collect, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=SHIPPED / DEFAULT_MODEL)
    parser.add_argument("--second", help="another model of `starcite model`; slow in a cold file")
    parser.add_argument("--heldout", type=Path, default=data_home() / "corpus" / "heldout")
    parser.add_argument("--cursors", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = heldout_files(options.heldout, n_files=1 << 30, seed=options.seed)
    cursors = line_ends(files, n=options.cursors, seed=options.seed)
    folder = data_home() / "eval" / f"lanes-{model_digest(options.model)[:12]}"
    rows = list(collect(cursors, options.model, options.second, folder))
    result = {
        "what": "exact rest of the line on held-out packages, whitespace at the end aside",
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python", "tests/bench/bench_lanes.py", *_named(sys.argv[1:])]),
        "machine": f"{cpu_name()}, {os.cpu_count()} cores",
        "models": [options.model.name, options.second],
        "seed": options.seed,
        **judged(rows),
    }
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")


def collect(
    cursors: Sequence[Cursor], model: Path, second: str | None, folder: Path
) -> Iterable[Row]:
    """The answers at each cursor, from the folder where they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "answers.jsonl"
    known = _known(kept)
    filler = Filler(load_model(model), "spm", heal=True)
    with closing(open_lane(str(model.absolute()))) as own, kept.open("a", encoding="utf-8") as file:
        other = open_lane(second) if second else None
        for number, cursor in enumerate(cursors, start=1):
            row = known.get(cursor.key)
            if row is None or (other and row.second is None):
                row = _ask(cursor, own, filler, other)
                file.write(json.dumps(asdict(row)) + "\n")
                file.flush()
            yield row
            if number % 50 == 0:
                sys.stderr.write(f"{number} of {len(cursors)} cursors\n")
        if other:
            other.close()


def _ask(cursor: Cursor, own: Any, filler: Filler, other: Any) -> Row:
    text, offset = cursor.prefix + cursor.suffix, len(cursor.prefix)
    copy = find_copy(text, offset)
    context = RuleContext(prefix=cursor.prefix, suffix=cursor.suffix, multiline=False)
    copied = (postprocess(copy.text, context) or "") if copy else ""
    return Row(
        key=cursor.key,
        expected=cursor.expected,
        is_code=cursor.is_code,
        copy=copied.split("\n", 1)[0],
        n_matched=copy.n_matched if copy else 0,
        own=own.complete(cursor.prefix, cursor.suffix, one_line=True),
        ln_p=round(filler.answer(cursor.prefix, cursor.suffix, one_line=True)[1], 4),
        second=other.complete(cursor.prefix, cursor.suffix, one_line=True) if other else None,
    )


def _known(path: Path) -> dict[str, Row]:
    if not path.exists():
        return {}
    rows = (Row(**json.loads(line)) for line in path.read_text("utf-8").splitlines() if line)
    return {row.key: row for row in rows}


def judged(rows: Sequence[Row]) -> dict[str, Any]:
    """Each rule with the thresholds of the first half and the figures of the second."""
    fitted = [row for row in rows if _is_fitted(row)]
    reported = [row for row in rows if not _is_fitted(row)]
    found: dict[str, Any] = {"n_fitted": len(fitted), "n_reported": len(reported), "rules": {}}
    for name, (rule, grids, needs_second) in RULES.items():
        if needs_second and not all(row.second is not None for row in rows):
            continue
        best = max(itertools.product(*grids), key=lambda at, rule=rule: _n_right(fitted, rule, at))
        found["rules"][name] = {
            "thresholds": list(best),
            "fitted": _share(fitted, rule, best),
            "reported": _share(reported, rule, best),
            "reported_code": _share([row for row in reported if row.is_code], rule, best),
        }
    found["either_right"] = asdict(
        wilson(sum(any(map(row.expected.rstrip().__eq__, _said(row))) for row in reported),
               len(reported)))  # fmt: skip
    found["agreement"] = _agreement(reported)
    return found


def _agreement(rows: Sequence[Row]) -> dict[str, Any]:
    """How often copy and own model say the same, and how often they are right then."""
    same = [row for row in rows if row.own and row.own.rstrip() == row.copy.rstrip()]
    right = sum(row.own.rstrip() == row.expected.rstrip() for row in same)
    return {
        "share": asdict(wilson(len(same), len(rows))),
        "right": asdict(wilson(right, len(same))),
    }


def _share(rows: Sequence[Row], rule: Rule, thresholds: Sequence[float]) -> dict[str, Any]:
    return asdict(wilson(_n_right(rows, rule, thresholds), len(rows)))


def _n_right(rows: Sequence[Row], rule: Rule, thresholds: Sequence[float]) -> int:
    return sum(rule(row, thresholds).rstrip() == row.expected.rstrip() for row in rows)


def _said(row: Row) -> list[str]:
    return [text.rstrip() for text in (row.copy, row.own, row.second or "")]


def _is_fitted(row: Row) -> bool:
    """By package, so that no package is in both sets."""
    return zlib.crc32(row.key.split("/", 1)[0].encode()) % 2 == 0


def _named(arguments: list[str]) -> list[str]:
    """The command without this machine's folders."""
    return [Path(part).name if part.startswith("/") else part for part in arguments]


if __name__ == "__main__":
    main()

"""How often an encoder says rightly whether a segment follows another, on long held-out files.

    python tests/bench/bench_next.py MODEL --tokenizer TOKENS --heldout PACKED --json next.json

MODEL is a checkpoint of the first stage. Half of the pairs are of one file, half of two; only files
of more than 6,700 bytes are asked about, of which the published training cut the second segment
away. Guessing gives 0.5.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import torch
from machine import cpu_name

from stareencoder.checkpoint import load_encoder
from training.checkpoint import read_manifest
from training.config import DataConfig, ObjectiveConfig
from training.documents import Documents
from training.encoder_batches import MaskedBatches
from training.metrics import token_bytes
from training.pack import open_tokens
from training.tokenizer import load_tokenizer

LONG_BYTES = 6_700
SEED = 1 << 41


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True, help="packed tokens")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, _ = load_encoder(options.model)
    manifest = read_manifest(options.model)
    tokenizer = load_tokenizer(options.tokenizer)
    size = int(manifest["recipe"]["data"]["block_size"])
    data = DataConfig(block_size=size, seed=SEED)
    special = model.bert.special
    batches = MaskedBatches([options.heldout], tokenizer, data, ObjectiveConfig(), special)
    numbers = _long(batches, options.heldout, size, token_bytes(tokenizer), options.pairs)
    n_right = 0
    with torch.no_grad():
        for number in numbers:
            ids, segments, _, is_other = map(torch.from_numpy, batches.batch(number, 1))
            following = model.next_logits(model.bert(ids, segments)).argmax(-1)
            n_right += int((following == is_other).sum())
    share = n_right / len(numbers)
    result = {
        "what": "share of pairs of segments of which it is rightly said whether one follows",
        "command": f"python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "step": manifest["step"],
        "tokens_read": manifest["tokens"] + manifest.get("before", {}).get("tokens", 0),
        "n_pairs": len(numbers),
        "right": round(share, 4),
        "plus_minus": round(1.96 * (share * (1 - share) / len(numbers)) ** 0.5, 4),
    }
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


def _long(
    batches: MaskedBatches, folder: Path, size: int, lengths: object, n_wanted: int
) -> list[int]:
    """Numbers of samples that begin in long files."""
    documents = Documents(open_tokens(folder))
    found: list[int] = []
    for number in range(n_wanted * 20):
        start, end = documents.around(batches.sample(number).place * size)
        if lengths[documents.tokens(start, end)].sum() > LONG_BYTES:  # type: ignore[index]
            found.append(number)
        if len(found) == n_wanted:
            break
    return found


if __name__ == "__main__":
    main()

"""Makes the synthetic labelled texts that a tagger of personal data is trained on.

    python tests/bench/make_tagger_samples.py samples.jsonl --shards SHARDS

Templates are those that the rules were developed on (never the unseen ones) and those for names;
values are drawn from other lists than in the benchmark, so that none is known by heart. Each sample
stands between lines of real code of the shards, and as many samples are such code alone.
"""

# ruff: noqa: SIM905 - lists of words read best as words

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import redact_known
import redact_rounds
import redact_values
import tagger_templates
from bench_redact import MARK

from indexer.curate.shards import read_shards

SYLLABLES = (
    "ba ben bo cal car da del den dor el en er fa fin ga gor ha hen ho is ja jo ka kel ki "
    "la len lo ma mar mi mon na ner ni no or pa per ra ren ri ro sa sen si son ta ten to "
    "va ver vi wen ya zo "
).split()
GIVEN = (
    "Adam Alice Amir Andre Beth Carla Chloe Clara Daniel David Diana Edgar Emily Emma "
    "Erik Frank Grace Hannah Helen Igor Ivan James Jane Jean John Julia Karen Kevin Laura "
    "Linda Lucas Maria Mark Martin Michael Mina Mohamed Nadia Noah Oscar Paul Peter Priya "
    "Rachel Robert Sam Sara Simon Sofia Stefan Susan Thomas Victor Wei Yuki Zhang "
).split()
TOP_LEVELS = ("com", "org", "net", "de", "fr", "io", "edu", "co.uk")
OTHER_WORDS = (
    "tiger summer rocket purple banana castle hammer island jungle kitten ladder marble "
    "needle pirate quartz ribbon saddle turtle velvet walnut zipper anchor bottle candle "
).split()


class OtherValues(redact_values.Values):
    """Draws values of the same kinds from other words."""

    def word(self) -> str:
        """A made-up word that can be a surname."""
        return "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(2, 3)))

    def draw_name(self) -> str:
        """A given name or an initial, and a surname."""
        given, last = self.rng.choice(GIVEN), self.word().title()
        middle = self.rng.choice(["", "", "", f" {self.rng.choice('ABCDEFGHJKLMRST')}."])
        form = self.rng.choice(["{g}{m} {l}", "{g}{m} {l}", "{i}. {l}", "{g} {l}-{o}"])
        return form.format(g=given, m=middle, l=last, i=given[0], o=self.word().title())

    def draw_user(self) -> str:
        """What people call themselves."""
        given, last = self.rng.choice(GIVEN).lower(), self.word()
        n = self.rng.choice(["", "", str(self.rng.randint(1, 99))])
        return self.rng.choice([given + last, given[0] + last, last, f"{last}_{given}", given]) + n

    def draw_email(self) -> str:
        """An address at no reserved host."""
        host = f"{self.word()}.{self.rng.choice(TOP_LEVELS)}"
        name = self.draw_name().lower().replace(" ", self.rng.choice(["", ".", "_"]))
        return f"{self.rng.choice([self.draw_user(), name.replace('..', '.')])}@{host}"


def filled(template: str, values: redact_values.Values) -> tuple[str, list[tuple[str, int, int]]]:
    """A template with values, and the labelled ones; who stands before a password is a username."""
    text, at, spans = "", 0, []
    for mark in MARK.finditer(template):
        text += template[at : mark.start()]
        at = mark.end()
        kind = mark[1] or {"user": "USERNAME", "reserved": "EMAIL_EXAMPLE"}.get(mark[2])
        value = values.draw(mark[2])
        if kind:
            spans.append((kind, len(text), len(text) + len(value)))
        text += value
    return text + template[at:], spans


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--shards", type=Path, required=True, help="curated code")
    parser.add_argument("--n-each", type=int, default=60, help="how often each template is filled")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    values = OtherValues(options.seed)
    redact_values.WORDS = OTHER_WORDS  # of passwords
    code = _Code(options.shards, values.rng)
    templates = (
        *redact_known.TEMPLATES,
        *redact_rounds.ROUND_1,
        *redact_rounds.ROUND_2,
        *tagger_templates.KNOWN,
    )
    rows = []
    for template in templates * options.n_each:
        before, after = code.lines(), code.lines()
        text, spans = filled(template, values)
        fragments = [
            {"category": kind, "position": [start + len(before), end + len(before)]}
            for kind, start, end in spans
        ]
        rows += [{"content": before + text + after, "fragments": fragments}]
        rows += [{"content": code.lines(30), "fragments": []}]
    values.rng.shuffle(rows)
    options.path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class _Code:
    """Lines of real code, from anywhere in a file, its head more often than its middle."""

    def __init__(self, shards: Path, rng: random.Random) -> None:
        self._rng = rng
        self._files = [file.text.split("\n") for file in read_shards(shards)][::4]

    def lines(self, most: int = 8) -> str:
        """Some lines, or none."""
        lines = self._rng.choice(self._files)
        n = self._rng.randint(0, most)
        last = max(0, len(lines) - n)
        first = self._rng.randint(0, min(20, last) if self._rng.random() < 0.3 else last)
        return "".join(f"{line}\n" for line in lines[first : first + n])


if __name__ == "__main__":
    main()

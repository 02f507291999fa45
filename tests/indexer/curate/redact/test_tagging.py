"""What a tagger finds beside the rules, and what curation says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.curate.cli import curate
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.errors import CurateError
from indexer.curate.redact import Tagger, redact
from indexer.curate.shards import read_shards
from indexer.curate.steps import make_steps
from indexer.source_file import Origin, SourceFile

FOUND = {
    "Ada Lovelace": "NAME",
    "Grace": "NAME",  # one word: no name of a person
    "adal": "USERNAME",
    "hunter2": "PASSWORD",
    "zq81-lmno-7": "KEY",
    "zq81": "KEY",  # too short
    "ada@example.org": "EMAIL_EXAMPLE",
    "8.8.8.8": "IP_ADDRESS",  # a public resolver
    "2a00:1450:4001::77": "IP_ADDRESS",
}


@dataclass(frozen=True)
class WordTagger:
    """Finds the words of a table, wherever they stand first."""

    digest: str = "ab" * 32

    def tag(self, texts: Sequence[str], /) -> list[list[tuple[int, int, str]]]:
        """The first place of each word of the table."""
        return [
            [
                (text.index(word), text.index(word) + len(word), label)
                for word, label in FOUND.items()
                if word in text
            ]
            for text in texts
        ]


@dataclass(frozen=True)
class Says:
    """A tagger that says the same of every text."""

    answer: tuple[tuple[int, int, str], ...]
    digest: str = "cd" * 32

    def tag(self, texts: Sequence[str], /) -> list[Sequence[tuple[int, int, str]]]:
        """The answer, for each text."""
        return [self.answer for _ in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Written by Ada Lovelace (adal)\n", "# Written by <NAME> (<USERNAME>)\n"),
        ("# Written by Grace\n", "# Written by Grace\n"),
        ("password = 'hunter2'\n", "password = '<PASSWORD>'\n"),
        ("go('zq81-lmno-7')\nagain('zq81-lmno-7')\n", "go('<KEY>')\nagain('<KEY>')\n"),
        ("go('zq81')\n", "go('zq81')\n"),
        ("see 8.8.8.8\n", "see 8.8.8.8\n"),
    ],
)
def test_it_adds_to_the_rules(text: str, expected: str) -> None:
    """What the tagger finds is replaced wherever it stands, unless it is not worth it."""
    assert redact(text, WordTagger()).text == expected


def test_examples_of_addresses_are_the_rules_own_affair() -> None:
    """A label that means "leave it" replaces nothing."""
    assert redact("adax", Says(((0, 4, "EMAIL_EXAMPLE"), (0, 4, "AMBIGUOUS")))).text == "adax"


@pytest.mark.parametrize(
    "answer", [(0, 4, "PERSON"), (-1, 4, "NAME"), (0, 99, "NAME"), (3, 3, "NAME"), (4, 3, "KEY")]
)
def test_garbage_is_refused(answer: tuple[int, int, str]) -> None:
    """A label or a range that there is not is an error that names the tagger."""
    with pytest.raises(CurateError, match="cdcdcdcdcdcd found"):
        redact("some text", Says((answer,)))


def curated(folder: Path, tagger: Tagger | None, n_workers: int = 1) -> tuple[list[str], str]:
    """The texts that stay, and the name of the last step."""
    origin = Origin(
        source="pypi", name="one", version="1", path="a.py", spdx_id="MIT", license_evidence="MIT"
    )
    text = "# Written by Ada Lovelace\n" + "".join(f"value_{n} = {n}\n" for n in range(20))
    files = [SourceFile(text=text, language="python", origin=origin)]
    manifest = curate_corpus(
        Task(
            read=lambda: iter(files),
            folder=folder,
            n_workers=n_workers,
            make_steps=partial(make_steps, tagger=tagger),
        )
    )
    return [file.text.partition("\n")[0] for file in read_shards(folder)], manifest.steps[-1]


def test_the_manifest_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards say which tagger was asked, or by their step's plain name that none was."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))

    assert curated(tmp_path / "without", None) == (["# Written by Ada Lovelace"], "redact")
    expected = (["# Written by <NAME>"], "redact: tagger abababababab")
    assert curated(tmp_path / "with", WordTagger()) == expected
    assert curated(tmp_path / "two", WordTagger(), n_workers=2) == expected


@pytest.mark.parametrize(
    ("name", "said"), [("none here", "there is no tagger in"), ("empty", "holds no whole")]
)
def test_a_folder_that_is_no_tagger(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tagger that is asked for and missing ends the command in one line, before anything."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.jsonl").write_text("")
    asked = ["--from", str(tmp_path / "one.jsonl"), "--to", str(tmp_path / "out")]
    outcome = CliRunner().invoke(curate, [*asked, "--tagger", str(tmp_path / name)])

    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (3, 1)
    assert said in outcome.stderr
    assert not (tmp_path / "out").exists()

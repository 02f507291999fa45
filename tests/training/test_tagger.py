"""A tagger learns from labelled texts, and what it wrote is served without torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from indexer.curate.redact.spans import Kind
from indexer.curate.redact.tagging import KEPT_LABELS
from stareencoder.config import EncoderConfig
from stareencoder.errors import EncoderFolderError
from stareencoder.model import StarEncoder
from stareencoder.tagger import Tagger, open_tagger, spans_of
from stareencoder.tokens import special_ids, with_special_tokens
from training import checkpoint
from training.cli import train
from training.errors import SamplesError
from training.tagger import TaggerPlan, fit_tagger, write_tagger
from training.tagger_samples import CLASSES, LABELS, TaggedText, read_samples, token_rows

MODEL = EncoderConfig(n_layer=1, n_embd=32, n_head=2, n_positions=64, vocab_size=324)
PLAN = TaggerPlan(steps=250, batch=8, window=48, lr=5e-3)
NAMES = ("Ada Byron", "Kurt Meyer", "Lin Chen", "Olga Novak")


def _sample(before: str, name: str) -> TaggedText:
    start = len(before)
    return TaggedText(f"{before}{name}\ny = 2\n", ((start, start + len(name), "NAME"),))


SAMPLES = [_sample(f"x = {n}\n# by ", name) for n, name in enumerate(NAMES * 6)]
CODE = "z = 0\n" * 9


@pytest.fixture(scope="module")
def encoder(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small encoder as it was drawn."""
    folder = tmp_path_factory.mktemp("encoder")
    weights = StarEncoder(MODEL).state_dict()
    checkpoint.write_model(folder, weights, MODEL, with_special_tokens(tokenizer), {"format": 1})
    return folder


@pytest.fixture(scope="module")
def tagger(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    later = [_sample("z = 0\n" * n + "# by ", name) for n in range(8) for name in NAMES]
    some = [TaggedText(CODE * 3, ()), *later]
    model, tokenizer = fit_tagger([*SAMPLES, *some], encoder, PLAN)
    record = {"max_tokens": PLAN.window}
    return open_tagger(write_tagger(tmp_path_factory.mktemp("tagger"), model, tokenizer, record))


def test_a_tagger_finds_what_it_has_learnt(tagger: Tagger) -> None:
    """The name to the letter, in a text of its training and in one twenty times as long."""
    one = SAMPLES[1]
    long = CODE * 5 + one.text + CODE * 5
    (short_spans, long_spans) = tagger.tag([one.text, long])

    assert short_spans == list(one.spans)
    first, last, _ = one.spans[0]
    found = {place for start, end, _ in long_spans for place in range(start, end)}

    assert found
    assert len(found & set(range(first + 5 * len(CODE), last + 5 * len(CODE)))) >= 0.8 * len(found)


def test_every_class_is_one_that_curation_knows() -> None:
    """Its kinds, and those it keeps."""
    assert set(CLASSES) == {*Kind.__members__, "EMAIL_EXAMPLE"}
    assert "EMAIL_EXAMPLE" in KEPT_LABELS


@given(st.lists(st.text(), max_size=4))
@settings(deadline=None, max_examples=30)
def test_any_texts_can_be_tagged(tagger: Tagger, texts: list[str]) -> None:
    """Empty ones, lone surrogates and special tokens, too: ranges inside, in order, no blanks."""
    for text, spans in zip(texts, tagger.tag([*texts]), strict=True):
        places = [place for start, end, _ in spans for place in (start, end)]

        assert places == sorted(places)
        assert all(0 <= start < end <= len(text) for start, end, _ in spans)


def test_runs_of_labels_become_spans() -> None:
    """A run ends where another class or another `B-` begins; blanks at its ends are not in it."""
    text = "a Ada Byron,Lin x"
    offsets = [(0, 1), (1, 5), (5, 11), (11, 12), (12, 15), (15, 17)]
    labels = ["O", "I-NAME", "I-NAME", "B-KEY", "B-NAME", "O"]

    assert list(spans_of(text, offsets, labels)) == [
        (2, 11, "NAME"),
        (11, 12, "KEY"),
        (12, 15, "NAME"),
    ]


def test_the_gated_layout_is_read_from_both_forms(tmp_path: Path) -> None:
    """`content` or `text`, unknown categories and overlaps left out, JSON lines and Parquet."""
    from pyarrow import Table, parquet

    found = [
        {"category": "NAME", "position": [3, 6]},
        {"category": "NAME", "position": [5, 8]},
        {"category": "AMBIGUOUS", "position": [0, 2]},
    ]
    lines, table = tmp_path / "set.jsonl", tmp_path / "set.parquet"
    lines.write_text(json.dumps({"text": "by Ada Byron", "fragments": found}) + "\n\n")
    parquet.write_table(Table.from_pylist([{"content": "by Ada Byron", "fragments": found}]), table)

    assert (
        read_samples(lines)
        == read_samples(table)
        == [TaggedText("by Ada Byron", ((3, 6, "NAME"),))]
    )


@pytest.mark.parametrize(
    "row",
    [
        "",
        "{",
        "3",
        "null",
        '{"text": "a"}',
        '{"text": 3, "fragments": []}',
        '{"text": "a", "fragments": [{"category": "KEY", "position": [0, 9]}]}',
        '{"text": "a", "fragments": [{"category": "KEY", "position": "ab"}]}',
        '{"text": "a", "fragments": [3]}',
        "[" * 5000,
    ],
)
def test_what_is_no_sample_is_refused(row: str, tmp_path: Path) -> None:
    """One error that names the file; a file that is not there, too."""
    path = tmp_path / "set.jsonl"
    path.write_text(row)
    with pytest.raises(SamplesError, match=r"set\.jsonl"):
        read_samples(path)
    with pytest.raises(SamplesError, match="missing"):
        read_samples(tmp_path / "missing.jsonl")


def test_labels_of_tokens_are_those_of_their_characters(tokenizer: Tokenizer) -> None:
    """Cut into windows, every token of a name is labelled and nothing else."""
    special = special_ids(324)
    rows = token_rows(SAMPLES[:4], with_special_tokens(tokenizer), special, 16)
    text = [
        tokenizer.decode(
            [i for ids, labels in rows for i, label in zip(ids, labels, strict=True) if label > 0]
        )
    ]

    assert all(len(ids) <= 16 and labels[0] == labels[-1] == -100 for ids, labels in rows)
    assert "".join(text).replace(" ", "") == "".join(NAMES).replace(" ", "")
    assert {LABELS[label] for _, labels in rows for label in labels if label > 0} == {
        "B-NAME",
        "I-NAME",
    }


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "manifest.json"])
@pytest.mark.parametrize("damage", [b"", b"garbage", b"{}"])
def test_a_damaged_folder_is_refused(
    name: str, damage: bytes, encoder: Path, tmp_path: Path
) -> None:
    """And so is the folder of an encoder: one error with the path."""
    model, tokenizer = fit_tagger(SAMPLES[:2], encoder, TaggerPlan(steps=1, window=48))
    write_tagger(tmp_path, model, tokenizer, {"max_tokens": 48})
    (tmp_path / name).write_bytes(damage)
    with pytest.raises(EncoderFolderError, match=str(tmp_path)):
        open_tagger(tmp_path)


def test_the_command_writes_what_curation_opens(encoder: Path, tmp_path: Path) -> None:
    """From samples to a folder; without samples one line says what is missing."""
    samples, folder = tmp_path / "set.jsonl", tmp_path / "tagger"
    rows = [
        {"content": one.text, "fragments": [{"category": k, "position": [s, e]}]}
        for one in SAMPLES
        for s, e, k in one.spans
    ]
    samples.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    asked = ["--from", str(encoder), "--to", str(folder), "--steps", "2"]
    done = CliRunner().invoke(train, ["tagger", str(samples), *asked, "--json"])
    missing = CliRunner().invoke(train, ["tagger", str(tmp_path / "none.jsonl"), *asked])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n_samples"] == len(SAMPLES)
    assert isinstance(open_tagger(folder), Tagger)
    assert missing.exit_code == 3
    assert "none.jsonl" in missing.stderr

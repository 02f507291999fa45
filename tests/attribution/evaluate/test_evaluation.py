"""The whole protocol on a tiny index, with a truth that is known by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from attribution import Tracer
from attribution.evaluate.cli import attribution
from attribution.evaluate.corpus import Corpus, Place, read_corpus
from attribution.evaluate.oracle import MIN_RUN, Oracle
from attribution.evaluate.protocol import RESULTS_NAME, code_digest
from attribution.evaluate.windows import seeded
from indexer import Index, Origin, SourceFile, lex
from indexer.build import build_index

N_FILES = 8


def module(number: int) -> str:
    """A module like no other: its names and its structure are drawn from its number."""
    rng = seeded(number)
    lines = []
    for part in range(10):
        lines.append(f"def task_{number}_{part}(first_{rng.randrange(99)}, second):")
        lines.append(f'    """Part {part} of what module {number} does {rng.randrange(10**6)}.')
        lines.append("")
        lines.append(f'    It takes {rng.randrange(10**6)} steps."""')
        for _ in range(rng.randrange(4, 8)):
            name, sign = rng.choice("abcdefgh"), rng.choice("+-*/%")
            call = f"{rng.choice('klmnop')}.{rng.choice('rstuv')}({rng.randrange(10**6)})"
            lines.append(f"    {name}{rng.randrange(50)} = second {sign} {call}  # {number}")
        lines.append(f"    return a{rng.randrange(50)} if second else {rng.randrange(10**6)}")
        lines.append("")
    return "\n".join(lines)


def source_file(number: int, text: str, *, spdx_id: str = "MIT") -> SourceFile:
    origin = Origin(
        source="pypi",
        name=f"package{number}",
        version="1",
        path="a.py",
        spdx_id=spdx_id,
        license_evidence="",
    )
    return SourceFile(text=text, language="python", origin=origin)


@pytest.fixture(scope="module")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of eight modules; the last one also holds all of the first one, renamed."""
    texts = [module(number) for number in range(N_FILES)]
    texts[-1] += "\n" + texts[0].replace("second", "zweite")
    out = tmp_path_factory.mktemp("evaluate") / "index"
    build_index([source_file(number, text) for number, text in enumerate(texts)], out)
    return out


@pytest.fixture(scope="module")
def corpus(index_path: Path) -> Iterator[Corpus]:
    with Index.open(index_path) as index:
        yield read_corpus(index, lambda *_: None)


def run(index_path: Path, out: Path, *more: str) -> Result:
    heldout = [source_file(100 + number, module(100 + number)) for number in range(3)]
    arguments = ["--index", str(index_path), "--out", str(out), "--sample", "4", *more]
    return CliRunner().invoke(
        attribution, arguments, obj={"starcite.read_corpus": lambda _: heldout}
    )


def figures_of(result: Result) -> dict[tuple[str, int, str], dict[str, Any]]:
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["figures"]
    return {(row["class"], row["n_lines"], row["system"]): row for row in rows}


def test_the_protocol_finds_what_was_copied_and_nothing_else(
    index_path: Path, tmp_path: Path
) -> None:
    """On code like no other everything verbatim is found, exactly; what is unseen is silent."""
    figures = figures_of(run(index_path, tmp_path, "--json"))

    for n_lines in (10, 20):
        row = figures["verbatim", n_lines, "starcite"]
        assert row["n"] == 4
        assert row["recall_at_1"] == row["recall_at_1_guaranteed"] == row["mrr"] == 1.0
        assert row["verified_precision"] == row["licence_accuracy"] == 1.0
        assert row["iou_query"] == row["iou_document"] == 1.0
        assert figures["verbatim", n_lines, "suffix_array"]["recall_at_1"] == 1.0
    assert figures["layout", 20, "starcite"]["recall_at_1"] == 1.0
    assert figures["verbatim", 3, "exact_65"]["recall_at_1"] == 0.0
    assert figures["verbatim", 3, "scanoss"]["recall_at_1"] == 0.0
    unseen = figures["unseen", 10, "starcite"]
    assert (unseen["n"], unseen["n_screened"], unseen["false_claims"]) == (4, 4, 0.0)
    assert figures["unseen", 10, "bm25"]["false_claims"] == 1.0


def test_a_run_goes_on_where_it_ended(index_path: Path, tmp_path: Path) -> None:
    """Half of the answers and half of a line are left of a killed run: the next one is whole."""
    chosen = ("--class", "insert", "--system", "starcite", "--system", "bm25", "--json")
    first = figures_of(run(index_path, tmp_path, *chosen))
    path = tmp_path / RESULTS_NAME
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])

    again = figures_of(run(index_path, tmp_path, *chosen))

    def key_of(line: str) -> tuple[str, str]:
        row = json.loads(line)
        return (row["key"], row["system"]) if "key" in row else ("", "")

    lines = [list(map(key_of, text.splitlines())) for text in (whole, path.read_text())]
    assert lines[0] == lines[1]
    assert [row["recall_at_1"] for row in first.values()] == [
        row["recall_at_1"] for row in again.values()
    ]


@pytest.mark.parametrize("garbage", [b"\xff\xfe\n", b"{}\n", b"[1]\n", b"not json\n", b'{"a":\n'])
def test_other_results_are_refused(index_path: Path, tmp_path: Path, garbage: bytes) -> None:
    """A file that is no such file is named and left alone."""
    path = tmp_path / RESULTS_NAME
    path.write_bytes(garbage)

    result = run(index_path, tmp_path, "--class", "verbatim")

    assert result.exit_code == 2
    assert str(path) in result.output
    assert path.read_bytes() == garbage


def test_results_of_another_seed_are_refused(index_path: Path, tmp_path: Path) -> None:
    """A seed has its own file; two never mix."""
    chosen = ("--class", "verbatim", "--system", "layer_p")
    assert run(index_path, tmp_path, *chosen).exit_code == 0

    result = run(index_path, tmp_path, *chosen, "--seed", "3")

    assert result.exit_code == 2
    assert "seed 2" in result.output


def test_a_smaller_run_takes_its_part_of_a_larger_one(index_path: Path, tmp_path: Path) -> None:
    """What was kept of other classes, systems and numbers is not counted."""
    chosen = ("--system", "starcite", "--json")
    run(index_path, tmp_path, "--class", "verbatim", "--class", "delete", *chosen)

    figures = figures_of(run(index_path, tmp_path, "--class", "delete", *chosen, "--sample", "2"))

    assert {(name, row["n"]) for (name, _, _), row in figures.items()} == {("delete", 2)}


def test_results_of_other_code_are_refused(index_path: Path, tmp_path: Path) -> None:
    """Answers of a tracer that has changed since are not mixed with new ones."""
    chosen = ("--class", "verbatim", "--system", "layer_p")
    assert run(index_path, tmp_path, *chosen).exit_code == 0
    path = tmp_path / RESULTS_NAME
    path.write_text(path.read_text().replace(code_digest(), "0" * 64))

    result = run(index_path, tmp_path, *chosen)

    assert result.exit_code == 2
    assert "000000000000" in result.output


def test_an_index_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Exit code 3 and one line."""
    result = run(tmp_path / "none", tmp_path, "--class", "verbatim")

    assert result.exit_code == 3
    assert str(tmp_path / "none") in result.output


def test_the_tables_name_every_class(index_path: Path, tmp_path: Path) -> None:
    """The text holds the tracer's table, the comparison and the verdict on it."""
    output = run(index_path, tmp_path, "--class", "splice", "--class", "unseen").stdout

    assert "recall@1" in output
    assert "suffix_array" in output
    assert "splice" in output
    assert "unseen, 20 lines: 0 of 4 screened windows claimed" in output
    assert "aselines" in output


def test_nothing_is_said_of_baselines_that_were_not_asked(index_path: Path, tmp_path: Path) -> None:
    """A run of the tracer alone is better than nobody."""
    output = run(index_path, tmp_path, "--class", "verbatim", "--system", "starcite").stdout

    assert "aselines" not in output


def test_holders_are_all_that_hold_a_sequence(corpus: Corpus, index_path: Path) -> None:
    """Exactly the documents that hold it; under a renaming, the one that was renamed, too."""
    own = corpus.of_document(0)
    row = slice(own.start + 4, own.start + 60)

    assert corpus.holders(corpus.hashes[row]) == [Place(0, 4, 56)]
    for length in (MIN_RUN - 1, MIN_RUN, 56):
        wanted = corpus.hashes[row][:length]
        assert Oracle.over(corpus).holders(wanted) == corpus.holders(wanted) != []
    renamed = corpus.renamed_holders(corpus.hashes[row], corpus.is_name[row])
    assert [place.document_id for place in renamed] == [0, N_FILES - 1]


def test_the_oracle_finds_what_comparing_all_pairs_finds(index_path: Path, corpus: Corpus) -> None:
    """Every maximal run of 15 lexemes or more, against a walk from each pair of equal lexemes."""
    oracle = Oracle.over(corpus)
    text = "\n".join(module(0).split("\n")[7:13] + module(3).split("\n")[20:24])
    query = lex(text.encode(), "python").hashes

    found = {
        (run.document_id, run.query, run.document, run.length) for run in oracle.shared_runs(query)
    }

    assert found == set(runs_by_hand(query.tolist(), corpus))
    assert len(found) >= 2


def runs_by_hand(query: list[int], corpus: Corpus) -> Iterator[tuple[int, int, int, int]]:
    for document_id in range(N_FILES):
        held = corpus.hashes[corpus.of_document(document_id)].tolist()
        for start, one in enumerate(query):
            for place in (at for at, other in enumerate(held) if other == one):
                if start and place and query[start - 1] == held[place - 1]:
                    continue
                length = 0
                while (
                    start + length < len(query)
                    and place + length < len(held)
                    and query[start + length] == held[place + length]
                ):
                    length += 1
                if length >= MIN_RUN:
                    yield document_id, start, place, length


def test_a_claim_on_unseen_code_is_printed(index_path: Path, tmp_path: Path) -> None:
    """A held-out file that is a copy after all is claimed, screened and shown."""
    copied = [source_file(200, module(1), spdx_id="GPL-3.0-only")]
    arguments = ["--index", str(index_path), "--out", str(tmp_path), "--sample", "3"]
    result = CliRunner().invoke(
        attribution,
        [*arguments, "--class", "unseen", "--system", "starcite"],
        obj={"starcite.read_corpus": lambda _: copied},
    )

    assert "claim on unseen package200/a.py" in result.stdout
    assert "0 of 0 screened windows claimed" in result.stdout
    assert Tracer.open(index_path).trace(module(1)).matches[0].sources[0].document_id == 1

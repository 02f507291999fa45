"""`starcite trace` as a person or a script runs it: output, exit codes, one-line errors."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from attribution.cli import trace
from indexer.config import HOME_VARIABLE
from indexer.optout.swhid import swhid_of

Texts = dict[str, str]


def run(*arguments: object, stdin: str | bytes = "", color: bool = False) -> Result:
    return CliRunner().invoke(trace, [str(one) for one in arguments], input=stdin, color=color)


@pytest.fixture
def copied(tmp_path: Path, texts: Texts) -> Path:
    """A file of the user's own with five copied lines, 2 to 6."""
    lines = texts["cities"].splitlines(keepends=True)[5:10]
    path = tmp_path / "mine.py"
    path.write_text("import sys\n" + "".join(lines) + "\nMINE = sys.maxsize\n")
    return path


def test_a_match_is_told_in_words(copied: Path, index_path: Path) -> None:
    """The text names lines, tier, package, version, path, licence and evidence, and counts."""
    result = run(copied, "--index", index_path)

    expected = (
        f"{copied}:2-6  E1 verbatim, 51 lexemes, in the index\n"
        "  geo 1.2.3  geo/cities.py:6-10\n"
        "    MIT (metadata: MIT; LICENSE: MIT)\n"
        "  held by 1 package in 1 document\n"
    )
    assert (result.stdout, result.stderr, result.exit_code) == (expected, "", 0)


def test_colours_are_for_terminals(copied: Path, index_path: Path) -> None:
    """Escape sequences are written only where they are understood."""
    plain, coloured = (run(copied, "--index", index_path, color=color) for color in (False, True))

    assert "\x1b" not in plain.stdout
    assert "\x1b" in coloured.stdout
    assert click.unstyle(coloured.stdout) == plain.stdout


def test_no_match_says_how_far_it_reaches(index_path: Path, tmp_path: Path) -> None:
    """NONE names the guaranteed length, the number of documents and the corpus."""
    path = tmp_path / "own.py"
    path.write_text("print('nothing to see')\n")

    result = run(path, "--index", index_path)

    assert result.exit_code == 0
    assert result.stdout.startswith(
        f"{path}: no match: no shared run of ≥ 30 lexemes in 16 documents of corpus "
    )


def test_json_holds_everything(copied: Path, index_path: Path, texts: Texts) -> None:
    """The JSON has exactly the documented keys, with lines from 0 and half-open."""
    result = run(f"{copied}:2-7", "--index", index_path, "--json")

    told = json.loads(result.stdout)
    [found] = told["results"]
    assert found.pop("elapsed_ms") > 0
    assert len(found.pop("corpus_digest")) == 64
    assert len(found["matches"][0]["sources"][0].pop("document_sha256")) == 64
    assert found["matches"][0]["sources"][0].pop("corpus_digest") == ""
    [origin] = found["matches"][0]["sources"][0]["origins"]
    assert origin.pop("swhid") == (
        f"{swhid_of(texts['cities'].encode())};origin=https://pypi.org/project/geo/;lines=6-10"
    )
    assert found["matches"][0].pop("earliest") is None
    assert found["matches"][0].pop("conflicts") == []
    assert found["matches"][0].pop("decision") is None
    evidence = found["matches"][0].pop("evidence")
    assert (evidence["n_lexemes"], evidence["n_comment_words"]) == (51, 0)
    assert 0 < found["matches"][0].pop("probability") <= 1
    assert all("rule" in one for one in found["matches"][0].pop("reasons"))
    text = copied.read_text()
    assert told == {
        "schema": "starcite.trace/1",
        "n_documents": 16,
        "min_lexemes": 30,
        "skipped": [],
        "results": [
            {
                "path": str(copied),
                "language": "python",
                "start_line": 1,
                "end_line": 7,
                "verdict": "found",
                "reason": "",
                "claim": "indexed",
                "leads": [],
                "missing_views": ["dense"],
                "absence": None,
                "matches": [
                    {
                        "tier": "E1",
                        "query": {
                            "start": text.index("def "),
                            "end": text.index("\nMINE"),
                            "start_line": 1,
                            "end_line": 6,
                        },
                        "n_lexemes": 51,
                        "n_packages": 1,
                        "n_sources": 1,
                        "n_owners": 1,
                        "commonness": "rare",
                        "is_alarm": True,
                        "renames": [],
                        "pieces": [],
                        "sources": [
                            {
                                "document_id": 1,
                                "span": {
                                    "start": texts["cities"].index("def "),
                                    "end": len(texts["cities"]),
                                    "start_line": 5,
                                    "end_line": 10,
                                },
                                "origins": [
                                    {
                                        "source": "pypi",
                                        "name": "geo",
                                        "version": "1.2.3",
                                        "path": "geo/cities.py",
                                        "spdx_id": "MIT",
                                        "license_evidence": "metadata: MIT; LICENSE: MIT",
                                        "repository": "",
                                        "revision": "",
                                        "first_seen": "",
                                        "relation": "same",
                                        "purl": "pkg:pypi/geo@1.2.3",
                                    }
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_a_range_of_lines_is_all_that_is_traced(copied: Path, index_path: Path) -> None:
    """Lines outside of the range do not count."""
    result = run(f"{copied}:7-8", "--index", index_path, "--json")

    assert json.loads(result.stdout)["results"][0]["verdict"] == "none"


def test_a_match_is_explained_and_leads_are_listed(
    index_path: Path, tmp_path: Path, texts: dict[str, str]
) -> None:
    """A tree under each match; leads with the views that brought them; common code exits with 0."""
    idiom = tmp_path / "idiom.py"
    idiom.write_text(texts["idiom"])

    told = run(idiom, "--index", index_path, "--explain", "--leads", "--fail-on-match")

    assert told.exit_code == 0
    assert "  ├─ tier E1, idiom\n  │  ├─ ✓ n_lexemes" in told.stdout
    assert "✓ n_owners 10 ≥ 4" in told.stdout
    assert "; common: idiom" in told.stdout
    assert "E5 lead" in told.stdout
    assert "views that this index does not have: dense" in told.stdout


def test_fail_on_match_is_for_scripts(copied: Path, index_path: Path, tmp_path: Path) -> None:
    """With --fail-on-match any match among several files makes the exit code 1."""
    own = tmp_path / "own.py"
    own.write_text("print(1)\n")

    assert run(own, copied, "--index", index_path).exit_code == 0
    assert run(own, copied, "--index", index_path, "--fail-on-match").exit_code == 1
    assert run(own, "--index", index_path, "--fail-on-match").exit_code == 0


def test_standard_input_is_a_file_too(index_path: Path, texts: Texts) -> None:
    """A dash reads standard input, as Python unless told otherwise."""
    result = run("-", "--index", index_path, stdin=texts["cart"])

    assert result.stdout.startswith("<stdin>:1-35  E0 the whole file, ")


def test_the_same_file_elsewhere_is_counted(index_path: Path, texts: Texts) -> None:
    """Every place of a text is named, up to three."""
    told = run("-", "--index", index_path, stdin=texts["cart"]).stdout

    assert "  market 1.2.3  vendor/cart.py:1-35\n" in told
    assert "  shop 1.2.3  shop/cart.py:1-35\n" in told
    assert "  held by 2 packages in 1 document\n" in told


def test_bad_input_is_told_in_one_line_each(index_path: Path, tmp_path: Path) -> None:
    """Nothing is traced if one of the files cannot be read; each gets its line; exit code 2."""
    binary = tmp_path / "a.pyc"
    binary.write_bytes(b"\x00\x01")

    (tmp_path / "no").mkdir()

    result = run(binary, tmp_path / "no.py", tmp_path / "no", "--index", index_path)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"starcite trace: {binary} is a binary file: only text can be traced",
        f"starcite trace: {tmp_path / 'no.py'} does not exist",
        f"starcite trace: {tmp_path / 'no'} holds no file whose name tells a language, "
        "or git ignores it: name the files",
    ]


def test_no_index_is_never_no_match(copied: Path, tmp_path: Path) -> None:
    """Without an index the exit code is 3, and one line says how to make one."""
    result = run(copied, "--index", tmp_path / "nothing")

    message = f"starcite trace: no index in {tmp_path / 'nothing'}; run: starcite index build\n"
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", message)


def test_the_default_index_lies_in_the_data_home(
    copied: Path, index_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --index the one of the data home is asked."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert run(copied).exit_code == 3

    shutil.copytree(index_path, tmp_path / "index" / "default")
    assert run(copied, "--fail-on-match").exit_code == 1


def test_a_damaged_index_is_never_no_match(copied: Path, index_path: Path, tmp_path: Path) -> None:
    """A truncated file is noticed on opening, damaged text while tracing; both exit with 3."""
    damaged = tmp_path / "damaged"
    shutil.copytree(index_path, damaged)
    store = next(damaged.rglob("text.zst"))
    data = store.read_bytes()
    store.write_bytes(bytes(len(data)))
    garbled = run(copied, "--index", damaged, "--fail-on-match")
    store.write_bytes(data[:-1])
    truncated = run(copied, "--index", damaged, "--fail-on-match")

    for result in (garbled, truncated):
        assert (result.exit_code, result.stdout) == (3, "")
        assert "damaged" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_help_names_the_exit_codes() -> None:
    """Whoever writes a script finds them, and an example."""
    told = run("--help").stdout

    assert "Exit codes" in told
    assert "Example: starcite trace src/app.py:10-40" in told


def test_a_file_name_does_not_drive_the_terminal(index_path: Path, tmp_path: Path) -> None:
    """Control characters in a name are shown as replacement characters, also in errors."""
    missing = run(tmp_path / "b\n\x1b.py", "--index", index_path)
    assert missing.stderr == f"starcite trace: {tmp_path}/b\ufffd\ufffd.py does not exist\n"

    path = tmp_path / "a\x1b[31m.py"
    path.write_text("print(1)\n")

    assert "a\ufffd[31m.py: no match" in run(path, "--index", index_path).stdout


class InterruptedInput(io.BytesIO):
    """Standard input of somebody who presses Ctrl-C instead of typing."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size == 0:  # click asks whether this yields bytes
            return b""
        raise KeyboardInterrupt


def test_an_interrupt_is_told_by_the_exit_code(index_path: Path) -> None:
    """Ctrl-C ends with 130 and one line."""
    arguments = ["-", "--index", str(index_path)]

    result = CliRunner().invoke(trace, arguments, input=InterruptedInput())

    expected = (130, "", "starcite trace: interrupted\n")
    assert (result.exit_code, result.stdout, result.stderr) == expected

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.cli import index
from indexer.corpus import default_lock, read_lock
from indexer.corpus.inventory import file_sha256
from indexer.corpus.lock import Lock, LockedPackage, dump_lock
from indexer.corpus_cli import corpus
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.frozen import default_digest, read_frozen
from indexer.curate.shards import read_shards
from indexer.source_file import SourceFile

LICENSE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of it. The above "
    "copyright notice and this permission notice shall be included in all copies."
)


@pytest.fixture(scope="module")
def fetched_once(tmp_path_factory: pytest.TempPathFactory, some_records: list[SourceFile]) -> Path:
    """A data folder with a corpus of two packages, fetched without a network."""
    folder = tmp_path_factory.mktemp("fetched")
    packages = (
        _write_wheel(folder, "one", some_records[:20]),
        _write_wheel(folder, "two", some_records[18:]),
    )
    lock = folder / "two.lock"
    lock.write_text(dump_lock(Lock(packages=packages)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder))
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        _run("fetch", "--lock", str(lock), "--to", str(folder / "home" / "corpus" / "default"))
    return folder / "home"


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched_once: Path) -> Path:
    """A corpus of one's own in the data folder."""
    home = tmp_path / "home"
    shutil.copytree(fetched_once, home)
    monkeypatch.setenv("STARCITE_HOME", str(home))
    return home / "corpus" / "default"


def _write_wheel(folder: Path, name: str, records: list[SourceFile]) -> LockedPackage:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for record in records:
            wheel.writestr(f"{name}/{record.origin.path}", record.text)
        wheel.writestr(f"{name}/long.py", "x = '" + "y" * 2000 + "'\n")
        wheel.writestr(f"{name}/table.py", "[\n" + "    (),\n" * 300 + "]\n")
        wheel.writestr(f"{about}/licenses/LICENSE", LICENSE)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return LockedPackage(
        name=name,
        version="1.0",
        file=path.name,
        sha256=file_sha256(path),
        n_bytes=path.stat().st_size,
        spdx_id="MIT",
        license_evidence="License-Expression: MIT",
    )


def _run(*arguments: str, expected: int = 0) -> str:
    ended = CliRunner().invoke(corpus, arguments)

    assert ended.exit_code == expected, ended.output
    return ended.stdout if expected == 0 else ended.stderr


def test_curate_prints_a_table_of_drops(tmp_path: Path, fetched: Path) -> None:
    """What stays, what went where and why; the excluded are listed in a file."""
    shown = _run("curate", "--to", str(tmp_path / "out"), "--excluded", str(tmp_path / "gone"))

    assert "40 of 44 files stay" in shown
    assert [line.split() for line in shown.splitlines()[2:]] == [
        ["quality", "few", "letters", "and", "digits", "2", "4.8", "kB"],
        ["exact-dedup", "exact", "duplicate", "2", "1.3", "kB"],
    ]
    assert len((tmp_path / "gone").read_text().splitlines()) == 4
    assert len(list(read_shards(tmp_path / "out"))) == 40


def test_curate_reads_shards_and_other_thresholds(tmp_path: Path, fetched: Path) -> None:
    """Shards can be curated again, by a configuration of one's own, and as JSON."""
    config = tmp_path / "c.toml"
    config.write_text("max_line_chars = 26\n")
    _run("curate", "--to", str(tmp_path / "out"))

    outcome = json.loads(
        _run(
            "curate", "--json", "--from", str(tmp_path / "out"), "--config", str(config),
            "--to", str(tmp_path / "again"),
        )
    )  # fmt: skip

    assert outcome["n_read"] == 40
    assert 0 < outcome["n_files"] < 40
    assert outcome["config"]["max_line_chars"] == 26


@pytest.mark.parametrize(
    ("content", "message"),
    [("max_line = 5", "the nearest is 'max_line_chars'"), ("max_line_chars =", "is no TOML file")],
)
def test_a_bad_configuration_is_bad_input(
    tmp_path: Path, fetched: Path, content: str, message: str
) -> None:
    """It ends with 2 and one line that names the key."""
    config = tmp_path / "c.toml"
    config.write_text(content)

    said = _run("curate", "--to", str(tmp_path / "o"), "--config", str(config), expected=2)

    assert message in said
    assert len(said.splitlines()) == 1


def test_a_folder_of_no_corpus_is_a_failure(tmp_path: Path) -> None:
    """It ends with 3 and says what can be read."""
    said = _run("stats", str(tmp_path), expected=3)

    assert f"starcite: {tmp_path} holds neither a fetched corpus nor shards" in said


def test_stats_counts_what_was_fetched_and_what_was_curated(tmp_path: Path, fetched: Path) -> None:
    """Both kinds of folders, as text, as JSON and as a page."""
    _run("curate", "--to", str(tmp_path / "out"))

    before = json.loads(_run("stats", "--json"))
    after = json.loads(_run("stats", str(tmp_path / "out"), "--json"))
    text = _run("stats", str(tmp_path / "out"), "--html", str(tmp_path / "page.html"))

    assert before["n_files"] == 41
    assert (before["n_exact_twins"], after["n_exact_twins"]) == (3, 2)
    assert before["skipped"] == {"generated or minified": 2, "not source code": 8}
    assert [row["name"] for row in after["owner"]] == ["two", "one"]
    assert "files      40, " in text
    assert "2 few letters and digits (quality)" in text
    assert "<title>Corpus out</title>" in (tmp_path / "page.html").read_text()


def test_a_frozen_corpus_is_rebuilt_to_the_byte(tmp_path: Path, fetched: Path) -> None:
    """A second rebuild passes the check; a changed digest file names what differs."""
    digest = tmp_path / "frozen.digest"
    _run("freeze", "--out", str(digest))

    said = _run("freeze", "--check", "--digest", str(digest))
    changed = json.loads(digest.read_text())
    changed["shards"][0]["content_sha256"] = "0" * 64
    digest.write_text(json.dumps(changed))
    refused = _run("freeze", "--check", "--digest", str(digest), expected=1)

    assert "version 1, 40 files" in said
    assert read_frozen(digest).corpus_digest in said
    assert [line for line in refused.splitlines() if line.startswith("starcite:")] == [
        f"starcite: content of shard-00000.jsonl.zst is "
        f"{read_shards_content(fetched.parent / 'frozen')}, the frozen corpus has {'0' * 64}"
    ]


def read_shards_content(folder: Path) -> str:
    """The digest of the lines of the first shard."""
    manifest = json.loads((folder / "shards.json").read_text())
    return str(manifest["shards"][0]["content_sha256"])


@pytest.mark.parametrize("seed", ["0", "12345"])
def test_hash_seeds_and_the_order_on_disk_change_nothing(
    tmp_path: Path, fetched: Path, seed: str
) -> None:
    """Another hash seed and archives written in another order give the same digests."""
    digest = tmp_path / "frozen.digest"
    _run("freeze", "--out", str(digest))
    packages = fetched / "packages"
    moved = {path.name: path.read_bytes() for path in packages.iterdir()}
    for path in packages.iterdir():
        path.unlink()
    for name in sorted(moved, reverse=seed == "0"):
        (packages / name).write_bytes(moved[name])

    ended = subprocess.run(
        [sys.executable, "-m", "starcite", "corpus", "freeze", "--check", "--digest", str(digest)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr


def test_the_frozen_corpus_is_that_of_the_shipped_lock() -> None:
    """The committed digest names the committed lock, its version and every shard."""
    frozen = read_frozen(default_digest())
    lock_sha256 = hashlib.sha256(dump_lock(read_lock(default_lock())).encode()).hexdigest()

    assert frozen.lock_sha256 == lock_sha256
    assert frozen.version == 1
    assert frozen.n_files == sum(shard.n_files for shard in frozen.shards)


def test_packages_held_out_are_no_part_of_the_default_corpus() -> None:
    """What models and the index are judged by was set aside before anything is trained."""
    held_out = Path(__file__).parents[2] / "bench" / "heldout.lock"
    ours = {package.name.lower() for package in read_lock(default_lock()).packages}
    theirs = {package.name.lower() for package in read_lock(held_out).packages}

    assert theirs
    assert ours & theirs == set()


def test_an_index_is_built_from_shards_and_from_what_was_fetched(
    tmp_path: Path, fetched: Path
) -> None:
    """The frozen shards and the rest of the corpus, each by its folder, make one index."""
    _run("curate", "--to", str(tmp_path / "out"))
    sources = ("--corpus", str(tmp_path / "out"), "--corpus", str(fetched))

    ended = CliRunner().invoke(
        index, ["build", *sources, "--out", str(tmp_path / "index"), "--json"]
    )

    assert ended.exit_code == 0, ended.output
    built = json.loads(ended.stdout)
    assert built["n_documents"] == 41
    assert built["n_twins"] == 43


def test_the_standard_library_is_a_source_of_its_own(tmp_path: Path, make_record) -> None:
    """Packages and the running Python's library can be curated apart from each other."""
    files = [
        make_record("a = 1\n", name="one"),
        make_record("b = 2\n", name="python", source="python", path="b.py"),
    ]
    both = tmp_path / "both"
    curate_corpus(Task(read=lambda: iter(files), folder=both))

    for choice in ("without", "only"):
        _run(
            "curate", "--from", str(both), "--to", str(tmp_path / choice),
            "--standard-library", choice,
        )  # fmt: skip

    assert list(read_shards(tmp_path / "without")) == files[:1]
    assert list(read_shards(tmp_path / "only")) == files[1:]

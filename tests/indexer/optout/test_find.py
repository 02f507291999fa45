"""Am I in it? The answer as values, as text, as JSON and as a page."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.build import build_index
from indexer.cli import index as index_command
from indexer.index import Index
from indexer.optout.page import PageContext, render_page
from indexer.optout.resolve import Resolution, resolve, tally
from indexer.optout.selector import parse_selector
from indexer.optout.swhid import sha1_git, swhid_of
from indexer.source_file import SourceFile

OWNER = "canaryowner"
CONTEXT = PageContext(answered_at="2030-01-01T00:00:00+00:00", is_kept_out=False)


def look(path: Path, **asked: list[str]) -> Resolution:
    with Index.open(path) as index:
        return resolve(index, parse_selector(**asked))


def test_an_owner_is_found_in_every_kind_of_place(built: Path, canaries: list[SourceFile]) -> None:
    """Files, twins, notebooks, issues and commits of an owner are found, whatever the case."""
    resolution = look(built, owners=[OWNER])
    counts = tally(resolution.found)
    paths = {origin.path for one in resolution.found for origin in one.because}

    assert paths == {
        *("src/alone.py", "src/shared.py", "old/near.py", "notes.ipynb", "issues/1", "commits/abc")
    }
    assert (counts.n_documents, counts.n_places, counts.n_twins, counts.n_shared) == (6, 6, 1, 2)
    assert counts.n_bytes == sum(len(file.text.encode()) for file in canaries)
    assert len(resolution.live) == 14


def test_a_file_is_found_by_its_git_name(built: Path, canaries: list[SourceFile]) -> None:
    """A content is found by its SWHID and its hash, though the index keeps other digests."""
    data = canaries[0].text.encode()
    by_swhid = look(built, swhids=[swhid_of(data)])
    by_hash = look(built, content_hashes=[sha1_git(data)])

    assert [one.document.n_bytes for one in by_swhid.found] == [len(data)]
    assert by_hash.found == by_swhid.found
    assert look(built, swhids=[swhid_of(data + b"\n")]).found == ()


def test_progress_counts_up_to_all(built: Path) -> None:
    """Progress goes over every document and ends at their number."""
    told: list[tuple[int, int]] = []
    with Index.open(built) as index:
        selector = parse_selector(owners=["x"])
        resolve(index, selector, progress=lambda *step: told.append(step))

    assert told == [(n, 14) for n in range(15)]


def test_nothing_found_is_an_answer(built: Path) -> None:
    """Somebody who is not in it is told so, with exit code 0."""
    done = CliRunner().invoke(index_command, ["find", "--owner", "nobody"])

    assert (done.exit_code, done.output) == (0, "owner nobody: nothing, in none of 14 documents\n")


def test_json_has_all_of_it(built: Path) -> None:
    """The JSON names each document, the places that are meant, and their licences."""
    done = CliRunner().invoke(index_command, ["find", "--repo", f"{OWNER}/nest", "--json"])
    record = json.loads(done.output)

    assert done.exit_code == 0
    assert record["counts"]["by_license"] == {"MIT": 6}
    assert {one["because"][0]["repository"].lower() for one in record["documents"]} == {
        f"{OWNER}/nest"
    }
    assert record["is_kept_out"] is False


class Reader(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]
        self.links += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_says_yes_with_its_files(built: Path, home: Path) -> None:
    """The exported page holds the counts, the places and how to check a receipt."""
    out = home / "answer.html"
    arguments = ["find", "--owner", OWNER, "--html", str(out)]
    assert CliRunner().invoke(index_command, arguments).exit_code == 0
    reader = read(out.read_text("utf-8"))

    assert "Yes: 6 documents of 14" in reader.text
    assert "old/near.py" in reader.text
    assert "stand for a near-duplicate" in reader.text
    assert "starcite index verify-receipt FILE" in reader.text


def test_the_page_says_no(built: Path) -> None:
    """Who is not in it reads so, and no empty table."""
    reader = read(render_page(look(built, owners=["nobody"]), CONTEXT))

    assert "No. None of the 14 documents of this index." in reader.text
    assert "table" not in reader.tags


@pytest.mark.parametrize(
    "evil", ['<script>alert("1")</script>', "'\"><img src=x onerror=y>", "&lt;"]
)
def test_the_page_runs_and_loads_nothing(home: Path, canaries: list[SourceFile], evil: str) -> None:
    """Names from strangers stay text: no script, no link, no handler comes of them."""
    origin = replace(
        canaries[0].origin, path=evil, spdx_id=evil, license_evidence=evil, revision=evil
    )
    build_index([replace(canaries[0], origin=origin)], home / "evil")
    page = render_page(look(home / "evil", owners=[OWNER]), CONTEXT)
    reader = read(page)

    assert reader.links == []
    assert {"script", "img", "link", "iframe"}.isdisjoint(reader.tags)
    assert reader.text.count(evil) == 5
    assert "http" not in page.replace("http-equiv", "")


def test_a_long_answer_is_cut_and_says_so(built: Path) -> None:
    """A page lists so many places at most, and how many more there are."""
    context = replace(CONTEXT, max_listed=2)
    reader = read(render_page(look(built, owners=[OWNER]), context))

    assert "4 more are not listed here." in reader.text
    assert reader.text.count("sha256:") == 2


def test_a_terminal_is_not_steered_by_names(home: Path, canaries: list[SourceFile]) -> None:
    """Control characters in a name of a file are not printed."""
    origin = replace(canaries[0].origin, path="a\x1b[2Jb.py")
    build_index([replace(canaries[0], origin=origin)], home / "index" / "default")
    done = CliRunner().invoke(index_command, ["find", "--owner", OWNER])

    assert done.exit_code == 0
    assert "\x1b" not in done.output
    assert "a\ufffd[2Jb.py" in done.output

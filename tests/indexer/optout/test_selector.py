"""What a request may say, and whom it means."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.optout.errors import SelectorError
from indexer.optout.path_glob import compile_glob
from indexer.optout.selector import Selector, match, parse_selector, selector_of
from indexer.optout.swhid import sha1_git, swhid_of
from indexer.source_file import Origin

PACKAGE = Origin(
    source="pypi",
    name="Zope.Interface",
    version="1",
    path="src/zope/ro.py",
    spdx_id="MIT",
    license_evidence="LICENSE",
)
CHECKOUT = replace(PACKAGE, source="git", name="ro", repository="Ada/Engine", path="lib/ro.py")
TEXT = b"x = 1\n"
SHA256 = hashlib.sha256(TEXT).hexdigest()


def found(
    origins: tuple[Origin, ...] = (PACKAGE, CHECKOUT), **asked: Any
) -> tuple[Origin, ...] | None:
    return match(
        parse_selector(**asked), origins=origins, sha256=SHA256, sha1_git=lambda: sha1_git(TEXT)
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"owners": ["ADA"]}, (CHECKOUT,)),
        ({"owners": ["@ada"]}, (CHECKOUT,)),
        ({"owners": ["https://github.com/ada/"]}, (CHECKOUT,)),
        ({"owners": ["zope_interface"]}, (PACKAGE,)),
        ({"owners": ["ad"]}, None),
        ({"owners": ["ad", "ada"]}, (CHECKOUT,)),
        ({"repositories": ["ada/engine"]}, (CHECKOUT,)),
        ({"repositories": ["https://user@github.com/Ada/engine.git"]}, (CHECKOUT,)),
        ({"repositories": ["git@github.com:ada/Engine.git"]}, (CHECKOUT,)),
        ({"repositories": ["ssh://git@github.com/ada/Engine/"]}, (CHECKOUT,)),
        ({"repositories": ["ada/other"]}, None),
        ({"packages": ["zope-interface"]}, (PACKAGE,)),
        ({"packages": ["ro"]}, None),  # a repository is no package of the same name
        ({"paths": ["**/ro.py"]}, (PACKAGE, CHECKOUT)),
        ({"paths": ["lib/*"], "owners": ["ada"]}, (CHECKOUT,)),
        ({"paths": ["src/**"], "owners": ["ada"]}, None),  # both must hold of one origin
        ({"content_hashes": [f"sha256:{SHA256}"]}, (PACKAGE, CHECKOUT)),
        ({"content_hashes": [SHA256.upper()]}, (PACKAGE, CHECKOUT)),
        ({"content_hashes": [sha1_git(TEXT)]}, (PACKAGE, CHECKOUT)),
        ({"content_hashes": [f"sha1-git:{'0' * 40}"]}, None),
        ({"swhids": [swhid_of(TEXT)]}, (PACKAGE, CHECKOUT)),
        ({"swhids": [swhid_of(TEXT) + ";origin=https://example.org/x"]}, (PACKAGE, CHECKOUT)),
        ({"swhids": [swhid_of(TEXT)], "owners": ["ada"]}, (CHECKOUT,)),
        ({"swhids": [swhid_of(b"y")], "owners": ["ada"]}, None),
    ],
)
def test_match(asked: dict[str, Any], expected: tuple[Origin, ...] | None) -> None:
    """A document is meant if one of its origins fits every kind of what was asked for."""
    assert found(**asked) == expected


def test_a_project_of_a_group_goes_by_its_last_two_names() -> None:
    """A record may name all groups that a project is in; a checkout names the last one."""
    grouped = replace(CHECKOUT, repository="group/sub/Project")

    assert found((PACKAGE, grouped), repositories=["sub/project"]) == (grouped,)
    assert found((PACKAGE, grouped), repositories=["group/sub"]) is None


def test_twins_are_meant_too() -> None:
    """An origin that a document only stands for, as its near-duplicate, is found as any other."""
    twin = replace(CHECKOUT, repository="grace/cobol", relation="near")

    assert found((PACKAGE, twin), owners=["grace"]) == (twin,)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "nothing is asked for"),
        ({"owners": ["\u0430da"]}, "U+0430"),  # begins with a Cyrillic letter
        ({"owners": [""]}, "no name"),
        ({"owners": ["ada/engine"]}, "ask with --repo"),
        ({"repositories": ["ada"]}, "not owner/name"),
        ({"repositories": ["ada/eng ine"]}, "no name"),
        ({"repositories": ["a/b/c/d"]}, "the last two names"),
        ({"repositories": ["https://github.com/ada/engine/tree/main"]}, "the last two names"),
        ({"packages": ["a/b"]}, "no name"),
        ({"paths": [""]}, "is empty"),
        ({"paths": ["a\\b"]}, "backslash"),
        ({"paths": ["[z-a]"]}, "no glob"),
        ({"content_hashes": ["abc"]}, "neither sha256"),
        ({"content_hashes": [f"sha256:{'a' * 40}"]}, "neither sha256"),
        ({"content_hashes": [f"md5:{'a' * 32}"]}, "neither sha256"),
        ({"content_hashes": ["g" * 64]}, "neither sha256"),
        ({"swhids": [f"swh:1:dir:{'a' * 40}"]}, "names no content"),
        ({"swhids": [f"swh:2:cnt:{'a' * 40}"]}, "names no content"),
        ({"swhids": ["swh:1:cnt:abc"]}, "40 lower-case"),
        ({"swhids": [f"swh:1:cnt:{'A' * 40}"]}, "40 lower-case"),
    ],
)
def test_refused(asked: dict[str, Any], message: str) -> None:
    """What cannot be read is refused, with the value and the reason."""
    with pytest.raises(SelectorError, match=re.escape(message)):
        parse_selector(**asked)


def test_a_selector_survives_json() -> None:
    """What is written to the ledger is read back as the same request."""
    selector = parse_selector(owners=["b", "a"], paths=["x/*"], content_hashes=[SHA256])

    assert selector_of(selector.as_record()) == selector


@pytest.mark.parametrize("record", [{}, {"owner": ["a"]}, {"owners": "ab"}, {"owners": [1]}])
def test_no_selector(record: dict[str, Any]) -> None:
    """A record that no selector wrote is refused."""
    with pytest.raises(ValueError, match="a request"):
        selector_of(record)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("*.py", "a.py", True),
        ("*.py", "a/b.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "x/y/a.py", True),
        ("/src/**", "src/x/y", True),
        ("src/**", "srcs/x", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("a[!b]c", "a/c", False),
        ("a.py", "axpy", False),
        ("a+(b).py", "a+(b).py", True),
        ("[", "[", True),
        ("[--a].py", "a.py", True),
        ("[+--].py", "-.py", True),
        ("[+--].py", "a.py", False),
    ],
)
def test_globs(glob: str, path: str, *, expected: bool) -> None:
    """One star stays inside a folder, two cross folders, and a glob is about the whole path."""
    assert bool(compile_glob(glob).fullmatch(path)) is expected


@given(st.text(st.characters(exclude_characters="*?[/"), max_size=20))
def test_a_plain_path_means_itself(path: str) -> None:
    """A glob without special characters matches its own text and nothing longer."""
    assert compile_glob(path).fullmatch(path)
    assert not compile_glob(path).fullmatch(path + "x")


@pytest.mark.parametrize("data", [b"", b"x = 1\n", b"\r\n\x00\xff", "é\n".encode() * 1000])
def test_sha1_git_is_what_git_says(data: bytes, tmp_path: Path) -> None:
    """The content's name is the one that git itself gives to the file."""
    file = tmp_path / "file"
    file.write_bytes(data)
    said = subprocess.run(
        ["git", "hash-object", "--no-filters", str(file)],
        check=True,
        capture_output=True,
        text=True,
    )

    assert sha1_git(data) == said.stdout.strip()
    assert swhid_of(data) == f"swh:1:cnt:{said.stdout.strip()}"


def test_sha1_is_not_computed_in_vain() -> None:
    """Where nobody asks for a git name, none is computed."""

    def refuse() -> str:
        raise AssertionError

    selector = Selector(sha256s=(SHA256,))

    assert match(selector, origins=(PACKAGE,), sha256=SHA256, sha1_git=refuse) == (PACKAGE,)

from __future__ import annotations

import contextlib
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.corpus.errors import LockError
from indexer.corpus.licenses import PERMISSIVE
from indexer.corpus.lock import (
    Lock,
    LockedPackage,
    LockedWheel,
    default_lock,
    dump_lock,
    parse_lock,
    read_lock,
)
from indexer.corpus.wheel_name import WheelName, normalise_name

_WORD = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
_PACKAGES = st.builds(
    lambda name, version, sha256, n_bytes, evidence: LockedPackage(
        name=name,
        version=version,
        file=f"{name}-{version}-py3-none-any.whl",
        sha256=sha256,
        n_bytes=n_bytes,
        spdx_id="MIT",
        license_evidence=evidence,
    ),
    _WORD,
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.integers(1, 10**9),
    st.text(
        st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=30
    ),  # quotes, backslashes and every script
)
GOOD = """\
format = 1
[[package]]
name = "demo"
version = "1.0"
file = "demo-1.0-py3-none-any.whl"
sha256 = "{sha256}"
n_bytes = 10
spdx_id = "MIT"
license_evidence = "License-Expression: MIT; licenses/LICENSE: MIT"
""".format(sha256="0" * 64)


@given(st.lists(_PACKAGES, unique_by=lambda p: normalise_name(p.name), max_size=5), st.booleans())
def test_what_is_written_is_read_back(packages: list[LockedPackage], library: bool) -> None:
    """A lock survives being written and read, its packages sorted by name."""
    if not packages and not library:
        library = True
    lock = Lock(packages=tuple(packages), standard_library=library)

    read = parse_lock(dump_lock(lock))

    ordered = sorted(packages, key=lambda p: normalise_name(p.name))
    assert Lock(packages=tuple(ordered), standard_library=library) == read


def test_benchmarks_are_read_back_and_no_package_is_one() -> None:
    """A wheel of problems stands apart; one name stands in one place only."""
    wheel = LockedWheel(
        name="bench", version="1", file="bench-1-py3-none-any.whl", sha256="1" * 64, n_bytes=5
    )
    lock = replace(parse_lock(GOOD), benchmarks=(wheel,))

    assert parse_lock(dump_lock(lock)) == lock
    twice = dump_lock(lock).replace('"bench', '"demo').replace('version = "1"', 'version = "1.0"')
    with pytest.raises(LockError, match="names 'demo' twice"):
        parse_lock(twice.replace("demo-1-", "demo-1.0-"))


@given(st.one_of(st.text(), st.text().map(lambda tail: GOOD + tail)))
def test_any_text_is_a_lock_or_a_lock_error(text: str) -> None:
    """Whatever a lock file holds, reading it raises nothing but LockError."""
    with contextlib.suppress(LockError):
        assert parse_lock(text).packages


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 9", "format 9"),
        ('sha256 = "0', 'sha256 = "x', "sha256 is 'x0"),
        ('file = "demo', 'file = "../demo', "file is '../demo"),
        ('file = "demo-', 'file = "other-', "no wheel of that package"),
        ('name = "demo"', 'name = "--index-url"', "name is '--index-url'"),
        ('version = "1.0"', 'version = "1.0 --hash"', "version is '1.0 --hash'"),
        ("n_bytes = 10", "n_bytes = -1", "n_bytes is -1"),
        ("n_bytes = 10", "size = 10", "unknown key 'size'"),
        ('spdx_id = "MIT"\n', "", "spdx_id is None"),
        ("[[package]]", "[package]", "no list of tables"),
        ("n_bytes = 10", "n_bytes = " + "1" * 5000, "is not a corpus lock"),
        ("format = 1", "x = " + "[" * 9999, "is not a corpus lock"),
    ],
)
def test_a_bad_value_is_refused_by_name(old: str, new: str, said: str) -> None:
    """A missing, unknown or malformed value is named in the message."""
    assert old in GOOD

    with pytest.raises(LockError) as raised:
        parse_lock(GOOD.replace(old, new))

    assert said in str(raised.value)


def test_a_package_named_twice_is_refused() -> None:
    """Two spellings of one name are one package."""
    again = GOOD.split("\n", 1)[1].replace('"demo"', '"Demo"')

    with pytest.raises(LockError, match="twice"):
        parse_lock(GOOD + again)


def test_the_shipped_lock_keeps_what_it_promises() -> None:
    """60 to 80 packages under permissive licences with evidence, and the standard library."""
    lock = read_lock(default_lock())

    assert 60 <= len(lock.packages) <= 80
    assert lock.standard_library
    for package in lock.packages:
        assert PERMISSIVE.intersection(package.spdx_id.replace(" AND ", " OR ").split(" OR "))
        metadata, *files = package.license_evidence.split("; ")
        assert metadata.startswith(("License-Expression: ", "License: ", "Classifier: "))
        assert files


@pytest.mark.parametrize(
    ("file_name", "options"),
    [
        ("six-1.17.0-py2.py3-none-any.whl", ()),
        (
            "tornado-6.6.1-cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            (
                *("--implementation", "cp", "--python-version", "311", "--abi", "abi3"),
                *("--platform", "manylinux_2_17_x86_64", "--platform", "manylinux2014_x86_64"),
            ),
        ),
    ],
)
def test_pip_is_told_the_tags_of_a_wheel_that_is_not_pure(
    file_name: str, options: tuple[str, ...]
) -> None:
    """The same wheel is fetched on every machine, whatever Python runs there."""
    name = WheelName.parse(file_name)

    assert name is not None
    assert options == name.pip_options()

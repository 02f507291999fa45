"""The Bloom filter: never a false negative, a bounded rate of false positives, honest chains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.store import membership as module
from indexer.store.membership import (
    FPR,
    PORTRAIT,
    STRIPPED,
    TILE_CHARS,
    Membership,
    MembershipWriter,
    Tiling,
)
from indexer.text.normalize import strip_whitespace

TEXTS = st.lists(st.binary(max_size=300), min_size=1, max_size=6)


def build(folder: Path, texts: list[bytes], tiling: Tiling = STRIPPED) -> Membership:
    writer = MembershipWriter(folder, tiling)
    for text in texts:
        writer.add(text)
    writer.finish()
    return Membership.open(folder, tiling)


def slow_chain(members: set[bytes], text: bytes) -> int:
    """The longest chain by looking at every place of the stripped text."""
    stripped = strip_whitespace(text)
    best = 0
    for start in range(len(stripped)):
        length = 0
        while stripped[start + length * 32 : start + length * 32 + 32] in members:
            length += 1
        best = max(best, length)
    return best


@given(texts=TEXTS, data=st.data())
def test_chains_are_those_of_a_set_of_tiles(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], data: st.DataObject
) -> None:
    """Of indexed text and its fragments the chain is at least that of an exact set of tiles."""
    found = build(tmp_path_factory.mktemp("filter"), texts)
    members = {
        strip_whitespace(text)[i : i + TILE_CHARS]
        for text in texts
        for i in range(0, len(strip_whitespace(text)) - TILE_CHARS + 1, TILE_CHARS)
    }
    text = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(text)))
    query = data.draw(st.binary(max_size=40)) + text[start:] + data.draw(st.binary(max_size=40))

    # Filters of a few tiles hold some bits by chance only at the rate tested below.
    assert found.longest_chain(query) >= slow_chain(members, query)
    assert found.longest_chain(text) >= len(strip_whitespace(text)) // TILE_CHARS


@pytest.mark.parametrize(
    ("tiling", "slice_bits"), [(STRIPPED, 1 << 26), (STRIPPED, 1 << 16), (PORTRAIT, 1 << 26)]
)
def test_no_member_is_missed_and_strangers_pass_at_the_promised_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiling: Tiling, slice_bits: int
) -> None:
    """At capacity every member is found; of a million strangers about FPR are, however sliced."""
    monkeypatch.setattr(module, "_SLICE_BITS", slice_bits)
    random = np.random.default_rng(11)
    members = random.integers(33, 127, (20_000, tiling.n_bytes), dtype=np.uint8)
    found = build(tmp_path, [members.tobytes()], tiling)
    strangers = random.integers(0, 2**63, 1_000_000).astype(np.uint64)
    rate = float(found.contains(strangers).mean())

    assert found.longest_chain(members.tobytes()) == len(members)
    # 100 expected with a standard deviation of 10: four of them to each side.
    assert 0.6 * FPR < rate < 1.4 * FPR


def test_whitespace_makes_no_difference(tmp_path: Path) -> None:
    """Re-indented and re-wrapped text has the chain of the original."""
    text = b"".join(b"def function_%d(a, b):\n    return a + b * %d\n" % (i, i) for i in range(9))
    found = build(tmp_path, [text])

    assert found.longest_chain(text.replace(b"    ", b"\t\t").replace(b"\n", b"\r\n")) == (
        len(strip_whitespace(text)) // TILE_CHARS
    )


def test_a_chain_does_not_bridge_a_gap(tmp_path: Path) -> None:
    """Members on both sides of a strange tile are two chains and not one long one."""
    tiles = [bytes([65 + i]) * TILE_CHARS for i in range(6)]
    found = build(tmp_path, [b"".join(tiles)])
    broken = b"".join([*tiles[:2], b"?" * TILE_CHARS, *tiles[3:]])

    assert found.longest_chain(broken) == 3


@pytest.mark.parametrize("text", [b"", b"short", b" " * 500])
def test_text_of_less_than_a_tile_has_no_chain(tmp_path: Path, text: bytes) -> None:
    """Nothing can be said of less than 32 characters, and an empty filter says no."""
    assert build(tmp_path, [text]).longest_chain(text) == 0
    assert Membership.open(tmp_path).longest_chain(b"x" * 100) == 0

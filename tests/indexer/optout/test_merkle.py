"""The Merkle tree against RFC 6962's own recursive definitions."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.optout.merkle import (
    EMPTY_ROOT,
    Absence,
    Inclusion,
    MerkleTree,
    hash_leaf,
    is_absent,
    is_included,
)

DIGESTS = st.binary(min_size=1, max_size=2).map(lambda data: hashlib.sha256(data).digest())
SETS = st.sets(DIGESTS, max_size=40)


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def slow_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, word by word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*slow_path(index, leaves[:k]), slow_root(leaves[k:])]
    return [*slow_path(index - k, leaves[k:]), slow_root(leaves[:k])]


@given(SETS)
def test_root_is_that_of_the_rfc(digests: set[bytes]) -> None:
    """The root of any set equals RFC 6962's recursive hash of its sorted members."""
    expected = slow_root(sorted(digests))

    assert MerkleTree(digests).root == expected


@given(SETS.filter(bool), st.data())
def test_paths_are_those_of_the_rfc(digests: set[bytes], data: st.DataObject) -> None:
    """Each path equals RFC 6962's, and is accepted."""
    leaves = sorted(digests)
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree = MerkleTree(digests)
    proof = tree.prove_inclusion(leaves[index])

    assert proof == Inclusion(index, leaves[index], tuple(slow_path(index, leaves)))
    assert is_included(proof, root=tree.root, n_leaves=len(leaves))


@given(SETS, DIGESTS)
def test_a_value_is_either_included_or_absent(digests: set[bytes], value: bytes) -> None:
    """For every value exactly one of the two proofs can be made, and it is accepted."""
    tree = MerkleTree(digests)
    if value in digests:
        with pytest.raises(ValueError, match="is in the tree"):
            tree.prove_absence(value)
        assert is_included(tree.prove_inclusion(value), root=tree.root, n_leaves=len(tree))
    else:
        with pytest.raises(ValueError, match="is not in the tree"):
            tree.prove_inclusion(value)
        assert is_absent(value, tree.prove_absence(value), root=tree.root, n_leaves=len(tree))


@given(SETS.filter(bool), st.data())
def test_no_two_leaves_prove_a_member_absent(digests: set[bytes], data: st.DataObject) -> None:
    """No pair of genuine paths, under whatever number of leaves, shows that a member is absent."""
    leaves = sorted(digests)
    tree = MerkleTree(digests)
    value = data.draw(st.sampled_from(leaves))
    sides = st.none() | st.sampled_from([tree.prove_inclusion(leaf) for leaf in leaves])
    proof = Absence(data.draw(sides), data.draw(sides))
    n_leaves = data.draw(st.integers(0, len(leaves) + 3))

    assert not is_absent(value, proof, root=tree.root, n_leaves=n_leaves)


@given(SETS.filter(lambda digests: len(digests) > 2), st.data())
def test_another_place_is_not_believed(digests: set[bytes], data: st.DataObject) -> None:
    """A leaf that claims another place than its own is refused, so neighbours cannot be feigned."""
    leaves = sorted(digests)
    tree = MerkleTree(digests)
    proof = tree.prove_inclusion(data.draw(st.sampled_from(leaves)))
    others = [index for index in range(len(leaves)) if index != proof.index]
    moved = dataclasses.replace(proof, index=data.draw(st.sampled_from(others)))

    assert not is_included(moved, root=tree.root, n_leaves=len(leaves))


@given(SETS.filter(lambda digests: len(digests) > 1), st.data())
def test_a_flipped_bit_is_seen(digests: set[bytes], data: st.DataObject) -> None:
    """A path with any bit flipped in its leaf or its siblings is refused."""
    tree = MerkleTree(digests)
    proof = tree.prove_inclusion(data.draw(st.sampled_from(sorted(digests))))
    parts = [proof.leaf, *proof.path]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = int.from_bytes(parts[which]) ^ (1 << bit)
    parts[which] = flipped.to_bytes(32)
    forged = Inclusion(proof.index, parts[0], tuple(parts[1:]))

    assert not is_included(forged, root=tree.root, n_leaves=len(tree))


def test_a_node_does_not_pass_for_a_leaf() -> None:
    """The two hashes below the root are no leaf of a tree of one, as RFC 6962 separates them."""
    tree = MerkleTree([bytes(32), bytes(31) + b"\x01"])
    children = hash_leaf(bytes(32)) + hash_leaf(bytes(31) + b"\x01")

    assert not is_included(Inclusion(0, children, ()), root=tree.root, n_leaves=1)


def test_nothing_is_in_an_empty_tree() -> None:
    """Of an empty set the absence of anything is shown by its root alone."""
    proof = MerkleTree([]).prove_absence(bytes(32))

    assert proof == Absence(None, None)
    assert is_absent(bytes(32), proof, root=EMPTY_ROOT, n_leaves=0)
    assert not is_absent(bytes(32), proof, root=hash_leaf(b""), n_leaves=1)

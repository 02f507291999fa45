"""A Merkle tree over sorted digests: proofs that one is among them, and that one is not.

Hashes are those of RFC 6962, section 2.1: leaves and nodes begin with different bytes, so that no
node can pass for a leaf. That something is absent is shown by the two neighbours between which it
would stand. The paths themselves show that they are neighbours, so nothing else has to be trusted.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256(b"").digest()
_LEAF, _NODE = b"\x00", b"\x01"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The path from a leaf to the root."""

    index: int  # of the leaf, counting from 0
    leaf: bytes
    path: tuple[bytes, ...]  # siblings, from the leaf upwards


@dataclass(frozen=True, slots=True)
class Absence:
    """The leaves between which a value would stand: none on the side where the tree ends."""

    left: Inclusion | None
    right: Inclusion | None


class MerkleTree:
    """The tree over a set of digests, in ascending order."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        self._leaves: list[bytes] = sorted(set(digests))
        # An odd node moves up unchanged: the same tree as RFC 6962's split at a power of two.
        self._levels = [[hash_leaf(leaf) for leaf in self._leaves]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_level_above(self._levels[-1]))

    def __len__(self) -> int:
        return len(self._leaves)

    @property
    def root(self) -> bytes:
        """32 bytes that stand for the whole set."""
        return self._levels[-1][0] if self._leaves else EMPTY_ROOT

    def prove_inclusion(self, value: bytes) -> Inclusion:
        """The path of a leaf.

        Raises:
            ValueError: it is no leaf.
        """
        index = bisect_left(self._leaves, value)
        if index == len(self._leaves) or self._leaves[index] != value:
            raise ValueError(f"{value.hex()} is not in the tree")
        return self._inclusion(index)

    def prove_absence(self, value: bytes) -> Absence:
        """The neighbours of a value that is no leaf.

        Raises:
            ValueError: it is one.
        """
        place = bisect_left(self._leaves, value)
        if place < len(self._leaves) and self._leaves[place] == value:
            raise ValueError(f"{value.hex()} is in the tree")
        return Absence(
            left=self._inclusion(place - 1) if place else None,
            right=self._inclusion(place) if place < len(self._leaves) else None,
        )

    def _inclusion(self, index: int) -> Inclusion:
        path = []
        place = index
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                path.append(level[place ^ 1])
            place //= 2
        return Inclusion(index, self._leaves[index], tuple(path))


def hash_leaf(value: bytes) -> bytes:
    """RFC 6962's hash of a leaf."""
    return hashlib.sha256(_LEAF + value).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """RFC 6962's hash of an inner node."""
    return hashlib.sha256(_NODE + left + right).digest()


def is_included(proof: Inclusion, *, root: bytes, n_leaves: int) -> bool:
    """Whether a path leads from its leaf, at its place among `n_leaves`, to the root."""
    if not 0 <= proof.index < n_leaves:
        return False
    value = hash_leaf(proof.leaf)
    siblings = list(reversed(proof.path))
    place, last = proof.index, n_leaves - 1
    while last:
        if place ^ 1 <= last:
            if not siblings:
                return False
            sibling = siblings.pop()
            value = hash_node(sibling, value) if place & 1 else hash_node(value, sibling)
        place, last = place // 2, last // 2
    return not siblings and value == root


def is_absent(value: bytes, proof: Absence, *, root: bytes, n_leaves: int) -> bool:
    """Whether the proof shows that a value is not among the `n_leaves` leaves under the root."""
    left, right = proof.left, proof.right
    if left is None and right is None:
        return n_leaves == 0 and root == EMPTY_ROOT
    if any(
        side is not None and not is_included(side, root=root, n_leaves=n_leaves)
        for side in (left, right)
    ):
        return False
    before = -1 if left is None else left.index
    after = n_leaves if right is None else right.index
    return (
        before + 1 == after
        and (left is None or left.leaf < value)
        and (right is None or value < right.leaf)
    )


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [hash_node(left, right) for left, right in pairs]
    return [*above, level[-1]] if len(level) % 2 else above

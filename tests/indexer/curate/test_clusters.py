"""Clusters of near-duplicates against an exact comparison of all pairs."""

from __future__ import annotations

import itertools
import random
import re
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.clusters import Forest, find_keepers
from indexer.curate.errors import CurateError
from indexer.curate.minhash import jaccard, shingles
from indexer.curate.signatures import Signatures, SignatureWriter


def exact(left: str, right: str) -> float:
    """The similarity by sets of strings."""
    one, other = _grams(left), _grams(right)
    return len(one & other) / len(one | other) if one | other else 0.0


@cache
def _grams(text: str) -> frozenset[str]:
    words = re.findall(r"[A-Za-z_0-9]+", text)
    return frozenset(" ".join(words[at : at + 5]) for at in range(len(words) - 4))


def keepers_of(texts: list[str], folder: Path, *, batch: int = 10**9) -> list[str]:
    """For each text the one that stands for it; the shortest, then the smallest is preferred."""
    parts = [texts[at : at + batch] for at in range(0, len(texts), batch)] or [[]]
    folders = [folder / str(number) for number in range(len(parts))]
    for part, part_folder in zip(parts, folders, strict=True):
        with SignatureWriter(part_folder) as writer:
            for text in part:
                writer.add(text.encode())
    sets = [shingles(text.encode()) for text in texts]
    keepers = find_keepers(
        Signatures(folders),
        lambda left, right: jaccard(sets[left], sets[right]),
        lambda number: (len(texts[number]), texts[number]),
    )
    return [texts[keeper] for keeper in keepers]


def mutated(lines: list[str], share: float, rng: random.Random) -> str:
    """The lines, but a share of them replaced by new ones."""
    return "\n".join(
        f"new_{rng.randrange(10**9)} = call({rng.randrange(10**9)}, other)"
        if rng.random() < share
        else line
        for line in lines
    )


def real_texts(n: int, seed: int) -> list[str]:
    """Files of the standard library, most of them with several edited copies."""
    rng = random.Random(seed)  # noqa: S311 - reproducible test data
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))
    texts = []
    for path in rng.sample(paths, n):
        lines = path.read_text(encoding="utf-8").splitlines()[: rng.choice([30, 150, 400])]
        texts.append("\n".join(lines))
        texts += [mutated(lines, share, rng) for share in rng.sample([0.01, 0.02, 0.04, 0.3], 3)]
    rng.shuffle(texts)
    return list(dict.fromkeys(texts))


def synthetic_texts(n: int, seed: int) -> list[str]:
    """Texts of few words, so that chance repeats many shingles, in families of edited copies."""
    rng = random.Random(seed)  # noqa: S311 - reproducible test data
    words = [f"w{n}" for n in range(40)]
    texts = []
    for _ in range(n):
        lines = [" ".join(rng.choices(words, k=6)) for _ in range(rng.choice([3, 30, 60]))]
        texts += [mutated(lines, share, rng) for share in (0, 0.01, 0.02, 0.1)]
    return list(dict.fromkeys(texts))


@pytest.mark.parametrize(
    "texts", [real_texts(60, seed=1), synthetic_texts(200, seed=2)], ids=["real", "synthetic"]
)
def test_near_duplicates_are_found_and_nothing_else(texts: list[str], tmp_path: Path) -> None:
    """Of pairs of 0.85 or more 99 % are settled; whoever goes is like the one who stays."""
    keepers = dict(zip(texts, keepers_of(texts, tmp_path), strict=True))
    similar = [(a, b) for a, b in itertools.combinations(texts, 2) if exact(a, b) >= 0.85]
    missed = [(a, b) for a, b in similar if keepers[a] == a and keepers[b] == b]
    gone = [(text, keeper) for text, keeper in keepers.items() if text != keeper]
    wrong = [(text, keeper) for text, keeper in gone if exact(text, keeper) < 0.7]

    assert len(similar) >= 100
    assert len(missed) <= 0.01 * len(similar)
    assert len(gone) >= 50
    assert wrong == []
    assert all(keepers[keeper] == keeper for keeper in keepers.values())


def test_clusters_do_not_depend_on_the_order_of_the_documents(tmp_path: Path) -> None:
    """Shuffled and cut into several folders, the same documents stand for the same others."""
    texts = [*real_texts(15, seed=3), *synthetic_texts(30, seed=4)]
    shuffled = texts.copy()
    random.Random(5).shuffle(shuffled)  # noqa: S311 - reproducible test data

    one = dict(zip(texts, keepers_of(texts, tmp_path / "a"), strict=True))
    other = dict(zip(shuffled, keepers_of(shuffled, tmp_path / "b", batch=17), strict=True))

    assert one == other
    assert any(text != keeper for text, keeper in one.items())


def test_the_ends_of_a_chain_do_not_stand_for_each_other(tmp_path: Path) -> None:
    """Of a chain of small edits, whatever is unlike every document that stays, stays too."""
    lines = [f"name_{n} = call_{n}(value_{n}, other_{n}, {n})" for n in range(200)]
    chain = []
    for step in range(12):
        edited = [f"fresh_{n} = {n}" if n < step * 12 else lines[n] for n in range(200)]
        chain.append("\n".join(edited))
    neighbours = [exact(a, b) for a, b in itertools.pairwise(chain)]

    keepers = keepers_of(chain, tmp_path)

    assert min(neighbours[:6]) > 0.8
    assert exact(chain[0], chain[-1]) < 0.5
    assert 1 < len(set(keepers)) < len(chain)
    assert all(
        exact(text, keeper) >= 0.7
        for text, keeper in zip(chain, keepers, strict=True)
        if text != keeper
    )


def test_tiny_texts_are_no_cluster(tmp_path: Path) -> None:
    """Texts of fewer than five words have no signature to collide with; five words have."""
    texts = ["", "pass", "import os", "from a import b", "x = 1", "a b c d e", "a b c d e # !"]

    assert keepers_of(texts, tmp_path) == [*texts[:6], "a b c d e"]


def test_a_thousand_copies_are_one_cluster_in_linear_time(tmp_path: Path) -> None:
    """A bucket that holds everything is walked once, not once for every pair."""
    lines = [f"name_{n} = call_{n}(value_{n}, other_{n}, {n})" for n in range(40)]
    texts = ["\n".join([*lines, f"# {n}"]) for n in range(2000)]
    calls = 0

    with SignatureWriter(tmp_path / "s") as writer:
        for text in texts:
            writer.add(text.encode())
    sets = [shingles(text.encode()) for text in texts]

    def similarity(left: int, right: int) -> float:
        nonlocal calls
        calls += 1
        return jaccard(sets[left], sets[right])

    keepers = find_keepers(Signatures([tmp_path / "s"]), similarity, lambda number: number)

    assert set(keepers.tolist()) == {0}
    assert calls < 3 * len(texts)


def test_texts_of_two_namespaces_are_never_one_cluster(tmp_path: Path) -> None:
    """An issue that quotes a file does not make the file go."""
    text = b"one two three four five six seven eight"
    with SignatureWriter(tmp_path / "s") as writer:
        for namespace in ("file", "issue", "file"):
            writer.add(text, namespace=namespace)

    keepers = find_keepers(Signatures([tmp_path / "s"]), lambda *_: 1.0, lambda number: number)

    assert keepers.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "no finished signatures"),
        (lambda path: path.write_text(path.read_text().replace('"seed": 1', '"seed": 2')), "seed"),
    ],
)
def test_signatures_of_another_scheme_are_refused(
    change: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    """Signatures are only read if all that they depend on is as it is now."""
    with SignatureWriter(tmp_path) as writer:
        writer.add(b"one two three four five")
    change(tmp_path / "scheme.json")

    with pytest.raises(CurateError, match=said):
        Signatures([tmp_path])


@given(
    st.integers(1, 20).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30),
        )
    )
)
def test_a_forest_knows_what_is_connected(case: tuple[int, list[tuple[int, int]]]) -> None:
    """Roots are equal for exactly the numbers that a path of unions joins."""
    n, pairs = case
    forest = Forest(n)
    components = [{number} for number in range(n)]
    for left, right in pairs:
        forest.union(left, right)
        joined = components[left] | components[right]
        for number in joined:
            components[number] = joined

    roots = forest.roots(np.arange(n))

    assert roots.tolist() == [min(component) for component in components]
    assert roots.tolist() == [forest.find(number) for number in range(n)]

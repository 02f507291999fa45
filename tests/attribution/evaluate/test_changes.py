"""Each change does to code what it says, and nothing else."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.evaluate import changes
from attribution.evaluate.changes import Change, Lines
from attribution.evaluate.names import anatomy_of
from attribution.evaluate.windows import Text, Window, cut, draw, seeded

SOURCE = '''\
def total(basket, prices):
    """What a basket costs.

    Unknown articles cost nothing.
    """
    costs = 0
    for article, count in basket.items():
        price = prices.get(article, 0)  # in cents
        costs += price * count

    # The till takes whole cents.
    return round(costs)
'''
OTHER = "def other():\n    first = 1\n    second = 2\n    third = 3\n" * 3


def window_of(text: str, start: int = 0, end: int | None = None, owner: str = "a") -> Window:
    lines = cut(text)
    source = Text(name="a/x.py", owner=owner, document_id=0, n_bytes=len(text), read=lambda: text)
    return Window(source=source, lines=lines, start=start, end=len(lines) if end is None else end)


def made_by(change: Change, text: str = SOURCE, start: int = 0, end: int | None = None) -> Lines:
    lines = changes.changed(
        change, window_of(text, start, end), window_of(OTHER, owner="b"), seeded(0)
    )
    assert lines is not None
    return lines


def text_of(lines: Lines) -> str:
    return "".join(line.text for line in lines)


def test_a_verbatim_copy_is_the_window() -> None:
    """Nothing is changed, and each line knows where it stood."""
    lines = made_by(changes.verbatim)

    assert text_of(lines) == SOURCE
    assert [line.source_line for line in lines] == list(range(12))


def test_another_layout_keeps_every_sign_but_whitespace() -> None:
    """Only whitespace differs, and it does differ."""
    changed = text_of(made_by(changes.layout))

    assert "".join(changed.split()) == "".join(SOURCE.split())
    assert changed != SOURCE


def test_comments_are_taken_away_and_others_added() -> None:
    """The code stays the same program; none of its own comments is left."""
    changed = text_of(made_by(changes.comments))

    assert ast.dump(ast.parse(changed)) != ""
    assert "cents" not in changed.replace("whole cents", "")
    assert "#" in changed
    assert "The till" not in changed


@pytest.mark.parametrize("change", [changes.rename, changes.rename_half, changes.rename_all])
def test_a_renaming_is_one_to_one_and_leaves_the_structure(change: Change) -> None:
    """Same program under other names: the names of both texts map onto each other."""
    changed = text_of(made_by(change))
    before = [one.text for one in anatomy_of(cut(SOURCE)).names]  # type: ignore[union-attr]
    after = [one.text for one in anatomy_of(cut(changed)).names]  # type: ignore[union-attr]
    pairs = set(zip(before, after, strict=True))

    assert len(pairs) == len(set(before)) == len(set(after))
    assert ast.dump(ast.parse(changed)).count("(") == ast.dump(ast.parse(SOURCE)).count("(")


def test_how_much_is_renamed() -> None:
    """Own names go, attributes and builtins stay unless all go."""
    own, every = text_of(made_by(changes.rename)), text_of(made_by(changes.rename_all))

    assert "prices" not in own
    assert ".items()" in own
    assert "round(" in own
    assert ".items()" not in every
    assert "round(" not in every
    assert "return " in every


def test_foreign_lines_are_of_no_part() -> None:
    """Every fourth line or so is followed by a line of the other text."""
    lines = made_by(changes.insert)

    assert text_of([line for line in lines if line.part == 0]) == SOURCE
    assert [line.text for line in lines if line.part < 0] == cut(OTHER)[:3][::-1]


def test_a_deletion_keeps_both_ends() -> None:
    """A fourth of the lines is gone, the first and the last are not."""
    kept = [line.source_line for line in made_by(changes.delete)]

    assert len(kept) == 9
    assert (kept[0], kept[-1]) == (0, 11)
    assert kept == sorted(kept)


def test_reordering_keeps_every_line() -> None:
    """The same lines in another order."""
    lines = [line.source_line for line in made_by(changes.reorder)]

    assert sorted(lines) == list(range(12))
    assert lines[0] == 8


def test_a_splice_has_two_parts() -> None:
    """The first half of one text and the second half of another."""
    lines = made_by(changes.splice)

    assert [line.part for line in lines] == [0] * 6 + [1] * 6
    assert text_of(lines[6:]) == "".join(cut(OTHER)[6:])


def test_a_window_in_a_string_leaves_the_string() -> None:
    """Only windows that start in a string and end in code will do."""
    assert made_by(changes.midstring, start=2, end=7)[0].source_line == 2
    assert (
        changes.changed(changes.midstring, window_of(SOURCE, 5, 9), window_of(OTHER), seeded(0))
        is None
    )


@given(text=st.text(max_size=200))
def test_any_text_can_be_offered(text: str) -> None:
    """Garbage is cut into its lines and has an anatomy or none; nothing fails."""
    lines = cut(text)
    anatomy = anatomy_of(lines) if lines else None

    assert "".join(lines) == text
    for name in anatomy.names if anatomy else ():
        assert lines[name.line][name.column :].startswith(name.text)


def test_windows_are_the_same_for_the_same_seed() -> None:
    """A seed gives the same windows in every run, another one others."""
    texts = [window_of(SOURCE).source, window_of(OTHER, owner="b").source]

    def starts(seed: int) -> list[tuple[str, int]]:
        windows = draw(texts, 3, seeded(seed, "a"))
        return [(one.source.owner, one.start) for one, _ in zip(windows, range(20), strict=False)]

    assert starts(1) == starts(1)
    assert starts(1) != starts(2)

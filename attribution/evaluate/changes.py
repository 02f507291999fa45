"""The changes that a copy may have gone through; each is one function from a case to lines.

A change returns None where it cannot be made (nothing to rename, no comment), and the window is
drawn anew. A line of a changed text remembers the line of the source that it was.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from attribution.evaluate.names import Anatomy, Name, anatomy_of, fresh_names
from attribution.evaluate.windows import Window

_PART = 4  # every fourth line is deleted, or gets a foreign one after it


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a changed window; `part` counts the sources of a spliced text, -1 for none."""

    text: str
    source_line: int
    part: int = 0
    n_own: int | None = None  # code points at its beginning that are the source's; None: all


Lines = list[Line]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a change may look at."""

    window: Window
    anatomy: Anatomy  # of the window's whole file
    other: Window  # of another owner
    rng: random.Random


Change = Callable[[Case], Lines | None]


def changed(change: Change, window: Window, other: Window, rng: random.Random) -> Lines | None:
    """Apply a change, or say with None that it cannot be made here."""
    anatomy = anatomy_of(window.lines)
    if anatomy is None:
        return None
    return change(Case(window=window, anatomy=anatomy, other=other, rng=rng))


def verbatim(case: Case) -> Lines | None:
    """As it stands."""
    return _own(case.window)


def layout(case: Case) -> Lines | None:
    """Another indentation, blanks at line ends and round signs, blank lines; no letter changed."""
    made: Lines = []
    for line in _own(case.window):
        bare = line.text.strip()
        depth = len(line.text) - len(line.text.lstrip())
        indent = "\t" * (depth // 4) if depth % 4 == 0 else " " * (depth // 2)
        if not bare:
            continue
        if not set(bare) & set("\"'#"):
            bare = bare.replace(", ", ",").replace(" = ", "=").replace("(", "( ")
        made.append(Line(indent + bare + " " * case.rng.randrange(3) + "\n", line.source_line))
        if case.rng.random() < 0.25:
            made.append(Line("\n", -1, -1))
    return made


def comments(case: Case) -> Lines | None:
    """Its comments are gone and others stand at a third of its lines; no blank lines."""
    lines = list(case.window.lines)
    for number, column in case.anatomy.comments:
        lines[number] = lines[number][:column] + "\n"
    made: Lines = []
    for number in range(case.window.start, case.window.end):
        bare = lines[number].rstrip()
        ends_in_code = number + 1 not in case.anatomy.inside_string and not bare.endswith("\\")
        n_own = len(bare)
        if bare and ends_in_code and case.rng.random() < 0.34:
            bare += f"  # {' '.join(fresh_names(['one', 'two', 'three'], case.rng).values())}"
        made.append(Line(bare + "\n", number, n_own=n_own))
    kept = [line for line in made if line.text.strip()]
    return kept or None


def rename_half(case: Case) -> Lines | None:
    """Half of the names that its author gave."""
    names = _distinct(_inside(case, own_only=True))
    case.rng.shuffle(names)
    return _renamed(case, names[: (len(names) + 1) // 2])


def rename(case: Case) -> Lines | None:
    """Every name that its author gave; attributes, builtins and keywords stay."""
    return _renamed(case, _distinct(_inside(case, own_only=True)))


def rename_all(case: Case) -> Lines | None:
    """Every identifier, attributes and builtins too; only keywords and literals stay."""
    return _renamed(case, _distinct(_inside(case, own_only=False)))


def insert(case: Case) -> Lines | None:
    """A foreign line after every fourth line or so, never at its ends."""
    foreign = [line for line in case.other.lines[case.other.start : case.other.end] if line.strip()]
    own = _own(case.window)
    n_foreign = max(1, len(own) // _PART)
    if len(foreign) < n_foreign:
        return None
    places = sorted(case.rng.sample(range(1, len(own)), n_foreign), reverse=True)
    for place, text in zip(places, foreign, strict=False):
        n_own = 0 if text.lstrip().startswith("#") else None  # a span may well run over a comment
        own.insert(place, Line(_ended(text), -1, -1, n_own=n_own))
    return own


def delete(case: Case) -> Lines | None:
    """Without a fourth of its lines, the first and the last kept."""
    own = _own(case.window)
    gone = set(case.rng.sample(range(1, len(own) - 1), max(1, len(own) // _PART)))
    if not any(own[place].text.strip() for place in gone):
        return None
    return [line for place, line in enumerate(own) if place not in gone]


def reorder(case: Case) -> Lines | None:
    """Cut in two or three, and the pieces in another order."""
    own = _own(case.window)
    n_pieces = 2 if len(own) <= 10 else 3
    size = len(own) // n_pieces
    cuts = [size * piece for piece in range(n_pieces)] + [len(own)]
    pieces = [own[first:end] for first, end in pairwise(cuts)]
    return [line for piece in reversed(pieces) for line in piece]


def splice(case: Case) -> Lines | None:
    """Its first half, then the second half of a window of another owner: two parts to find."""
    half = (case.window.end - case.window.start) // 2
    tail = [Line(_ended(line.text), line.source_line, 1) for line in _own(case.other)[half:]]
    return _own(case.window)[:half] + tail


def midstring(case: Case) -> Lines | None:
    """As it stands, where its first line begins inside a string and a later one does not."""
    later = range(case.window.start + 1, case.window.end)
    leaves = any(number not in case.anatomy.inside_string for number in later)
    return _own(case.window) if case.window.start in case.anatomy.inside_string and leaves else None


def may_be_midstring(window: Window) -> bool:
    """Whether a string of several lines may end in a window; much cheaper than its anatomy."""
    return '"""' in window.text or "'''" in window.text


def _own(window: Window) -> Lines:
    numbers = range(window.start, window.end)
    return [Line(_ended(window.lines[number]), number) for number in numbers]


def _ended(line: str) -> str:
    return line if line.endswith(("\n", "\r")) else line + "\n"


def _inside(case: Case, *, own_only: bool) -> list[Name]:
    return [
        name
        for name in case.anatomy.names
        if case.window.start <= name.line < case.window.end and (name.is_own or not own_only)
    ]


def _distinct(names: list[Name]) -> list[str]:
    return list(dict.fromkeys(name.text for name in names))


def _renamed(case: Case, names: list[str]) -> Lines | None:
    """The window with all of these names replaced, wherever they stand but in strings."""
    if not names:
        return None
    fresh = fresh_names(names, case.rng)
    lines = {line.source_line: line.text for line in _own(case.window)}
    for name in reversed(case.anatomy.names):  # from the right, so that columns hold
        if name.line in lines and name.text in fresh:
            text = lines[name.line]
            after = name.column + len(name.text)
            lines[name.line] = text[: name.column] + fresh[name.text] + text[after:]
    return [Line(text, number) for number, text in lines.items()]

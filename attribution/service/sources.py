"""`GET /sources`: which documents of an owner, a repository, a package or a file are in the index.

The words of a query are the options of `starcite index find`, and so is the JSON answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from attribution.config import ServiceConfig
from attribution.errors import LookTooLongError, QueryRefusedError
from indexer.errors import DocumentForgottenError
from indexer.optout.forget import was_asked
from indexer.optout.page import PageContext, render_page
from indexer.optout.render import as_record
from indexer.optout.resolve import Progress, Resolution
from indexer.optout.selector import Selector, parse_selector

FIELDS = {  # a word of the query → the parameter of `parse_selector`
    "owner": "owners",
    "repo": "repositories",
    "package": "packages",
    "path": "paths",
    "content-hash": "content_hashes",
    "swhid": "swhids",
}
FORMAT_FIELD = "format"
_MAX_FORGOTTEN_MEANWHILE = 3  # times that one question starts over because of that
_OPTION = re.compile(rf"--({'|'.join(FIELDS)})\b")
Resolve = Callable[..., Resolution]  # a selector, and whom to tell of the progress
_WILDCARDS = re.compile(r"\*+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """The answer to one question."""

    resolution: Resolution
    is_kept_out: bool

    def as_record(self) -> dict[str, Any]:
        """As `starcite index find --json` prints it."""
        return {**as_record(self.resolution), "is_kept_out": self.is_kept_out}

    def as_page(self, ask_again: str) -> str:
        """As a page that links back to the form."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        context = PageContext(answered_at=now, is_kept_out=self.is_kept_out, ask_again=ask_again)
        return render_page(self.resolution, context)


def parse_query(items: Sequence[tuple[str, str]], config: ServiceConfig) -> Selector:
    """Whom or what a query string asks for; fields of the form that were left empty do not count.

    Raises:
        QueryRefusedError: a word is unknown, a value too long, or nothing is asked for.
        SelectorError: a value cannot be read.
    """
    asked: dict[str, list[str]] = {parameter: [] for parameter in FIELDS.values()}
    for name, value in items:
        if name == FORMAT_FIELD:
            continue
        if name not in FIELDS:
            raise QueryRefusedError(f"{name!r} cannot be asked for; ask for {', '.join(FIELDS)}")
        if len(value) > config.max_value_chars:
            n, limit = len(value), config.max_value_chars
            raise QueryRefusedError(f"{name} has {n} characters; at most {limit} are read")
        if value.strip():
            asked[FIELDS[name]].append(value)
    if not any(asked.values()):
        raise QueryRefusedError(f"nothing is asked for; give one of {', '.join(FIELDS)}")
    for glob in asked["paths"]:
        if len(_WILDCARDS.findall(glob)) > config.max_wildcards:
            limit = config.max_wildcards
            raise QueryRefusedError(f"path {glob!r} has more than {limit} stars; ask for less")
    return parse_selector(**asked)


def look(selector: Selector, config: ServiceConfig) -> Callable[[Resolve], Sources]:
    """The question to put to whatever looks through an index.

    Raises, when it is put:
        LookTooLongError: the index is too large for the time that is given.
        IndexerError: the index or the opt-out ledger cannot be read.
    """

    def answer(resolve: Resolve) -> Sources:
        give_up_at = time.monotonic() + config.max_answer_s

        def keep_going(n_done: int, n_total: int) -> None:
            if time.monotonic() > give_up_at:
                raise LookTooLongError(
                    f"given up after {config.max_answer_s:g} s, with {n_done:,} of {n_total:,} "
                    "documents looked at; on the machine itself, run: starcite index find"
                )

        resolution = _resolve_live(resolve, selector, keep_going)
        return Sources(resolution=resolution, is_kept_out=was_asked(selector))

    return answer


def _resolve_live(resolve: Resolve, selector: Selector, progress: Progress) -> Resolution:
    """Look again where a document was forgotten while it was being looked at."""
    for _ in range(_MAX_FORGOTTEN_MEANWHILE):
        try:
            return resolve(selector, progress=progress)
        except DocumentForgottenError:
            continue
    return resolve(selector, progress=progress)


def in_words_of_a_query(message: str) -> str:
    """An error's message with the words of a query for the options of the command."""
    return _OPTION.sub(lambda found: found[1], message)


def kept(items: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """What to put back into the form, so that a mistake can be mended; the first of each."""
    return {name: value for name, value in reversed(items) if name in FIELDS}

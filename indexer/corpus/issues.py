"""GitHub issues as talks: without mail footers, bots and authors' names.

The filters follow StarCoder's (bigcode-dataset, preprocessing/filtering_issues.py); names are
replaced where they stand as names, since a replacement of the bare letters corrupts words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from indexer.corpus.filters import SkipReason
from indexer.corpus.parts import Part, join_parts
from indexer.corpus.rows import Left, Row, WrongTypeError, judge_value, origin_of
from indexer.source_file import SourceFile

ISSUE_COLUMNS = frozenset(
    {
        "author",
        "body",
        "comments",
        "events",
        "html_url",
        "issue_id",
        "issue_number",
        "number",
        "state",
        "title",
        "user",
    }
)
MAX_LINES, HEAD_LINES, TAIL_LINES = 80, 60, 20
TRUNCATED = "[Truncated]"
MIN_CHARS = 200
MAX_ALONE_CHARS, MAX_ALONE_EVENTS = 7000, 10  # of an issue in which one user talks

_MAIL_HEAD = re.compile(
    r"^(?:On\b.{0,200}\bwrote:|-{3,} ?(?:Original|Forwarded) [Mm]essage ?-{3,}"
    r"|From: [^\n]{1,200}\n(?:Sent|Date|To): )[\s\S]*\Z",
    re.MULTILINE,
)
_MAIL_FOOT = re.compile(
    r"^.{0,20}(?:You are receiving this (?:e-?mail )?because|Reply to this e-?mail directly"
    r"|Sent from my )[\s\S]*\Z",
    re.MULTILINE,
)
_RULE = re.compile(r"^_{20,}[\s\S]*\Z", re.MULTILINE)
_QUOTE = re.compile(r"^>.*\n?", re.MULTILINE)

_BOT_PARTS = ("[bot]", "botmanager", "bors-", "jenkins", "k8s-", "-test-", "travis")
_BOT_ENDS = ("-automation", "-bot", "-ci", "_bot", "bot-ci", "cibot", "robot")
_BOT_NAMES = frozenset(
    {
        "bors",
        "bot",
        "codecov",
        "codecov-io",
        "coveralls",
        "dependabot",
        "googlebot",
        "greenkeeper",
        "mergify",
        "renovate",
        "rust-highfive",
        "rustbot",
        "stale",
        "vercel",
    }
)
# A login that is an ordinary word is replaced only after an @.
_NAME_LIKE = re.compile(r"(?=.{5,})(?:.*[0-9].*|.*-.*|[A-Z]?[a-z]+[A-Z].*)")


@dataclass(frozen=True, slots=True)
class _Event:
    author: str
    text: str
    is_closing: bool = False


def is_issue(row: Row) -> bool:
    """Whether a row has the columns of an issue."""
    return "events" in row or ("title" in row and ("comments" in row or "body" in row))


def issue_of(row: Row, *, stem: str) -> SourceFile | Left:
    """The talk of an issue: rows with `events`, or with `title`, `body` and `comments`."""
    try:
        title, events = _events(row)
        number = _number(row)
        origin = origin_of(
            _with_repository(row), source="issue", path=f"issues/{number}", stem=stem
        )
    except WrongTypeError as error:
        return Left(SkipReason.WRONG_TYPE, str(error))
    kept = _without_bots([_shortened(event) for event in events])
    text = join_parts(_parts(title, kept))
    left = _judge(title, events, kept)
    reason = judge_value(text)
    if not left and reason:
        left = Left(reason)
    if left:
        return left
    return SourceFile(text=text, language="text", origin=origin, kind="issue")


def _judge(title: str, events: list[_Event], kept: list[_Event]) -> Left | None:
    if not events and not title:
        return Left(SkipReason.NO_TEXT)
    if not kept or _is_bot(events[0].author):
        return Left(SkipReason.BOT)
    return None if _is_talk(kept) else Left(SkipReason.LITTLE_TALK)


def without_names(text: str, authors: Iterable[str]) -> str:
    """The text with each author as `username_i`, where a name stands alone or after an @."""
    numbers = {author.lower(): i for i, author in enumerate(authors)}
    names = sorted(filter(None, numbers), key=len, reverse=True)
    if not names:
        return text
    pattern = re.compile(
        rf"(?<![\w@/.-])(@?)({'|'.join(map(re.escape, names))})(?![\w-]|\.\w|@)", re.IGNORECASE
    )

    def masked(found: re.Match[str]) -> str:
        at, name = found[1], found[2]
        if not at and not _NAME_LIKE.fullmatch(name):
            return found[0]
        return f"{at}username_{numbers[name.lower()]}"

    return pattern.sub(masked, text)


def _parts(title: str, events: list[_Event]) -> list[Part]:
    authors = list(dict.fromkeys(event.author.lower() for event in events))
    parts = [Part("title", without_names(title, authors))]
    for event in events:
        name = f"username_{authors.index(event.author.lower())}"
        if event.text:
            parts.append(Part("comment", f"{name}: {without_names(event.text, authors)}"))
        if event.is_closing:
            parts.append(Part("closed", ""))
    return parts


def _events(row: Row) -> tuple[str, list[_Event]]:
    if "events" in row and row["events"] is not None:
        tables = _tables(row, "events")
        titles = [_string(table, "title") for table in tables]
        title = _string(row, "title") or next(filter(None, titles), "")
        return title, [_event(table) for table in tables]
    first = _Event(_author(row), _string(row, "body"))
    comments = row.get("comments")  # GitHub's API has their number here
    tables = _tables(row, "comments") if isinstance(comments, list | tuple) else []
    events = [first, *(_event(table) for table in tables)]
    if _string(row, "state") == "closed":
        events.append(_Event(first.author, "", is_closing=True))
    return _string(row, "title"), events


def _event(table: Row) -> _Event:
    return _Event(
        author=_author(table),
        text=_string(table, "text") or _string(table, "body"),
        is_closing=_string(table, "action") == "closed",
    )


def _tables(row: Row, name: str) -> list[Row]:
    value = row[name]
    if not isinstance(value, list | tuple) or not all(isinstance(v, dict) for v in value):
        raise WrongTypeError(f"{name}: {type(value).__name__}")
    return list(value)


def _author(table: Row) -> str:
    user = table.get("user")
    if isinstance(user, dict):
        return _string(user, "login")
    return _string(table, "author") or _string(table, "user")


def _string(table: Row, name: str) -> str:
    value = table.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongTypeError(f"{name}: {type(value).__name__}")
    return value


def _number(row: Row) -> str:
    for name in ("number", "issue_number", "issue_id", "id"):
        value = row.get(name)
        if isinstance(value, int) or (isinstance(value, str) and value.isalnum()):
            return str(value)
    return "unnumbered"


def _with_repository(row: Row) -> Row:
    """With the repository that an issue's address names, where no column does."""
    address = _string(row, "html_url")
    found = re.match(r"https://github\.com/([\w.-]+/[\w.-]+)/", address)
    return {**row, "repo_name": found[1]} if found and not row.get("repo_name") else row


def _shortened(event: _Event) -> _Event:
    text = event.text.replace("\r\n", "\n")
    for boilerplate in (_MAIL_HEAD, _MAIL_FOOT, _RULE, _QUOTE):
        text = boilerplate.sub("", text)
    lines = text.strip().split("\n")
    if len(lines) > MAX_LINES:
        lines = [*lines[:HEAD_LINES], TRUNCATED, *lines[-TAIL_LINES:]]
    return replace(event, text="\n".join(lines))


def _is_bot(author: str) -> bool:
    name = author.lower()
    return (
        name in _BOT_NAMES or name.endswith(_BOT_ENDS) or any(part in name for part in _BOT_PARTS)
    )


def _without_bots(events: list[_Event]) -> list[_Event]:
    """Without what bots wrote, and without the one-line call before that made a bot answer."""
    kept: list[_Event] = []
    for event in events:
        if not _is_bot(event.author):
            kept.append(event)
        elif kept and _is_call(kept[-1].text, event.author):
            kept.pop()
    return kept


def _is_call(text: str, bot: str) -> bool:
    if "\n" in text or not text:
        return False
    return text.startswith("/") or text.lower().startswith(f"@{bot.lower().removesuffix('[bot]')}")


def _is_talk(events: list[_Event]) -> bool:
    n_chars = sum(len(event.text) for event in events)
    n_users = len({event.author for event in events})
    if n_chars < MIN_CHARS:
        return False
    return n_users >= 2 or (n_chars <= MAX_ALONE_CHARS and len(events) <= MAX_ALONE_EVENTS)

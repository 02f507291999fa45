"""Secrets that their place gives away: in a URL, after `-u user:`, as `login`'s last argument."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from indexer.curate.redact.entropy import looks_random
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.values import is_password, is_placeholder
from indexer.curate.redact.view import View

WINDOW_CHARS = 400

_DSN = re.compile(
    r"(?P<user>[^\s:@/\"'<>`|,;]{0,100}+):(?P<password>[^\s\"'<>`,;|/]{1,200})@(?=[\w\[$({%])"
)
_DSN_TOKEN = re.compile(r"(?P<token>[\w.%~-]{16,200}+)(?::(?:x-oauth-basic)?)?@(?=\w)")
_CLI_USER = re.compile(r"(?:[ ]-u|--user)(?:[ \t]+|=)[\"']?[\w.@-]{1,60}:(?P<p>[^\s\"':]{4,100}+)")


class Place(NamedTuple):
    """A place of a password that no name marks: what stands there, and how it goes on."""

    name: str
    sign: bytes  # in small letters
    pattern: re.Pattern[str]
    may_be_word: bool


def _place(name: str, sign: str, rest: str, *, may_be_word: bool = True) -> Place:
    pattern = re.compile(re.escape(sign) + rest, re.IGNORECASE)
    return Place(name, sign.encode(), pattern, may_be_word)


_STRING = r"([\"'])(?P<p>[^\"'\n]{1,100})\1"
_LAST_ARGUMENT = (
    r"(?:[^()\n]{0,150}?,[ \t]{0,8})?[\"'][^\"'\n]{1,80}[\"'],[ \t]{0,8}"
    rf"{_STRING}[ \t]{{0,8}}\)"
)
PLACES = (
    _place("password in SQL", "identified by", rf"[ \t]+(?:password[ \t]+)?{_STRING}"),
    _place("password in PowerShell", "to-securestring", rf"[ \t]+(?:-string[ \t]+)?{_STRING}"),
    _place("password on a command line", "sshpass -p", rf"[ \t]*{_STRING}"),
    _place("password argument", "login(", _LAST_ARGUMENT, may_be_word=False),
    _place("password argument", "connection(", _LAST_ARGUMENT, may_be_word=False),
    _place("password argument", "auth(", _LAST_ARGUMENT, may_be_word=False),
    _place("password argument", "credential(", _LAST_ARGUMENT, may_be_word=False),
)


def find_user_info(view: View) -> Iterator[Span]:
    """The secrets in `scheme://user:password@host`, `https://token@host` and `curl -u u:p`."""
    for at in view.find_all(b"://"):
        yield from _user_info(view.text, at + 3)
    for place in PLACES:
        for at in view.find_all_lower(place.sign):
            found = place.pattern.match(view.text, at, at + WINDOW_CHARS)
            if found and is_password(found["p"], may_be_word=place.may_be_word):
                yield Span(*found.span("p"), Kind.PASSWORD, place.name)
    for option in (b" -u ", b"--user"):
        yield from _command_line_users(view, option)


def _user_info(text: str, at: int) -> Iterator[Span]:
    found = _DSN.match(text, at, at + WINDOW_CHARS)
    if found is not None:
        value = found["password"]
        if not is_placeholder(value):
            yield Span(*found.span("password"), Kind.PASSWORD, "password in a URL")
        return
    token = _DSN_TOKEN.match(text, at, at + WINDOW_CHARS)
    if token is not None and looks_random(token["token"]):
        yield Span(*token.span("token"), Kind.KEY, "token in a URL")


def _command_line_users(view: View, option: bytes) -> Iterator[Span]:
    for at in view.find_all(option):
        found = _CLI_USER.match(view.text, at, at + WINDOW_CHARS)
        if found and not is_placeholder(found["p"]) and not found["p"].isdigit():
            yield Span(*found.span("p"), Kind.PASSWORD, "password on a command line")

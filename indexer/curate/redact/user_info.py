"""Secrets that their place gives away: in a URL, after `-u user:`, after SQL's IDENTIFIED BY."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.curate.redact.entropy import looks_random
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.values import is_password, is_placeholder
from indexer.curate.redact.view import View

WINDOW_CHARS = 400

_DSN = re.compile(
    r"(?P<user>[^\s:@/\"'<>`|,;]{0,100}+):(?P<password>[^\s\"'<>`,;|/]{1,200})@(?=[\w\[$({%])"
)
_DSN_TOKEN = re.compile(r"(?P<token>[\w.%~-]{16,200}+)(?::(?:x-oauth-basic)?)?@(?=\w)")
_IDENTIFIED_BY = re.compile(
    r"identified by[ \t]+(?:password[ \t]+)?(['\"])(?P<p>[^'\"\n]{1,100})\1", re.I
)
_CLI_USER = re.compile(r"(?:[ ]-u|--user)(?:[ \t]+|=)[\"']?[\w.@-]{1,60}:(?P<p>[^\s\"':]{4,100}+)")


def find_user_info(view: View) -> Iterator[Span]:
    """The secrets in `scheme://user:password@host`, `https://token@host` and `curl -u u:p`."""
    for at in view.find_all(b"://"):
        yield from _user_info(view.text, at + 3)
    for at in view.find_all_lower(b"identified by"):
        found = _IDENTIFIED_BY.match(view.text, at, at + WINDOW_CHARS)
        if found and is_password(found["p"], may_be_word=True):
            yield Span(*found.span("p"), Kind.PASSWORD, "password in SQL")
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

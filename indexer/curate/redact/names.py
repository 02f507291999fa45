"""Names of credentials: `DB_PASSWORD`, `apiKey`, `"client-secret"`, and what only looks like one.

A name is found by its stem; the words before and after the stem decide whether it holds a secret
(`api_key`, `token`) or speaks about one (`password_field`, `key_size`, `public_key`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from indexer.curate.redact.view import View

STEMS = (b"pass", b"pwd", b"secret", b"token", b"key", b"auth", b"cred")
_QUICK = re.compile(  # most words that look like a name have nothing after them that binds a value
    rb"[\w.-]{0,70}+\\?[\"'`]?[\])]{0,2}+[ \t]{0,40}+"
    rb"(?:[:=,(><!&*.\[\"']|is |was |to |by |(?<=[ \t])(?:as[ \t])?[\w.\[\]*&]{1,30}+[ \t]{0,4}+="
    rb"|(?<=assword[ \t])[^ \t]|(?<=asswd[ \t])[^ \t]|(?<=pass[ \t])[^ \t])"
)
_WORD = re.compile(
    r"(?:pass(?:word|wd|phrase|code|wort)?|pwd|secret|token|key|auth(?:orization|entication)?|"
    r"cred(?:ential)?)s?",
    re.IGNORECASE,
)
_BINDS = re.compile(r"\w*\\?[\"'\])]*[ \t]*(?:[:=>(,]|\Z|(?:As|as)[ \t])")
_HEAD = re.compile(r"[\w.-]*+\Z")
_GLUED_HEAD = re.compile(
    r"(?:api|access|app|auth|secret|private|master|client|db|user|my|mysql|smtp|ftp|admin|root|"
    r"mail|pg|redis|session|refresh|jwt|xsrf|csrf|proxy|host|store|trust|key|pg|sa|ssh|login|account|new|old|the)\Z",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[\w.-]{0,60}+", re.ASCII)
_WORDS_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_OTHER_TAILS_TEXT = (  # names that speak about a secret and do not hold it
    "field fields hash hashed hasher hashers digest url uri file filename path dir name names type "
    "types length len size bits min max validator validators validation valid reset forgot policy "
    "policies regex regexp pattern label placeholder hint prompt message msg error errors help "
    "title column endpoint expiry expires expire expiration expired ttl timeout count limit alg "
    "algorithm format kind class cls header headers param params parameter prefix suffix encoder "
    "encoding generator func function callback handler manager provider service store strength "
    "form view page link route required enabled changed exists id ids index idx version izer "
    "method mode scheme backend ref arn sum char chars iter iterator stream pos position line "
    "board press down up code codes event events map dict list set table attr error order word "
    "words range space frame by arg args kwarg kwargs func fn fmt usage ring chain server "
    "mgr realm encode decode"
)
_OTHER_TAILS = frozenset(_OTHER_TAILS_TEXT.split())
_OTHER_HEADS_TEXT = (  # keys that open nothing
    "public pub foreign primary sort cache partition unique group hot idempotency translation i18n "
    "data dict map hash row object bucket file image site cell column shortcut menu sorted lookup "
    "by node edge issue tracking analytics metric config widget state item element dedup dedupe "
    "routing shard index join compound natural surrogate msg message event keyboard ctrl alt"
)
_OTHER_HEADS = frozenset(_OTHER_HEADS_TEXT.split())
_STRONG_HEADS_TEXT = (
    "api access app auth secret private encrypt encryption crypt cipher signing sign signature "
    "master client service license licence hmac aes storage subscription account token shared "
    "consumer webhook deploy server bot admin session jwt cookie refresh bearer oauth security "
    "stripe aws azure gcp google github gitlab slack sendgrid twilio mailgun openai maps deepl "
    "algolia datadog sentry rapidapi weather nasa pusher firebase my x rpc integration project "
    "write read ingest instrumentation telemetry application seed root wallet"
)
_STRONG_HEADS = frozenset(_STRONG_HEADS_TEXT.split())


class Name(NamedTuple):
    """A credential's name in a text: where it stands, and what is known of it."""

    start: int
    end: int
    is_password: bool
    strong: bool  # can hardly be anything but a credential's
    chosen: bool  # people choose such values themselves
    before: str  # the line up to the name


def find_names(view: View) -> Iterator[Name]:
    """The credentials' names in a text that something follows which may be their value."""
    for stem in STEMS:
        for at in view.find_all_lower(stem):
            name = _name_at(view, at) if _QUICK.match(view.lower, at) else None
            if name is not None:
                yield name


def _name_at(view: View, at: int) -> Name | None:  # noqa: PLR0911 - one return for each reason
    text = view.text
    word = _WORD.match(text, at, at + 20)
    if word is None:
        return None
    end = word.end()
    if _same_case_letters(text, end):
        return None
    before = view.line_before(at, 80)
    head = _HEAD.search(before)[0]  # type: ignore[index]  # matches ""
    is_password_word = word[0].lower().startswith(("pass", "pwd"))
    option = head.startswith("-")
    if word[0].lower() == "pass" and not (option or _BINDS.match(text, end)):  # a verb
        return None
    if head and _same_case_letters(text, at):
        sure = word[0].lower() not in ("pass", "key", "token", "auth", "keys", "cred")
        if not (sure or _GLUED_HEAD.search(head)):
            return None
    tail = _TAIL.match(text, end)[0]  # type: ignore[index]  # matches ""
    if "." in tail and text[end + len(tail) : end + len(tail) + 1] == "(":
        return None  # a method is called on it
    tail_words = {part.lower() for part in _WORDS_OF_NAME.findall(tail)}
    head_words = {part.lower() for part in _WORDS_OF_NAME.findall(head)}
    if tail_words & _OTHER_TAILS:
        return None
    stem = word[0].lower().rstrip("s")
    if stem == "key" and head_words & _OTHER_HEADS:
        return None
    strong = stem != "key" or bool((head_words | tail_words) & _STRONG_HEADS)
    strong = strong or _GLUED_HEAD.search(head) is not None
    chosen = "secret" in stem or "secret" in head_words or "secret" in tail_words
    return Name(
        at - len(head.lstrip("-")),
        end + len(tail),
        is_password_word,
        strong,
        chosen,
        before[: len(before) - len(head.lstrip("-"))],
    )


def _same_case_letters(text: str, at: int) -> bool:
    """Whether the letters on both sides of a place belong to one word."""
    pair = text[max(0, at - 1) : at + 1]
    return len(pair) == 2 and pair.isalpha() and (pair[1].islower() or pair.isupper())

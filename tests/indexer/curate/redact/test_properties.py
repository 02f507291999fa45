"""What holds for any text: nothing raises, nothing survives, twice is once, and time is linear."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.curate.redact import Kind, redact
from indexer.curate.redact.replace import PRIVATE_IPV4, PRIVATE_IPV6, TOKENS

PIECES = [
    "password", "PASSWORD", "api_key", "secret", "token:", " = ", "=", ": ", '"', "'", "\\", "\n",
    "://", "@", ".", "user:", "hunter2", "p@ss", "1.2.3.4", "54.201.77.3", "2a00:1450:4001::200e",
    "::", "ghp_i0VpEBOWfbZAVaBSo63bbH6xnAbnBL0FhJKp", "AKIAQ7SDFKJ3NZX5WERT", "bob@corp.io",
    "a.b+c@mail.ru", "Zk3Jf9sLq0PxV7bN2mRt8wYc", "-----BEGIN PRIVATE KEY-----\n",
    "MIIEvQIBADANBg",
    "-----END PRIVATE KEY-----", "<KEY>", "<PASSWORD>", "<EMAIL>", "10.37.84.12", "dns ", "--",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.Qm9uZ28tYm9uZ28", "é", "日", "🜚", " ", ",",
    "(", ")",
    "9f86d081884c7d659a2feaa0c55ad015", "Bearer ",
    "Basic dXNlcjpodW50ZXIy", "x", "7", "_", "-", "/",
    "(at)", " dot ", "\\n", "\r\n", "\t", "export ", "<password>", "</password>", ";", "&",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=30).map("".join),
)
ANY_TEXT = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
REPLACEMENTS = (*TOKENS.values(), *PRIVATE_IPV4, *PRIVATE_IPV6)


@ANY_TEXT
@given(TEXTS)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    """A redacted text holds nothing more to redact."""
    once = redact(text).text

    assert redact(once).text == once
    assert redact(once).spans == ()


@ANY_TEXT
@given(TEXTS)
def test_spans_are_exactly_what_changed(text: str) -> None:
    """Outside the spans the text is as it was; each span has become one replacement."""
    redaction = redact(text)

    rest, at = redaction.text, 0
    for span in redaction.spans:
        assert at <= span.start < span.end <= len(text)
        assert rest.startswith(text[at : span.start])
        rest = rest[span.start - at :]
        replacement = next(known for known in REPLACEMENTS if rest.startswith(known))
        rest, at = rest[len(replacement) :], span.end
    assert rest == text[at:]


@ANY_TEXT
@given(TEXTS)
def test_no_found_secret_stands_elsewhere(text: str) -> None:
    """A key or password that was found once (eight characters or more) is nowhere in the result."""
    redaction = redact(text)

    for span in redaction.spans:
        body = text[span.start : span.end]
        mixed = not body.isalpha() and not body.isdigit()
        if span.kind in (Kind.KEY, Kind.PASSWORD) and len(body) >= 8 and mixed:
            assert body not in redaction.text


@given(st.integers(0, 2**32), st.integers(20, 60), st.sampled_from(["api_key", "SECRET", "token"]))
def test_no_piece_of_an_assigned_key_survives(seed: int, length: int, name: str) -> None:
    """Of a random key no eight characters in a row are left."""
    rng = random.Random(seed)  # noqa: S311
    key = "".join(rng.choices(string.ascii_letters + string.digits + "-_", k=length))
    text = f'{name} = "{key}"\nuse("{key}")\n'

    redacted = redact(text).text

    if redacted != text:
        assert not any(key[at : at + 8] in redacted for at in range(length - 7))


HOSTILE = {
    "nothing but a": "a",
    "at signs": "a@",
    "long domains": "a@a.a.a.",
    "dots": "1.",
    "dotted numbers": "1.1.1.",
    "colons": "a:",
    "double colons": "::1",
    "keywords": "password",
    "keywords and blanks": "password    ",
    "keyword quotes": 'password="',
    "open quotes": "api_key='a",
    "backslashes": 'key="\\',
    "assignments": "token=",
    "annotations": "secret: str | None ",
    "calls": "secret=f(",
    "schemes": "a://",
    "user info": "://a:b",
    "user info and at": "://a:b@",
    "begin": "-----BEGIN PRIVATE KEY-----",
    "begin and body": "-----BEGIN PRIVATE KEY-----\nAAAA",
    "putty": "PuTTY-User-Key-File-2: Private-Lines: a\n",
    "prefixes": "ghp_",
    "prefixes with digits": "AKIA1-sk-1",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.",
    "dashes": "-1",
    "base64": "Zk3Jf9sLq0PxV7bN2mRt8wYc/",
    "base64 in quotes": '"Zk3Jf9sLq0PxV7bN2mRt8wYc"\n',
    "addresses": "54.201.77.3 ",
    "e-mails": "bob@corp.io,",
    "spelt out": "a(at)b dot ",
    "options": " -u a:",
    "unicode": "é@é.",
    "markup": "<password>",
    "values of dashes": 'password="a' + "-" * 90 + '!"\n',
    "keys of dashes": "api_secret='a" + "-._" * 60 + "!1'\n",
    "one secret": 'password="aaaaaaaa0001";',
}


@pytest.mark.parametrize("pattern", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_linear_time(pattern: str) -> None:
    """A megabyte of each nasty pattern takes seconds, not hours."""
    text = pattern * (1_000_000 // len(pattern))

    start = time.process_time()
    redact(text)
    elapsed_s = time.process_time() - start

    assert elapsed_s < 20.0


def test_many_secrets_with_the_same_beginning_take_linear_time() -> None:
    """Looking for the repeats of secrets does not compare each with each."""
    text = "".join(f'password = "aaaaaaaa{number:06d}"\n' for number in range(30_000))

    start = time.process_time()
    redaction = redact(text)
    elapsed_s = time.process_time() - start

    assert len(redaction.spans) == 30_000
    assert elapsed_s < 20.0

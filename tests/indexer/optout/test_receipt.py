"""A receipt proves what it says, and nothing of it can be changed unseen."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indexer.index import Index
from indexer.optout import receipt as receipts
from indexer.optout.errors import OptoutError, ReceiptError, SelectorError
from indexer.optout.forget import Outcome, Setting, forget
from indexer.optout.keys import key_path, open_key, parse_public_key, public_key_of
from indexer.optout.receipt import serialise, verify_receipt
from indexer.optout.requery import IndexProbe
from indexer.optout.resolve import resolve
from indexer.optout.selector import parse_selector
from indexer.optout.trained import ModelRelation, related_models, statement
from indexer.source_file import SourceFile

OWNER = "canaryowner"


@pytest.fixture
def outcome(built: Path) -> Outcome:
    """OWNER is forgotten."""
    with Index.open(built) as index:
        shown = resolve(index, parse_selector(owners=[OWNER]))
    return forget(shown, Setting(index=built, openers=[IndexProbe]))


@pytest.fixture
def record(outcome: Outcome) -> dict[str, Any]:
    """The receipt of that, parsed."""
    parsed: dict[str, Any] = json.loads(outcome.receipt.read_bytes())
    return parsed


def sign(record: dict[str, Any]) -> bytes:
    """The record signed by the key that receipts are signed with: a lie of the index's owner."""
    key = open_key(key_path())
    unsigned = {name: value for name, value in record.items() if name != "signature"}
    signature = key.sign(receipts._signed_bytes(unsigned)).hex()
    return serialise({**unsigned, "signature": signature})


def test_it_proves_what_was_done(outcome: Outcome, canaries: list[SourceFile]) -> None:
    """A receipt holds every removed document, asked for again in vain, and by which key."""
    proven = verify_receipt(outcome.receipt.read_bytes())

    assert proven.n_removed == proven.n_asked == len(canaries)
    assert proven.n_questions == 3 * len(canaries)
    assert proven.request == f"owner {OWNER}"
    assert proven.public_key == public_key_of(open_key(key_path()))


def test_it_says_that_asking_works(record: dict[str, Any], canaries: list[SourceFile]) -> None:
    """Documents are asked for before they go as well, and are found then."""
    answers = record["requery"]["answers"]
    found = {one["document_sha256"] for one in answers if one["was_found"]}

    assert len(found) == len(canaries)
    assert {one["was_found"] for one in answers} == {True, None}
    assert {one["is_found"] for one in answers} == {False}


def test_it_repeats_nothing_of_the_text(outcome: Outcome, canaries: list[SourceFile]) -> None:
    """No line of what was removed stands in the receipt."""
    data = outcome.receipt.read_text()

    assert not [line for file in canaries for line in file.text.splitlines() if line in data]


def test_every_changed_byte_is_seen(outcome: Outcome) -> None:
    """Whatever byte is changed (every 7th is tried, and both ends), it does not verify."""
    data = outcome.receipt.read_bytes()
    for position in {*range(0, len(data), 7), *range(200), *range(len(data) - 200, len(data))}:
        forged = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(ReceiptError):
            verify_receipt(forged)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a record that holds no others."""
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, (*path, key))
    else:
        yield path


def test_every_changed_field_is_seen(record: dict[str, Any]) -> None:
    """Whatever single field is given another value, removed or put in, verification fails."""
    for path in leaves(record):
        forged = copy.deepcopy(record)
        holder = forged
        for key in path[:-1]:
            holder = holder[key]
        old = holder[path[-1]]
        others = {str: lambda v: v[::-1] + "0", int: lambda v: v + 1, bool: lambda v: not v}
        holder[path[-1]] = others.get(type(old), lambda _v: 1)(old)
        with pytest.raises(ReceiptError):
            verify_receipt(serialise(forged))
        if isinstance(holder, dict):
            del holder[path[-1]]
            with pytest.raises(ReceiptError):
                verify_receipt(serialise(forged))
    with pytest.raises(ReceiptError, match="other fields"):
        verify_receipt(serialise({**record, "more": 1}))


def test_the_owner_of_the_key_cannot_lie_about_absence(record: dict[str, Any]) -> None:
    """A receipt signed anew, in which a document is swapped for one that is live, does not hold."""
    removed = record["removed"][0]["sha256"]
    live = record["absence"][removed]["right"] or record["absence"][removed]["left"]
    record["removed"][0]["sha256"] = live["leaf"]
    record["absence"][live["leaf"]] = record["absence"].pop(removed)
    record["removed"].sort(key=lambda one: one["sha256"])
    record["requery"]["answers"] = []

    with pytest.raises(ReceiptError, match="does not prove"):
        verify_receipt(sign(record))


def test_a_found_document_fails_it(record: dict[str, Any]) -> None:
    """A transcript in which a removed document was found again proves nothing, though signed."""
    record["requery"]["answers"][0]["is_found"] = True

    with pytest.raises(ReceiptError, match="was found again"):
        verify_receipt(sign(record))


def test_a_document_without_its_proof_fails_it(record: dict[str, Any]) -> None:
    """Each removed document needs its own proof of absence."""
    record["absence"].popitem()

    with pytest.raises(ReceiptError, match="differ"):
        verify_receipt(sign(record))


def test_another_key_is_refused(outcome: Outcome, record: dict[str, Any]) -> None:
    """Against a key that one trusts, a receipt signed by another one fails, however well made."""
    trusted = public_key_of(open_key(key_path()))
    data = outcome.receipt.read_bytes()
    stranger = Ed25519PrivateKey.generate()
    unsigned = {key: value for key, value in record.items() if key != "signature"}
    unsigned["public_key"] = public_key_of(stranger)
    signature = stranger.sign(receipts._signed_bytes(unsigned)).hex()
    forged = serialise({**unsigned, "signature": signature})

    assert verify_receipt(data, public_key=trusted).public_key == trusted
    assert verify_receipt(forged).public_key != trusted
    with pytest.raises(ReceiptError, match="was signed with the key"):
        verify_receipt(forged, public_key=trusted)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"null", b"\xff", b'{"a":' * 5000])
def test_no_receipt(data: bytes) -> None:
    """What is no receipt is refused with a reason."""
    with pytest.raises(ReceiptError, match="it is no"):
        verify_receipt(data)


def test_the_key_is_made_once_for_its_owner_only(home: Path) -> None:
    """The key is made on first use, stays the same, and nobody else can read it."""
    first, second = open_key(key_path()), open_key(key_path())

    assert key_path() == home / "keys" / "receipts.ed25519"
    assert public_key_of(first) == public_key_of(second)
    assert key_path().stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key_path().parent.iterdir()] == [key_path().name]


def test_a_damaged_key_is_no_new_key(home: Path) -> None:
    """A key file that cannot be used is named, and never overwritten."""
    key_path().parent.mkdir(parents=True)
    key_path().write_text("zz")

    with pytest.raises(OptoutError, match=re.escape(str(key_path()))):
        open_key(key_path())
    assert key_path().read_text() == "zz"


def test_a_public_key_is_digits_or_their_file(tmp_path: Path) -> None:
    """A trusted key is given as its digits or as a file of them; anything else is refused."""
    (tmp_path / "key.pub").write_text("ab" * 32 + "\n")
    (tmp_path / "none").write_text("hello")

    assert parse_public_key("ab" * 32) == parse_public_key(str(tmp_path / "key.pub")) == "ab" * 32
    for value in ("ab", str(tmp_path / "none")):
        with pytest.raises(SelectorError, match="hexadecimal"):
            parse_public_key(value)


def test_models_say_what_they_were_trained_on(tmp_path: Path) -> None:
    """Models are told apart by what they say; one that says nothing is not excused."""
    for name, text in {
        "a": '{"corpus_digest": "now"}',
        "b": '{"corpus_digest": "then"}',
        "c": '{"corpus_digest": "other"}',
        "d": "{}",
        "e": "broken",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(text)
    models = related_models([tmp_path], {"now"}, {"now", "then"})

    assert [(one.name, one.relation) for one in models] == [
        ("a", "trained_on"),
        ("b", "earlier_corpus"),
        ("c", "other_corpus"),
        ("d", "unknown"),
        ("e", "unknown"),
    ]
    said = statement(models)
    assert "held what is removed: a." in said
    assert "may have held it: b." in said
    assert "not known: d, e." in said
    assert statement([]).startswith("No installed model says")
    assert ModelRelation(name="x", corpus_digest="", relation="unknown") not in models

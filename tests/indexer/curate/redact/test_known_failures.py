"""Inputs on which the tools that redacted StarCoder's training data fail (see each docstring)."""

from __future__ import annotations

import random
import string

from indexer.curate.redact import Kind, redact

TOKEN = "ghp_i0VpEBOWfbZAVaBSo63bbH6xnAbnBL0FhJKp"
AWS_KEY = "AKIAQ7SDFKJ3NZX5WERT"


def test_a_github_token_leaves_no_body_behind() -> None:
    """Detect-secrets reports only the group `ghp`, so that `<KEY>_i0Vp…` keeps the secret."""
    redaction = redact(f'token = "{TOKEN}"\n')

    assert redaction.text == 'token = "<KEY>"\n'


def test_a_word_with_sha_in_it_does_not_turn_key_detection_off() -> None:
    """In a short file one `shared` or `natasha` made the anchor take the file for one of hashes."""
    redaction = redact(f'segment = shared_memory()  # by natasha\nkey_id = "{AWS_KEY}"\n')

    assert AWS_KEY not in redaction.text
    assert [span.kind for span in redaction.spans] == [Kind.KEY]


def test_a_private_key_block_is_a_key() -> None:
    """The anchor's detector of private keys was commented out."""
    random_bytes = random.Random(5)  # noqa: S311
    alphabet = string.ascii_letters + string.digits + "+/"
    lines = ["".join(random_bytes.choices(alphabet, k=64)) for _ in range(12)]
    text = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(lines)
    text += "\n-----END RSA PRIVATE KEY-----\n"

    redacted = redact(text).text

    assert redacted == "-----BEGIN RSA PRIVATE KEY-----\n<KEY>\n-----END RSA PRIVATE KEY-----\n"


def test_an_assigned_password_is_a_password() -> None:
    """The anchor's keyword detector was commented out."""
    assert redact('password = "hunter2"').text == 'password = "<PASSWORD>"'


def test_the_password_of_a_url_is_a_password() -> None:
    """The anchor's detector of basic authentication was commented out."""
    assert redact("postgres://u:p@h").text == "postgres://u:<PASSWORD>@h"


def test_words_after_an_address_count_at_the_top_of_a_long_file() -> None:
    """The anchor looked 100 characters back with a slice whose start went negative."""
    filler = "x = 1\n" * 400
    at_the_top = redact("1.2.3.4 is our dns server\n" + filler)
    in_the_middle = redact(filler + "1.2.3.4 is our dns server\n" + filler)

    assert [span.kind for span in at_the_top.spans] == [Kind.IP_ADDRESS]
    assert [span.kind for span in in_the_middle.spans] == [Kind.IP_ADDRESS]


def test_four_small_numbers_without_such_words_are_a_version() -> None:
    """Seven characters x.x.x.x are a version unless a word near by speaks of addresses."""
    assert redact("x = 1\ny = '1.2.3.4'\n").spans == ()


def test_adjacent_keys_get_no_stray_blanks() -> None:
    """The anchor wrote `k1=<KEY> <KEY>` for two keys that touch."""
    second = "AKIA5NBXGTR3QWUZ72LM"

    assert redact(f"k1={AWS_KEY},{second}").text == "k1=<KEY>,<KEY>"
    assert redact(f"k1={AWS_KEY} {second}").text == "k1=<KEY> <KEY>"


def test_a_secret_at_the_very_beginning_gets_no_blank_before_it() -> None:
    """The anchor also put a blank before a span at offset 0."""
    assert redact(f"{TOKEN}\n").text == "<KEY>\n"


def test_overlapping_finds_are_one_span() -> None:
    """The anchor did not merge spans, so the second replacement cut through the first."""
    redaction = redact(f'api_key = "{TOKEN}"')

    assert redaction.text == 'api_key = "<KEY>"'
    assert len(redaction.spans) == 1


def test_the_replacement_address_is_nobodys() -> None:
    """Datatrove's formatter writes public addresses in the place of public addresses."""
    redacted = redact("ping 54.201.77.3").text
    first, second = redacted.split(" ")[1].split(".")[:2]

    assert "54.201.77.3" not in redacted
    assert first == "10" or (first, second) == ("192", "168") or first == "172"

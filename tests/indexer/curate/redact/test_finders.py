"""What each family of rules takes out, and what it keeps on purpose."""

from __future__ import annotations

import base64
import random
import string
import zlib

import pytest

from indexer import Origin, SourceFile
from indexer.curate.redact import Kind, redact
from indexer.curate.redact.formats import FORMATS, crc32_base62, json_header
from indexer.curate.redact.redaction import step_redact

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEX = "0123456789abcdef"
SAMPLES = {  # the characters of a body and their number
    "github": (BASE62, 36),
    "github fine-grained": (BASE62, 82),
    "gitlab": (BASE62, 20),
    "aws access key": ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "google api": (BASE62, 35),
    "google oauth secret": (BASE62, 28),
    "google access": (BASE62, 60),
    "stripe": (BASE62, 24),
    "square": (BASE62, 22),
    "shopify": (HEX, 32),
    "twilio": (HEX, 32),
    "npm": (BASE62, 36),
    "pypi": (BASE62, 80),
    "rubygems": (HEX, 48),
    "docker": (BASE62, 27),
    "artifactory": (BASE62, 69),
    "openai project": (BASE62, 60),
    "anthropic": (BASE62, 90),
    "hugging face": (string.ascii_letters, 34),
    "groq": (BASE62, 52),
    "replicate": (BASE62, 37),
    "databricks": (HEX, 32),
    "digitalocean": (HEX, 64),
    "netlify": (BASE62, 36),
    "supabase": (HEX, 40),
    "vault": (BASE62, 40),
    "linear": (BASE62, 40),
    "pulumi": (HEX, 40),
    "tailscale": (BASE62, 24),
    "figma": (BASE62, 40),
    "sonarqube": (HEX, 40),
    "new relic": (string.ascii_uppercase + string.digits, 27),
}


def found(text: str) -> list[tuple[str, str]]:
    return [(str(span.kind), text[span.start : span.end]) for span in redact(text).spans]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("# by Ann <ann.b@corp.io>, 2019", "ann.b@corp.io"),
        ('author="o\'neil@web.de"', "neil@web.de"),
        ("mailto:x+y@cs.uni-bonn.de?subject=", "x+y@cs.uni-bonn.de"),
        ("'a@b.photography'", "a@b.photography"),
        ("printf('\\nbob@corp.io')", "bob@corp.io"),
        ("write to jörg@mail.de.", "jörg@mail.de"),
        ("bob (at) corp (dot) com", "bob (at) corp (dot) com"),
        ("bob[at]corp.com", "bob[at]corp.com"),
    ],
)
def test_addresses_are_found(text: str, address: str) -> None:
    """Whatever surrounds an e-mail address, it goes, and with it nothing else of the text."""
    spans = found(text)

    assert len(spans) == 1
    assert spans[0][0] == "EMAIL"
    assert spans[0][1].endswith(address)
    assert len(spans[0][1]) <= len(address) + 2


@pytest.mark.parametrize(
    "text",
    [
        "jane@example.com a@example.org x@host.invalid y@corp.test root@localhost",
        "git@github.com:owner/repo.git",
        "y = x@self.weight.t()",
        "out = a@b.to(device)",
        "@decorator.name",
        "logo@2x.png",
        "package@1.2.3",
        "https://user@host.com/path",
    ],
)
def test_what_is_no_ones_address_is_kept(text: str) -> None:
    """Reserved names, SSH remotes, matrix products, decorators and packages are no addresses."""
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 10.1.2.3 192.168.0.7 172.20.1.1 169.254.3.4 192.0.2.44 203.0.113.9 0.0.0.0",
        "8.8.8.8 8.8.4.4 1.1.1.1 9.9.9.9 208.67.222.222 94.140.14.14 2606:4700:4700::1111",
        "255.255.255.0 224.0.0.251 41.96.0.0/12",
        "version 101.44.55.66, foo==54.33.22.11, Chrome/99.88.77.66, nginx-54.3.2.1.tar.gz",
        "300.1.2.3 and 1.2.3.4.5 and 01.02.03.04",
        "std::dec face::add 12:34:56 00:1a:2b:3c:4d:5e a[::2] 2001:db8::1 ::1 fe80::1",
        "oid = '2.5.29.117'",
    ],
)
def test_what_reaches_no_ones_machine_is_kept(text: str) -> None:
    """Reserved ranges, well-known resolvers, masks, networks, versions, times and scopes stay."""
    assert found(text) == []


def test_addresses_that_reach_machines_are_found() -> None:
    """Public IPv4 and IPv6 addresses go; the same address gets the same private one."""
    text = "a = '54.201.77.3'; b = '54.201.77.3:80'; c = '91.3.4.5'; d = '2a00:1450:4001:81b::200e'"

    first, *_, last = redact(text).spans
    words = redact(text).text.replace(":80", "").split("'")

    assert (first.kind, last.kind) == (Kind.IP_ADDRESS, Kind.IP_ADDRESS)
    assert words[1] == words[3] != words[5]
    assert words[7].startswith("fd")


def test_every_prefix_of_the_table_is_found_with_a_random_body() -> None:
    """A token of any format is found in a plain string, though no name says what it is."""
    rng = random.Random(11)  # noqa: S311
    missed = []
    for name, body in SAMPLES.items():
        for prefix in next(known.prefixes for known in FORMATS if known.name == name):
            value = prefix + "".join(rng.choices(body[0], k=body[1]))
            if f'f("{value}")'.replace(value, "<KEY>") != redact(f'f("{value}")').text:
                missed.append(value)

    assert missed == []


def test_the_checksum_of_github_and_npm_tokens() -> None:
    """The last six characters are the CRC-32 of the rest in base 62; anything else is no proof."""
    body = "i0VpEBOWfbZAVaBSo63bbH6xnAbnBL"
    number, check = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        check = BASE62[digit] + check

    assert crc32_base62(f"ghp_{body}{check.rjust(6, '0')}") is True
    assert crc32_base62(f"ghp_{body}000000") is None


def test_only_a_json_header_makes_a_jwt() -> None:
    """Three parts with dots are a JWT if the first is a JSON object with `alg` or `typ`."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")

    assert json_header(f"{header}.e30.c2ln") is True
    assert json_header("eyJub3QganNvbg.e30.c2ln") is False


def test_a_jwt_in_a_url_goes_with_its_escaped_signs() -> None:
    """A signature with `%5F` in it is one token, so that none of it is left behind."""
    header = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
    token = f"{header}.eyJraWQiOiJmYTA0YjViMzQ.Zk3Jf9sLq0Px%5F0BlPiwU7iW4pqb4lKkznbK"

    assert redact(f"'https://x.io/{token}/a'").text == "'https://x.io/<KEY>/a'"


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("password = '", "hunter2", "'"),
        ("DB_PASSWORD=", "hunter2", "\n"),
        ("database:\n  password: ", "s3cr3t-pw", "\n"),
        ('"password": "', "p@ssw0rd!", '",'),
        ("'password' => '", "hunter2", "',"),
        ("<password>", "hunter2", "</password>"),
        ('<property name="password" value="', "hunter2", '"/>'),
        ("Server=db;User Id=sa;Password=", "Xy7!kk2", ";Encrypt=yes"),
        ("mongodb+srv://app:", "hunter2", "@cluster0.mongodb.net/x"),
        ("mysql --password=", "hunter2", " -u root"),
        ("curl -u admin:", "hunter22", " http://x"),
        ("CREATE USER a IDENTIFIED BY '", "hunter2", "';"),
        ("smtp.login('me', '", "hunter22", "')"),
        ("machine h\n  login me\n  password ", "hunter2", "\n"),
        ("os.environ.get('DB_PASSWORD', '", "hunter2", "')"),
        ("Authorization: Basic ", "bWU6aHVudGVyMg==", "\n"),
    ],
)
def test_passwords_are_found_in_many_notations(before: str, secret: str, after: str) -> None:
    """A password goes wherever a name or its place gives it away, and nothing around it does."""
    assert redact(before + secret + after).text == f"{before}<PASSWORD>{after}"


@pytest.mark.parametrize(
    "text",
    [
        "def login(password: str, token: str | None = None) -> None: ...",
        "password = getpass('Password: ')",
        'password = "<your-password>"',
        "password: ${DB_PASSWORD}",
        'label["password"] = "Enter your password"',
        'password_field = "hunter2"',
        "interface A { password: string; secret: Uint8Array }",
        "if token == other_token1: pass",
        'token_type = "bearer"',
        "If you pass `split_batches=True` it works",
        "password = password.encode('latin1')",
        "primary_key = 'a8f5f167f44f4964e6c998dee827110c'",
        "sha256 = '9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015'",
        "uuid = '123e4567-e89b-12d3-a456-426614174000'",
        '"integrity": "sha512-Zk3Jf9sLq0PxV7bN2mRt8wYcZk3Jf9sLq0PxV7bN2mRt8wYcAAAA=="',
        "class TestUtf8DecodeErrorsInMode2Again: name = 'TestUtf8DecodeErrorsInMode2Again'",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n"
        "-----END CERTIFICATE-----",
    ],
)
def test_what_only_speaks_of_secrets_is_kept(text: str) -> None:
    """Types, labels, placeholders, calls, hashes, identifiers and certificates stay."""
    assert found(text) == []


def test_a_key_without_a_name_is_found_by_its_randomness() -> None:
    """A random string that is a whole quoted value is a key; the same length of words is not."""
    assert found('Foo("Zk3Jf9sLq0PxV7bN2mRt8wYc")') == [("KEY", "Zk3Jf9sLq0PxV7bN2mRt8wYc")]
    assert found('Foo("ReadTheDocumentation2Times")') == []


def test_a_secret_goes_everywhere_once_it_is_known() -> None:
    """What a name gave away in one line is taken out of lines without a name, too."""
    text = (
        "api_key = '9f86d081884c7d659a2feaa0c55ad015'\nconnect('9f86d081884c7d659a2feaa0c55ad015')"
    )

    assert redact(text).text == "api_key = '<KEY>'\nconnect('<KEY>')"


def test_a_short_secret_at_the_end_is_not_taken_for_a_longer_one() -> None:
    """Two secrets that begin alike keep their own lengths, at the end of a text as well."""
    text = "eyJhbGciOiI00I00JiJ9.0000000000:eyJhbGci00000000G0G0"

    assert max(span.end for span in redact(text).spans) <= len(text)


def test_the_step_changes_nothing_but_the_text() -> None:
    """The step of curation gives back the same record with a redacted text."""
    origin = Origin(
        source="pypi", name="a", version="1", path="a.py", spdx_id="MIT", license_evidence="x"
    )
    file = SourceFile(text="password = 'hunter2'\n", language="python", origin=origin)
    clean = SourceFile(text="x = 1\n", language="python", origin=origin)

    assert step_redact(file).text == "password = '<PASSWORD>'\n"
    assert step_redact(file).origin == origin
    assert step_redact(clean) is clean

from __future__ import annotations

import base64
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.config import CurateConfig
from indexer.curate.encoded import check_encoded, find_encoded
from indexer.curate.pipeline import Drop

CONFIG = CurateConfig()
CODE = "".join(f"def name_{n}(first):\n    return first + {n}\n\n\n" for n in range(400))
NOISE = random.Random(7).randbytes(3000)  # noqa: S311 - it only has to look random
BASE64 = base64.b64encode(NOISE).decode()


def _wrapped(text: str, before: str, after: str) -> str:
    return "\n".join(f"{before}{text[i : i + 76]}{after}" for i in range(0, len(text), 76))


@pytest.mark.parametrize(
    "data",
    [
        BASE64,
        NOISE.hex(),
        base64.encodebytes(NOISE).decode(),
        _wrapped(BASE64, '    "', '"'),
        _wrapped(BASE64, '    "', '\\n" +'),
        _wrapped(NOISE.hex(), "    b'", "'"),
        ", ".join(f"0x{byte:02x}" for byte in NOISE),
        "".join(f"\\x{byte:02x}" for byte in NOISE),
        "".join(f"\\u{byte + 0x4E00:04x}" for byte in NOISE),
    ],
    ids=["base64", "hex", "mime", "strings", "sum", "bytes", "array", "escapes", "unicode"],
)
def test_a_long_run_of_encoded_data_goes(make_record, data: str) -> None:
    """However the data is wrapped, more than 1,024 characters of it drop the file."""
    outcome = check_encoded(make_record(f'{CODE}DATA = (\n"{data}"\n)\n'), config=CONFIG)

    assert isinstance(outcome, Drop)
    assert outcome.reason == "encoded data"


def test_a_share_above_one_half_goes(make_record) -> None:
    """Many short keys that make up most of a file are data; a few in much code are not."""
    keys = "".join(
        f'K{n} = "{hashlib.sha256(b"%d" % n).hexdigest()}"  # key {n}\nprint(K{n}, "it")\n'
        for n in range(40)
    )

    assert not isinstance(check_encoded(make_record(CODE + keys), config=CONFIG), Drop)
    bare = "".join(f"k({hashlib.sha256(b'%d' % n).hexdigest()!r}); use(it)\n" for n in range(40))
    assert check_encoded(make_record(bare), config=CONFIG) == Drop("mostly encoded data", "0.810")


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "# " + "/" * 3000 + "\n",
        "a" * 3000,
        "\n".join(f"some/long/path/of/words/that/goes/on/and/on/file{n}" for n in range(200)),
        "\n".join(
            f"thisIsAVeryLongCamelCaseNameOfATestThatSaysWhatItTests{n}()" for n in range(99)
        ),
        ", ".join(str(n) for n in range(2000)),
    ],
    ids=["code", "ruler", "letters", "paths", "names", "numbers"],
)
def test_what_people_write_is_not_encoded(make_record, text: str) -> None:
    """Code, rulers, paths, long names and decimal tables stay."""
    file = make_record(text)

    assert check_encoded(file, config=CONFIG) is file


@given(st.binary(max_size=400), st.binary(min_size=40, max_size=200))
def test_found_ranges_are_in_order_and_disjoint(noise: bytes, data: bytes) -> None:
    """Whatever the text, ranges lie in it, do not overlap and come in order."""
    text = noise + base64.b64encode(data) + b"\\u00e9" * 9 + noise + data.hex().encode()

    found = find_encoded(text)

    edges = [edge for span in found for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end in found)

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.curate.config import CurateConfig, parse_config, read_config
from indexer.curate.errors import CurateConfigError


def test_some_keys_change_and_the_others_keep_their_defaults(tmp_path: Path) -> None:
    """A file states only what differs."""
    path = tmp_path / "c.toml"
    path.write_text('max_line_chars = 500\nmin_html_text_share = 1\nlicenses = ["MIT", "ISC"]\n')

    config = read_config(path)

    expected = CurateConfig(max_line_chars=500, min_html_text_share=1.0, licenses=("ISC", "MIT"))
    assert config == expected
    assert config.digest() == expected.digest() != CurateConfig().digest()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"max_line_char": 5}, "unknown key 'max_line_char'; the nearest is 'max_line_chars'"),
        ({"max_line_chars": "5"}, "max_line_chars is '5', not a whole number from 1 to 1e+09"),
        ({"max_line_chars": 2.5}, "max_line_chars is 2.5, not a whole number"),
        ({"max_line_chars": True}, "max_line_chars is True"),
        ({"max_encoded_share": 1.5}, "max_encoded_share is 1.5, not a number from 0 to 1"),
        ({"licenses": "MIT"}, "licenses is 'MIT', not a list of SPDX ids"),
    ],
)
def test_what_no_rule_can_use_is_refused_by_name(table: dict[str, object], message: str) -> None:
    """The message names the key, the value and what would do."""
    with pytest.raises(CurateConfigError) as caught:
        parse_config(table)

    assert message in str(caught.value)


def test_a_file_that_is_missing_or_no_toml_is_one_line(tmp_path: Path) -> None:
    """The path stands in the message."""
    broken = tmp_path / "broken.toml"
    broken.write_text("max_line_chars =")

    for path in (broken, tmp_path / "none.toml"):
        with pytest.raises(CurateConfigError, match=path.name):
            read_config(path)

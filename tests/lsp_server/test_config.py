"""Settings: read from whatever an editor sends, refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.config import Settings, read_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["completion", "attribution", "model", "maxTokens", "completion.model", ""]
            )
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "raw",
    [
        {"completion": {"maxTokens": 7}},
        {"starcite": {"completion": {"maxTokens": 7}}},
        {"completion.maxTokens": 7},
        {"starcite.completion.maxTokens": 7},
    ],
)
def test_settings_are_read_nested_dotted_or_under_the_section(raw: dict[str, Any]) -> None:
    """Editors send settings in several shapes; all of them mean the same."""
    settings, problems = read_settings(raw)

    assert (settings.completion.max_tokens, problems) == (7, [])


def test_nothing_sent_means_the_defaults() -> None:
    """No settings, and null for a setting, are no mistake."""
    assert read_settings(None) == (Settings(), [])
    assert read_settings({"completion": {"model": None}}) == (Settings(), [])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            {"completion": {"modle": "x"}},
            "starcite.completion.modle is not a setting of Starcite; "
            "did you mean starcite.completion.model?",
        ),
        (
            {"completion": {"maxTokens": 0}},
            "starcite.completion.maxTokens is 0, which is not between 1 and 512; "
            "the default 32 is used",
        ),
        (
            {"completion": {"enabled": 1}},
            "starcite.completion.enabled is 1, which is not true or false; "
            "the default True is used",
        ),
        (
            {"completion": {"multiline": "maybe"}},
            "starcite.completion.multiline is 'maybe', which is none of 'auto', 'always', 'never'; "
            "the default 'auto' is used",
        ),
        (
            {"server": {"command": "starcite"}},
            "starcite.server.command is 'starcite', which is not a list of strings; "
            "the default [] is used",
        ),
        (
            {"completion": 3},
            "starcite.completion holds 3, which is not an object; the defaults are used",
        ),
        (["x"], "starcite holds ['x'], which is not an object; the defaults are used"),
    ],
)
def test_a_bad_setting_is_named_and_replaced_by_its_default(raw: Any, said: str) -> None:
    """The user learns which key is wrong and why, and everything goes on with the default."""
    assert read_settings(raw) == (Settings(), [said])


def test_good_settings_stand_beside_bad_ones() -> None:
    """One bad value costs only itself."""
    settings, problems = read_settings({"completion": {"maxTokens": "many", "model": "mine"}})

    assert (settings.completion.model, settings.completion.max_tokens) == ("mine", 32)
    assert len(problems) == 1


@given(JSON)
def test_no_json_breaks_the_reader(raw: Any) -> None:
    """Whatever is sent, settings come back."""
    settings, problems = read_settings(raw)

    assert isinstance(settings, Settings)
    assert all(isinstance(problem, str) for problem in problems)

"""Prompts are what each family was trained on, byte for byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.prompt import FAMILIES, build_prompt, detect_family, heal, neutralise

PREFIX, SUFFIX = "def f(x):\n    return ", "\n\n\ndef g(y):\n"

GOLDEN = [
    (
        "starcoder",
        "psm",
        "<fim_prefix>def f(x):\n    return <fim_suffix>\n\n\ndef g(y):\n<fim_middle>",
    ),
    (
        "starcoder",
        "spm",
        "<fim_prefix><fim_suffix>\n\n\ndef g(y):\n<fim_middle>def f(x):\n    return ",
    ),
    (
        "starcoder2",
        "psm",
        "<fim_prefix>def f(x):\n    return <fim_suffix>\n\n\ndef g(y):\n<fim_middle>",
    ),
    (
        "santacoder",
        "psm",
        "<fim-prefix>def f(x):\n    return <fim-suffix>\n\n\ndef g(y):\n<fim-middle>",
    ),
    (
        "qwen2.5-coder",
        "psm",
        "<|fim_prefix|>def f(x):\n    return <|fim_suffix|>\n\n\ndef g(y):\n<|fim_middle|>",
    ),
    ("smollm2", "psm", "def f(x):\n    return "),
]


@pytest.mark.parametrize(("family", "layout", "expected"), GOLDEN)
def test_golden_prompts(family: str, layout: str, expected: str) -> None:
    """Sentinels and order are those of the family's training."""
    actual = build_prompt(FAMILIES[family], PREFIX, SUFFIX, layout)  # type: ignore[arg-type]

    assert expected == actual


def test_a_family_without_spm_is_prompted_as_psm() -> None:
    """SPM is asked of a model only if it was trained on it."""
    starcoder2 = FAMILIES["starcoder2"]

    assert build_prompt(starcoder2, "a", "b", "spm") == build_prompt(starcoder2, "a", "b", "psm")


def test_families_are_recognised_by_their_tokens() -> None:
    """The control tokens of a vocabulary name its family."""
    vocabularies = {
        "starcoder": {"<fim_prefix>", "<fim_middle>", "<reponame>"},
        "starcoder2": {"<fim_prefix>", "<file_sep>", "<repo_name>"},
        "qwen2.5-coder": {"<|fim_prefix|>", "<|file_sep|>"},
        "smollm2": {"<jupyter_start>", "<repo_name>", "<file_sep>", "<|im_start|>"},
        "prefix": {"<s>", "</s>"},
    }
    actual = {name: detect_family(tokens) for name, tokens in vocabularies.items()}

    assert {name: name for name in vocabularies} == actual


def test_stop_strings_never_occur_in_ordinary_code() -> None:
    """A stop string is a control token: `t.`, `//` or a fence would end ordinary completions."""
    stops = {stop for family in FAMILIES.values() for stop in family.stop}

    assert [stop for stop in stops if not re.fullmatch(r"<\|?\w+\|?>", stop)] == []


@pytest.mark.parametrize(
    "token",
    sorted(
        {"<|im_start|>", "<|endoftext|>", "<file_sep>", "<reponame>", "<jupyter_start>", "<s>"}
        | {token for family in FAMILIES.values() for token in family.sentinels or ()}
        | {token for family in FAMILIES.values() for token in family.stop}
    ),
)
def test_control_tokens_in_the_users_text_are_broken_up(token: str) -> None:
    """No control token of any family survives in what the user wrote."""
    assert token not in neutralise(f"x = '{token}'")
    assert neutralise(f"<{token}") == f"<{neutralise(token)}"


@given(st.text(alphabet="<|>fimpre_/s ab=(", max_size=40))
def test_neutralising_only_adds_spaces(text: str) -> None:
    """Nothing is lost, and doing it again changes nothing."""
    once = neutralise(text)

    assert once.replace(" ", "") == text.replace(" ", "")
    assert neutralise(once) == once


@given(st.text(alphabet="ab \n\t(.é", max_size=20))
def test_healing_splits_without_loss(prefix: str) -> None:
    """The prompt and the forced piece together are the prefix, and the piece is never empty."""
    kept, forced = heal(prefix)

    assert kept + forced == prefix
    assert bool(forced) == bool(prefix)


def test_healing_cuts_the_last_piece() -> None:
    """The last word with its space, a run of whitespace, or one other character."""
    cases = {
        "x = fo": ("x =", " fo"),
        "x = ": ("x =", " "),
        "self.na": ("self.", "na"),
        "foo(": ("foo", "("),
        "def f():\n    ": ("def f():", "\n    "),
        "done\n": ("done", "\n"),
    }
    actual = {prefix: heal(prefix) for prefix in cases}

    assert cases == actual

"""The rules of postprocessing, one by one and together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.postprocess import RULES, RuleContext, has_ended, postprocess
from lsp_server.postprocess.brackets import open_quote, unmatched_closers
from lsp_server.postprocess.extent import cut_to_line_or_block

CODE = st.text(alphabet="ab1 .,:=()[]{}'\"\\\n\té你", max_size=40)


def context_of(text: str, *, multiline: bool = False) -> RuleContext:
    prefix, suffix = text.split("│")
    return RuleContext(prefix=prefix, suffix=suffix, multiline=multiline)


@given(prefix=CODE, suffix=CODE, says=CODE, multiline=st.booleans())
def test_the_rules_only_shorten_and_are_idempotent(
    prefix: str, suffix: str, says: str, multiline: bool
) -> None:
    """A completion is only ever shortened, and applying the rules twice changes nothing."""
    context = RuleContext(prefix=prefix, suffix=suffix, multiline=multiline)
    once = postprocess(says, context)

    assert once is None or (once and len(once) <= len(says))
    assert once == (postprocess(once, context) if once else None)


@given(prefix=CODE, suffix=CODE, says=CODE)
def test_one_line_stays_one_line(prefix: str, suffix: str, says: str) -> None:
    """Where no block may be proposed, a completion holds no newline."""
    completion = postprocess(says, RuleContext(prefix=prefix, suffix=suffix)) or ""

    assert "\n" not in completion


@given(prefix=CODE, says=st.text(alphabet="ab \n\t)", max_size=60), multiline=st.booleans())
def test_stopping_early_shows_what_waiting_would_have(
    prefix: str, says: str, multiline: bool
) -> None:
    """Once a line or block has ended, what the model writes later makes no difference."""
    context = RuleContext(prefix=prefix, suffix="\n", multiline=multiline)
    lengths = [n for n in range(len(says) + 1) if has_ended(says[:n], context)]
    early = {cut_to_line_or_block(says[:n], context) for n in lengths}

    assert early <= {cut_to_line_or_block(says, context)}


def test_every_rule_lets_plain_code_pass() -> None:
    """No rule touches a completion that collides with nothing."""
    context = context_of("def f(x):\n    return │\n\n\ndef g():\n    pass\n")
    results = {rule.__name__: rule("x + 1", context) for rule in RULES}

    assert results == dict.fromkeys(results, "x + 1")


def test_a_newline_at_once_means_the_line_is_complete() -> None:
    """A model that begins with a newline has nothing to add to the line."""
    assert postprocess("\n    y = 2", context_of("x = 1│\n")) is None


def test_a_block_keeps_its_closing_bracket() -> None:
    """A closer at the opener's indentation belongs to the block and ends it."""
    context = context_of("xs = [\n    │\n", multiline=True)
    actual = cut_to_line_or_block("1,\n    2,\n]\nys = 3", context)

    assert actual == "1,\n    2,\n]"


def test_open_quote_sees_escapes_and_comments() -> None:
    """The quote that is open at the end of a line, and none in a comment."""
    lines = ['print("', 'print("a")', r'print("a\"', "x = 'it\"", "# don't", 'f\'{a["b"]}']

    assert [open_quote(line) for line in lines] == ['"', "", '"', "'", "", "'"]


def test_unmatched_closers_are_those_without_an_opener() -> None:
    """Only closers whose opener is not in the text itself, wherever strings begin or end."""
    texts = ["a, b)", "foo(bar)", "x[0])]", "')')", 'hello")']
    quotes = ["", "", "", "", '"']
    actual = [unmatched_closers(text, quote) for text, quote in zip(texts, quotes, strict=True)]

    assert actual == [[4], [], [4, 5], [3], [5, 6]]

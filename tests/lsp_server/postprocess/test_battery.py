"""The battery: twelve ways in which a completion and the text after the cursor can collide."""

from __future__ import annotations

import pytest

from lsp_server.postprocess import RuleContext, postprocess

# name, text with the cursor as │, what the model says, the document after accepting
BATTERY = [
    ("S1", "foo(│)\n", "a, b)", "foo(a, b)\n"),
    ("S2", 'print("│")\n', 'hello")', 'print("hello")\n'),
    ("S3", "call(│)\n", "foo(bar) + baz", "call(foo(bar) + baz)\n"),
    ("S4", "x = │ if ok else None\n", "load(path)", "x = load(path) if ok else None\n"),
    ("S5", "x = │.strip()\n", "load(path).strip()", "x = load(path).strip()\n"),
    (
        "S6",
        "def f():\n    │\n    return x\n",
        "x = 1\n    return x",
        "def f():\n    x = 1\n    return x\n",
    ),
    ("S7", "def f():\n    │\n    return x\n", "return x", "def f():\n    \n    return x\n"),
    (
        "S8",
        "function f() {\n  │\n}\n",
        "return 1;\n}",
        "function f() {\n  return 1;\n}\n",
    ),
    (
        "S9",
        "if (a) {\n  │\n} else {\n  b();\n}\n",
        "c();\n}",
        "if (a) {\n  c();\n} else {\n  b();\n}\n",
    ),
    ("S10", "a = [│]\n", "x[0], y[1]", "a = [x[0], y[1]]\n"),
    ("S11", "a = 1\n│\nb = 2\nc = 3\n", "z = 0\nb = 2\nc = 3", "a = 1\nz = 0\nb = 2\nc = 3\n"),
    ("S12", 'print("│你好")\n', "hello, ", 'print("hello, 你好")\n'),
    # beyond the twelve
    ("closer and more", "foo(│)\n", "a, b):", "foo(a, b)\n"),
    ("closer inside a string", 'f(")", │)\n', 'g(")"))', 'f(")", g(")"))\n'),
    ("dictionary", "d = {│}\n", '"a": {1}, "b": {2}', 'd = {"a": {1}, "b": {2}}\n'),
    ("escaped quote", "s = '│'\n", r"it\'s'", "s = 'it\\'s'\n"),
    ("operator", "total = a │+ b\n", "* c + b", "total = a * c + b\n"),
    ("half a word is no overlap", "x = │name\n", "rename", "x = renamename\n"),
    ("leaked sentinel", "x = │\n", "1<|endoftext|>y", "x = 1\n"),
    ("fence", "x = │\n", "1\n```\nThat is", "x = 1\n"),
    ("only whitespace", "x = │\n", "   \n", "x = \n"),
    ("loop", "x = │\n", "foo.bar.foo.bar.foo.bar.foo.bar", "x = \n"),
    ("table of zeros", "x = [│]\n", "0, 0, 0, 0, 0, 0", "x = [0, 0, 0, 0, 0, 0]\n"),
    (
        "dedent ends a block",
        "def f():\n    │\n",
        "a = 1\n    b = 2\nc = 3",
        "def f():\n    a = 1\n    b = 2\n",
    ),
    (
        "block repeats itself",
        "def f():\n    │\n",
        "call(one)\n    call(one)\n",
        "def f():\n    call(one)\n",
    ),
    ("trailing whitespace", "x = │\n", "1  ", "x = 1\n"),
    (
        "further indentation",
        "if (a) {\n  │\n}\n",
        "  b();\n    if (c) {\n      d();\n    }",
        "if (a) {\n  b();\n  if (c) {\n    d();\n  }\n}\n",
    ),
    (
        "indentation where there is none yet",
        "def f():\n│\n",
        "    return 1",
        "def f():\n    return 1\n",
    ),
    ("carriage return", "x = (│\r\n", "1)\r\ny", "x = (1)\r\n"),
]


def shown(text: str, says: str, *, multiline: bool = True) -> str:
    prefix, suffix = text.split("│")
    context = RuleContext(prefix=prefix, suffix=suffix, multiline=multiline)
    return prefix + (postprocess(says, context) or "") + suffix


@pytest.mark.parametrize(
    ("name", "text", "says", "expected"), BATTERY, ids=[row[0] for row in BATTERY]
)
def test_accepting_gives_the_right_document(name: str, text: str, says: str, expected: str) -> None:
    """After accepting, nothing stands there twice and nothing of the user's is gone."""
    actual = shown(text, says)

    assert expected == actual


@pytest.mark.parametrize(("text", "says"), [(row[1], row[2]) for row in BATTERY])
def test_the_rules_are_idempotent(text: str, says: str) -> None:
    """What may be shown is not changed by applying the rules again."""
    prefix, suffix = text.split("│")
    context = RuleContext(prefix=prefix, suffix=suffix, multiline=True)
    once = postprocess(says, context)

    assert once == (postprocess(once, context) if once else None)

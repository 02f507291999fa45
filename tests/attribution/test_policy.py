"""A team's licence policy: what it decides, what it refuses, and the exit codes it gives."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from attribution.cli import trace
from attribution.license_policy import Action, Policy, action_of
from attribution.policy_file import PolicyError, parse_policy

RULES = Policy(allow=("MIT", "Apache-2.0"), block=("GPL-*",), annotate=("GPL-2.0-only",))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", Action.ALLOW),
        ("GPL-3.0-only", Action.BLOCK),
        ("MIT OR GPL-3.0-only", Action.ALLOW),
        ("MIT AND GPL-3.0-only", Action.BLOCK),
        ("GPL-2.0-only WITH Classpath-exception-2.0", Action.BLOCK),
        ("GPL-2.0-only", Action.ANNOTATE),
        ("ISC", Action.ASK),
        ("((", Action.ASK),
        ("", Action.ASK),
    ],
)
def test_an_expression_is_judged_by_its_operators(expression: str, expected: Action) -> None:
    """OR takes the mildest branch, AND the strictest; what no list names gets the default."""
    assert expected is action_of(RULES, expression)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["policy", "exception", "allow", "reason", "expires", "x"]), inner),
))  # fmt: skip
def test_garbage_is_refused_in_words(record: object) -> None:
    """Whatever a file holds, it is a policy or a PolicyError."""
    if isinstance(record, dict):
        with contextlib.suppress(PolicyError):
            assert isinstance(parse_policy(record), Policy)


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    """A slip of the pen is no silent permission."""
    with pytest.raises(PolicyError, match=r"minimum_teir is not a key .*did you mean minimum_tier"):
        parse_policy({"policy": {"minimum_teir": "E1"}})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(trace, [str(one) for one in arguments])


@pytest.mark.parametrize(
    ("line", "exit_code"), [('allow = ["MIT"]', 0), ('ask = ["MIT"]', 4), ('block = ["M*"]', 5)]
)
def test_the_exit_code_follows_the_policy(
    tmp_path: Path, index_path: Path, texts: dict[str, str], line: str, exit_code: int
) -> None:
    """Allowed 0, asked 4, blocked 5; a dry run says the same and exits with 0."""
    policy, copied = tmp_path / "starcite.toml", tmp_path / "mine.py"
    policy.write_text(f"[policy]\n{line}\n")
    copied.write_text(texts["cities"])
    arguments = (copied, "--index", index_path, "--policy", policy)

    assert run(*arguments).exit_code == exit_code
    assert run(*arguments, "--dry-run").exit_code == 0
    assert run(*arguments, "--dry-run").stdout == run(*arguments).stdout


def test_a_diff_judges_only_changed_lines(
    tmp_path: Path, index_path: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that was there before is silent; one that was added is told, as SARIF too."""
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (tmp_path / "old.py").write_text(texts["cart"])
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    (tmp_path / "old.py").write_text(texts["cart"] + "\nMINE = 1\n")
    (tmp_path / "new.py").write_text(texts["cities"])
    subprocess.run([*git, "add", "."], check=True)
    monkeypatch.chdir(tmp_path)

    result = run("--diff", "HEAD", "--index", index_path, "--format", "sarif", "--output", "s.json")

    assert (result.exit_code, result.stdout) == (0, "")
    log = json.loads((tmp_path / "s.json").read_text())
    places = [one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"]]
    assert [one["artifactLocation"]["uri"] for one in places] == ["new.py"]
    assert run("--diff", "nonsense", "--index", index_path).exit_code == 2


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, index_path: Path) -> None:
    """One line and exit code 2, before anything is traced."""
    (tmp_path / "a.py").write_text("print(1)\n")

    result = run(tmp_path / "a.py", "--index", index_path, "--output", tmp_path / "no" / "x")

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr

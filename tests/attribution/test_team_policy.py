"""What a team writes into starcite.toml, seen from the command line."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from attribution.cli import trace

TODAY = datetime.now(UTC).date()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(trace, [str(one) for one in arguments])


@pytest.fixture
def copied(tmp_path: Path, texts: dict[str, str]) -> Path:
    """Code of `geo` in a project of one's own."""
    path = tmp_path / "vendor" / "cities.py"
    path.parent.mkdir()
    path.write_text(texts["cities"])
    return path


def judged(copied: Path, index_path: Path, policy: str) -> dict[str, Any]:
    """The exit code and the decision about the code under a policy."""
    path = copied.parent.parent / "starcite.toml"
    path.write_text(policy)
    result = run(copied, "--index", index_path, "--policy", path, "--json")
    assert result.exit_code in {0, 4, 5}, result.output
    [match] = json.loads(result.stdout)["results"][0]["matches"]
    return {"exit_code": result.exit_code, **match["decision"]}


@pytest.mark.parametrize(
    ("exception", "exit_code"),
    [
        ('reason = "ours"', 0),
        ('reason = "ours"\npackage = "g*"\npath = "vendor/*"', 0),
        ('reason = "ours"\npackage = "shop"', 5),
        ('reason = "ours"\npath = "src/*"', 5),
        ('reason = "ours"\naction = "ask"', 4),
        (f'reason = "ours"\nexpires = {TODAY + timedelta(days=1)}', 0),
        (f'reason = "ours"\nexpires = {TODAY - timedelta(days=1)}', 5),
    ],
)
def test_an_exception_holds_where_all_that_it_names_fits(
    copied: Path, index_path: Path, exception: str, exit_code: int
) -> None:
    """Package, path and last day; outside of them the rules count."""
    told = judged(copied, index_path, f'[policy]\nblock = ["MIT"]\n[[exception]]\n{exception}\n')

    assert told["exit_code"] == exit_code
    assert (told["reasons"] == ["exception: ours"]) is (exit_code != 5)


@pytest.mark.parametrize(
    ("limit", "exit_code"),
    [
        ('minimum_tier = "E0"', 5),
        ("minimum_lexemes = 60", 5),
        ("minimum_lexemes = 100000", 0),
        ('conflict = "block"', 5),
        ('common = "allow"', 5),
    ],
)
def test_limits_of_what_is_judged(
    copied: Path, index_path: Path, limit: str, exit_code: int
) -> None:
    """A whole file is E0 and long; nothing about it is common or in conflict."""
    told = judged(copied, index_path, f'[policy]\nblock = ["MIT"]\n{limit}\n')

    assert told["exit_code"] == exit_code


def test_weaker_evidence_than_the_minimum_is_not_judged(
    copied: Path, index_path: Path, texts: dict[str, str]
) -> None:
    """A verbatim part is E1: with E0 as the minimum it is told and allowed."""
    lines = texts["cities"].splitlines(keepends=True)
    copied.write_text("import sys\n\n" + "".join(lines[2:]))

    told = judged(copied, index_path, '[policy]\nblock = ["MIT"]\nminimum_tier = "E0"\n')

    assert (told["exit_code"], told["action"]) == (0, "allow")
    assert told["reasons"] == ["E1 is below the minimum tier"]


def test_common_code_is_judged_no_stricter_than_the_policy_says(
    tmp_path: Path, index_path: Path, texts: dict[str, str]
) -> None:
    """An idiom that ten packages hold is noted, whatever their licences; unless asked otherwise."""
    path = tmp_path / "idiom.py"
    path.write_text(texts["idiom"])

    mild = judged_at(path, index_path, '[policy]\nblock = ["MIT"]\n')
    strict = judged_at(path, index_path, '[policy]\nblock = ["MIT"]\ncommon = "block"\n')

    assert (mild.exit_code, strict.exit_code) == (0, 5)
    assert "at most annotate" in mild.stdout


def judged_at(path: Path, index_path: Path, policy: str) -> Result:
    policy_path = path.with_name("starcite.toml")
    policy_path.write_text(policy)
    arguments = (path, "--index", index_path, "--policy", policy_path, "--json")
    return run(*arguments)


def test_a_policy_of_absurd_size_is_refused(copied: Path, index_path: Path) -> None:
    """A repository of others must not make a trace read gigabytes."""
    path = copied.with_name("starcite.toml")
    path.write_text("#" * 2_000_000)

    result = run(copied, "--index", index_path, "--policy", path)

    assert result.exit_code == 2
    assert "has 2,000,000 bytes, more than 1,000,000" in result.stderr


def test_a_notice_names_each_origin_once_with_its_terms(
    tmp_path: Path, copied: Path, index_path: Path, texts: dict[str, str]
) -> None:
    """Two files with the same code are one entry of two places; what is new is not in it."""
    (copied.parent / "again.py").write_text("x = 1\n\n" + texts["cities"])
    (copied.parent / "new.py").write_text("print('nothing to see')\n")

    notice = run(tmp_path, "--index", index_path, "--format", "notice").stdout

    assert notice.count("geo 1.2.3, geo/cities.py\n  Licence: MIT\n") == 1
    assert "  - Keep the copyright line and the text of the licence" in notice
    assert notice.count("  Used in ") == 2
    assert "again.py:3-12" in notice
    assert "new.py" not in notice


@pytest.mark.parametrize(("suffix", "mark"), [(".py", "# "), (".c", "// "), (".css", "")])
def test_a_header_is_a_comment_of_the_files_language(
    copied: Path, index_path: Path, suffix: str, mark: str
) -> None:
    """Of each file that holds code of others, and in its own kind of comment."""
    path = copied.rename(copied.with_suffix(suffix))

    header = run(path, "--index", index_path, "--format", "header").stdout.splitlines()

    assert header[0] == f"{path}:"
    body = [line for line in header[1:] if line not in {"/*", "*/"}]
    assert body[0] == f"{mark}Holds code of geo 1.2.3 (geo/cities.py), licence MIT."
    assert all(line.startswith(mark) for line in body)


def test_three_dots_count_from_where_the_branch_left(
    tmp_path: Path, index_path: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came to the other branch since is none of this branch's changes, and no `-` either."""
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]

    def commit(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", name], check=True)

    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    commit("old.py", texts["cart"])
    subprocess.run([*git, "checkout", "-q", "-b", "topic"], check=True)
    commit("new.py", texts["cities"])
    subprocess.run([*git, "checkout", "-q", "main"], check=True)
    commit("old.py", "x = 1\n")
    subprocess.run([*git, "checkout", "-q", "topic"], check=True)

    two = run("--diff", "main", "--index", index_path, "--json")
    three = run("--diff", "main...", "--index", index_path, "--json")

    def paths(result: Result) -> list[str]:
        return [one["path"] for one in json.loads(result.stdout)["results"] if one["matches"]]

    assert paths(two) == ["new.py", "old.py"]
    assert paths(three) == ["new.py"]

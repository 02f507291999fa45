"""The examples for CI and for pre-commit, run for real on a repository of a team's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from attribution.cli import trace
from attribution.policy_file import parse_policy

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "attribution" / "ci" / "github.yml"
BLOCKING = '[policy]\nblock = ["MIT"]\n'
ALLOWING = '[policy]\nallow = ["MIT"]\n'
OWN = "def own(path):\n    return path.name\n"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, index_path: Path) -> Run:
    """Runs a program as a CI job would: the index at home, `starcite` on the path."""
    home = tmp_path / "home"
    shutil.copytree(index_path, home / "index" / "default")
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"STARCITE_HOME": str(home), "PATH": scripts, "GITHUB_BASE_REF": "main"}
    cache = {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}

    def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = os.environ | own | cache
        return subprocess.run(  # noqa: PLW1510 - the tests judge the exit code
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
        )

    return run


@pytest.fixture
def checkout(tmp_path: Path, texts: dict[str, str], run: Run) -> Path:
    """A clone of a repository, on a branch that adds copied code in a vendored folder."""
    origin, clone = tmp_path / "origin", tmp_path / "a clone"
    origin.mkdir()
    run("git", "init", "-q", "-b", "main", cwd=origin)
    commit(run, origin, {"starcite.toml": BLOCKING, "own.py": OWN})
    run("git", "clone", "-q", str(origin), str(clone), cwd=tmp_path)
    run("git", "switch", "-q", "-c", "branch", cwd=clone)
    commit(run, clone, {"vendor/cities.py": texts["cities"]})
    return clone


def commit(run: Run, folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    run("git", "add", "--", *files, cwd=folder)
    done = run("git", *author, "commit", "-qm", "More", cwd=folder)
    assert done.returncode == 0, done.stderr


def step(name: str) -> dict[str, Any]:
    """A step of the workflow."""
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["trace"]["steps"]
    return next(one for one in steps if one.get("name") == name)


def test_the_workflow_fails_by_the_policy_and_leaves_its_findings(checkout: Path, run: Run) -> None:
    """The step of the workflow itself: exit code 5, and SARIF that names the added file only."""
    command = step("Trace what the branch adds")["run"]
    done = run("bash", "-e", "-c", command, cwd=checkout)
    name = step("Show it beside the code")["with"]["sarif_file"]
    [log] = json.loads((checkout / name).read_text("utf-8"))["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in log["results"]]

    assert done.returncode == 5, done.stderr
    assert {place["artifactLocation"]["uri"] for place in places} == {"vendor/cities.py"}
    assert [result["level"] for result in log["results"]] == ["error"]


def test_the_workflow_passes_what_the_policy_allows(checkout: Path, run: Run) -> None:
    """The same branch under another policy."""
    commit(run, checkout, {"starcite.toml": ALLOWING})
    done = run("bash", "-e", "-c", step("Trace what the branch adds")["run"], cwd=checkout)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_names_only_options_that_exist() -> None:
    """What the example says stays true when the command changes."""
    known = {option for parameter in trace.params for option in parameter.opts}
    words = step("Trace what the branch adds")["run"].split()

    assert {word for word in words if word.startswith("--")} <= known


def test_the_policy_in_the_readme_is_one() -> None:
    """What teams copy from it is read without complaint."""
    [example] = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)

    assert parse_policy(tomllib.loads(example)).block == ("GPL-*", "AGPL-*")


@pytest.mark.parametrize(("policy", "passes"), [(BLOCKING, False), (ALLOWING, True)])
def test_the_hook_stops_a_commit_that_the_policy_blocks(
    checkout: Path, run: Run, tmp_path: Path, policy: str, *, passes: bool
) -> None:
    """By pre-commit itself, with the hooks that the project publishes."""
    (checkout / "starcite.toml").write_text(policy, "utf-8")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    run("git", "init", "-q", cwd=hooks)
    manifest = ".pre-commit-hooks.yaml"
    commit(run, hooks, {manifest: (ROOT / manifest).read_text("utf-8")})
    done = run(
        *(sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "starcite-trace"),
        *("--files", "vendor/cities.py", "own.py"),
        cwd=checkout,
    )

    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    assert passes or "vendor/cities.py" in done.stdout

"""What only the system's package manager can give: a Python that makes venvs, and Chromium."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from workbench.step import StepFailedError, run_step

OLDEST_PYTHON = (3, 11)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def make_venv(folder: Path) -> None:
    """Make a virtual environment with pip in it, unless there is a working one.

    Raises:
        StepFailedError: This Python is too old, or cannot make one and apt is out of reach.
    """
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(map(str, sys.version_info[:3]))
        raise StepFailedError(
            f"{sys.executable} is Python {version}; 3.11 or newer is needed. "
            "Next: install one and run: make PYTHON=python3.11 <target>"
        )
    if _has_pip(folder):
        return
    if importlib.util.find_spec("ensurepip") is None:
        # Debian keeps ensurepip in a package of its own, one for each Python.
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        apt_install("python3-venv", f"python{version}-venv", why="Python cannot make venvs")
    run_step(f"make {folder.name}", [sys.executable, "-m", "venv", "--clear", str(folder)])


def _has_pip(folder: Path) -> bool:
    python = folder / "bin" / "python"
    try:
        # A checkout that was moved leaves a venv whose scripts point to the old place.
        script = (folder / "bin" / "pip").read_text(errors="replace")
    except OSError:
        return False
    if str(folder) not in script:
        return False
    return (
        subprocess.run(
            [python, "-m", "pip", "--version"], check=False, capture_output=True
        ).returncode
        == 0
    )


def ensure_openmp(python: Path) -> None:
    """Make sure that llama.cpp can be loaded: it needs an OpenMP runtime, which wheels lack.

    Raises:
        StepFailedError: It is missing, and this user may not install it.
    """
    load = [str(python), "-c", "import xllamacpp"]
    result = subprocess.run(load, check=False, capture_output=True, text=True)
    if "libgomp" in result.stderr:
        apt_install("libgomp1", why="llama.cpp needs libgomp.so.1")
    elif result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1]
        raise StepFailedError(f"llama.cpp cannot be loaded: {reason}. Next: make clean setup.")


def find_browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def ensure_browser() -> str:
    """The path of a Chromium, installed by apt if there is none.

    Raises:
        StepFailedError: There is none and this user may not install it.
    """
    if find_browser() is None:
        apt_install("chromium", "fonts-dejavu-core", why="the end-to-end tests need a browser")
    browser = find_browser()
    if browser is None:
        raise StepFailedError(
            "apt installed no chromium (on Ubuntu it is a snap). "
            "Next: install google-chrome or chromium so that it is on PATH, then run make test."
        )
    return browser


def apt_install(*packages: str, why: str) -> None:
    """Install packages as root or by a sudo that asks nothing.

    Raises:
        StepFailedError: Neither is possible; the message holds the command to run.
    """
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    by_hand = f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise StepFailedError(
            f"{why}. Next: install {' and '.join(packages)}, then run make again."
        )
    prefix = _as_root()
    if prefix is None:
        raise StepFailedError(f"{why}. Next: run: {by_hand}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_step("apt-get update", [*prefix, "apt-get", "update"], env=env)
    run_step(f"apt-get install {packages[0]}", [*prefix, *install], env=env)


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    may = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    return ["sudo", "-n"] if may else None

"""Runs pip as a process of its own and says in one line what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Sequence

from indexer.corpus.errors import FetchError, HashMismatchError, NoNetworkError

_COMMON = (
    "--no-deps",
    "--only-binary=:all:",  # never runs a package's own build code
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--retries=2",
)
_UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolutionError|Failed to establish|Temporary failure in name|"
    r"ConnectTimeout|ReadTimeout|ProxyError|Network is unreachable|SSLError|ConnectionError|"
    r"Connection refused|Connection reset|Max retries exceeded",
    re.IGNORECASE,
)
_AGAIN = "and run the same command again (what was fetched is kept)"


async def run_pip_download(arguments: Sequence[str]) -> None:
    """Run `pip download` to its end; a cancelled task takes pip down with it.

    Raises:
        FetchError: pip failed, or this environment has none.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pip", "download", *_COMMON, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise explain_pip(output.decode(errors="replace"))


def explain_pip(output: str) -> FetchError:
    """The error that the output of a failed pip amounts to, in one line with the next step."""
    if "DO NOT MATCH THE HASHES" in output:
        found = re.search(r"^\s+(\S+==\S+|\S+\.whl)\b.*:\s*$", output, re.MULTILINE)
        name = found[1] if found else "a package"
        return HashMismatchError(
            f"the file that the package index gave for {name} has not the sha256 of the lock; "
            "it was thrown away. Check the index that pip uses (pip config list)"
        )
    if "No space left on device" in output:
        return FetchError(f"the disk is full; free some space {_AGAIN}")
    if "No module named pip" in output:
        return FetchError(f"{sys.executable} has no pip; run: {sys.executable} -m ensurepip")
    missing = re.search(r"No matching distribution found for (\S+)", output)
    if _UNREACHABLE.search(output):
        return NoNetworkError(f"could not reach the package index; check the network {_AGAIN}")
    if missing:
        return FetchError(
            f"the package index has no wheel of {missing[1]}; "
            "check the index that pip uses (pip config list) or make a new lock"
        )
    errors = re.findall(r"^(?:ERROR: )(.+)$", output, re.MULTILINE) or output.split("\n")[-2:]
    return FetchError(f"pip failed: {' '.join(errors[-1].split())[:300]}; see to it {_AGAIN}")

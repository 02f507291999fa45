"""One running code-server: started in a process group of its own, and gone when it is closed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.paths import DATA_HOME, NODE
from workbench.profile import ENTRY, Profile
from workbench.step import StepFailedError

HOST = "127.0.0.1"  # without a password, whoever reaches the port has a shell: loopback only
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
# By default a closed tab leaves its extension host, and our language server, alive for 3 hours.
RECONNECTION_GRACE_S = 5


def free_port(first: int = 0) -> int:
    """A free loopback port: `first`, or the next free one, or any if `first` is 0.

    Raises:
        StepFailedError: None of the 50 ports from `first` is free.
    """
    for port in range(first, first + 50) if first else [0]:
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except (OSError, OverflowError):  # in use, or no port at all
                continue
            return int(candidate.getsockname()[1])
    raise StepFailedError(
        f"ports {first} to {first + 49} are in use or do not exist. "
        "Next: run make demo PORT=<a free one>."
    )


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of code-server and of the language server that it starts."""
    # PORT (which `make demo PORT=…` sets) and CODE_SERVER_HOST would overrule the chosen address.
    kept = {
        name: value
        for name, value in inherited.items()
        if name != "PORT" and not name.startswith("CODE_SERVER_")
    }
    # What make has fetched, not what the user has.
    return {**kept, "STARCITE_HOME": str(DATA_HOME)}


class CodeServer:
    """A running code-server; a context manager that stops it and everything it started."""

    def __init__(self, profile: Profile, workspace: Path, *, port: int, log: Path) -> None:
        """Start it and wait until it answers.

        Raises:
            StepFailedError: It ended or did not answer within a minute.
        """
        self.port = port
        self.workspace = workspace
        self._log = log
        arguments = [
            *("--auth", "none", "--bind-addr", f"{HOST}:{port}"),
            *("--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"),
            *("--disable-getting-started-override", "--disable-proxy"),
            *("--reconnection-grace-time", str(RECONNECTION_GRACE_S)),
        ]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [str(NODE), str(ENTRY), *profile.arguments, *arguments, str(workspace)],
                env=environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # a process group that can be stopped as a whole
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The address without a path, such as `http://127.0.0.1:8765`."""
        return f"http://{HOST}:{self.port}"

    def address_of(self, file: Path) -> str:
        """The address that opens the workspace with `file` in an editor."""
        remote = f"vscode-remote://{HOST}:{self.port}{file}"
        query = {"folder": str(self.workspace), "payload": json.dumps([["openFile", remote]])}
        return f"{self.address}/?{urllib.parse.urlencode(query)}"

    def wait(self) -> int:
        """Wait until it ends; returns its exit code."""
        return self.process.wait()

    def close(self) -> None:
        """Stop the whole process group: asked first, killed if it does not go."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT_S)
        # The leader may have gone before its extension hosts.
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # everything has already ended
            os.killpg(self.process.pid, number)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self._is_healthy():
                return
            time.sleep(0.1)  # it has no way to tell that it is listening
        lines = self._log.read_text(errors="replace").strip().splitlines() or ["no output"]
        raise StepFailedError(f"code-server did not start: {lines[-1]} Next: read {self._log}.")

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

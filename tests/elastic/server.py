"""A real Elasticsearch for the tests, from one of three places; none of it is imitated.

STARCITE_TEST_ELASTICSEARCH_URL    a server that runs; a login as for `starcite elastic`
STARCITE_TEST_ELASTICSEARCH_HOME   an unpacked distribution of version 8, started on loopback
STARCITE_TEST_ELASTICSEARCH_START  a program that starts nodes: PROGRAM FOLDER [N] [--user LOGIN]

Without any of them, tests that need a server are skipped; where the last one is set, a server that
does not start is a failure.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

LOGIN = "starcite:a-long-secret-word"
URL, HOME, START = (f"STARCITE_TEST_ELASTICSEARCH_{place}" for place in ("URL", "HOME", "START"))
HOW = f"set {URL} to a running Elasticsearch 8, or {HOME} to an unpacked one; see CONTRIBUTING.md"
_START_S = 180.0


@dataclass(kw_only=True)
class Cluster:
    """Nodes on this machine, or one elsewhere that may not be stopped."""

    urls: list[str]
    login: str = ""
    folder: Path | None = None  # of the nodes that were started here
    pids: list[int] = field(default_factory=list)

    def kill(self, node: int = 0) -> None:
        """End a node as if its machine lost power; it is dead when this returns."""
        pid = self.pids[node]
        os.kill(pid, signal.SIGKILL)
        _wait_for_end(pid)

    def start_again(self) -> None:
        """Start the only node on its data, at its old address."""
        if self.folder is None:
            raise ValueError("a server that was not started here is not started again")
        port = int(self.urls[0].rpartition(":")[2])
        again = start(self.folder, port=port, login=self.login)
        self.urls, self.pids = again.urls, again.pids

    def remove(self) -> None:
        """End what was started here, and remove its data."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                _wait_for_end(pid)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def open_cluster(*, n_nodes: int = 1) -> Cluster | None:
    """The server that the environment names; None: it names none."""
    url = os.environ.get(URL)
    if url:
        return Cluster(urls=[url], login=os.environ.get("STARCITE_ELASTICSEARCH_LOGIN", ""))
    if not os.environ.get(START) and not os.environ.get(HOME):
        return None
    folder = Path(tempfile.mkdtemp(prefix="starcite-elasticsearch-"))
    folder.chmod(0o755)  # nodes that root starts run as another user
    login = LOGIN if os.environ.get(START) else ""
    return start(folder, n_nodes=n_nodes, login=login)


def start(folder: Path, *, n_nodes: int = 1, port: int = 0, login: str = "") -> Cluster:
    """Start nodes on loopback with their data in a folder."""
    program = os.environ.get(START)
    if not program:
        return _started_by_hand(Path(os.environ[HOME]), folder, port or _free_port())
    command = [program, str(folder), str(n_nodes), *(["--user", login] if login else [])]
    settings = {"ES_PORT": str(port)} if port else {}
    with (folder / "urls").open("w") as urls, (folder / "errors").open("w") as errors:
        told = subprocess.run(  # files, as a node outlives it and would keep a pipe open
            command,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=urls,
            stderr=errors,
            check=False,
            timeout=_START_S,
        )
    if told.returncode:
        raise RuntimeError(f"{program} failed: {(folder / 'errors').read_text()[-2000:]}")
    pids = [int((folder / f"node-{n}" / "pid").read_text()) for n in range(n_nodes)]
    return Cluster(
        urls=(folder / "urls").read_text().split(), login=login, folder=folder, pids=pids
    )


def _started_by_hand(home: Path, folder: Path, port: int) -> Cluster:
    settings = {
        "discovery.type": "single-node",
        "http.port": port,
        "network.host": "127.0.0.1",
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        "xpack.security.enabled": "false",
    }
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    if user:
        shutil.chown(folder, "nobody", "nogroup")
    java = {} if (home / "jdk").exists() else {"ES_JAVA_HOME": _java_home()}
    arguments = ["-d", "-p", folder / "pid", *(f"-E{name}={one}" for name, one in settings.items())]
    with (folder / "errors").open("w") as errors:
        told = subprocess.run(  # it returns when the node is ready
            [home / "bin" / "elasticsearch", *arguments],
            env={**os.environ, "HOME": str(folder), "ES_JAVA_OPTS": "-Xms512m -Xmx512m", **java},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            check=False,
            timeout=_START_S,
            **user,
        )
    if told.returncode:
        raise RuntimeError(f"{home} does not start: {(folder / 'errors').read_text()[-2000:]}")
    pid = int((folder / "pid").read_text())
    return Cluster(urls=[f"http://127.0.0.1:{port}"], folder=folder, pids=[pid])


def _java_home() -> str:
    """Of JAVA_HOME, or of the java on the path; a whole distribution brings its own."""
    java = os.environ.get("JAVA_HOME")
    return java or str(Path(shutil.which("java") or "java").resolve().parent.parent)


def _wait_for_end(pid: int) -> None:
    """Until the process is gone; it need not be a child of this one."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
        return
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [], 60)
        os.close(descriptor)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

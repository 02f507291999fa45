"""What the file name of a wheel says (the binary distribution format of the packaging guide)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9_.]+)-(?P<version>[A-Za-z0-9_.!+]+)(-(?P<build>\d[A-Za-z0-9_.]*))?"
    r"-(?P<python>[A-Za-z0-9_.]+)-(?P<abi>[A-Za-z0-9_.]+)-(?P<platform>[A-Za-z0-9_.]+)\.whl"
)


@dataclass(frozen=True, slots=True)
class WheelName:
    """A wheel's normalised name and its compatibility tags."""

    name: str
    python: str  # "py3", "cp311", "py2.py3"
    abi: str  # "none", "cp311", "abi3"
    platform: str  # "any", "manylinux_2_17_x86_64.manylinux2014_x86_64"

    @classmethod
    def parse(cls, file_name: str) -> WheelName | None:
        """The parts of a wheel's file name, or None if it is no such name."""
        found = _WHEEL.fullmatch(file_name)
        if found is None:
            return None
        return cls(normalise_name(found["name"]), found["python"], found["abi"], found["platform"])

    def pip_options(self) -> tuple[str, ...]:
        """What makes pip take this very wheel on any machine and any Python.

        A pure wheel suits every machine as it is. For the others pip is told the wheel's own tags,
        since the corpus is text to read and never runs here.
        """
        if self.platform == "any" and not self.python.startswith("cp"):
            return ()
        platforms = [option for p in self.platform.split(".") for option in ("--platform", p)]
        python = re.sub(r"^[a-z]+", "", self.python.split(".")[0])
        return ("--implementation", "cp", "--python-version", python, "--abi", self.abi, *platforms)


def normalise_name(name: str) -> str:
    """A package name in the one spelling that package indexes compare by."""
    return re.sub(r"[-_.]+", "-", name).lower()

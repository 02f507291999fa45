"""The thresholds of curation, with their sources; a set of shards records those it was made by."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from indexer.curate.errors import CurateConfigError

# Licences that allow copying, changing and passing on with no duty but to keep the notice.
PERMISSIVE = (
    "0BSD",
    "AFL-3.0",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-3-Clause",
    "BSD-3-Clause-Clear",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "ECL-2.0",
    "HPND",
    "ISC",
    "MIT",
    "MIT-0",
    "MS-PL",
    "MulanPSL-2.0",
    "NCSA",
    "PSF-2.0",
    "PostgreSQL",
    "Python-2.0",
    "UPL-1.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "W3C",
    "X11",
    "Zlib",
    "bzip2-1.0.6",
    "curl",
)


def _number(default: Any, doc: str, low: float, high: float) -> Any:
    return field(default=default, metadata={"doc": doc, "bounds": (low, high)})


@dataclass(frozen=True, kw_only=True, slots=True)
class CurateConfig:
    """What the rules decide by.

    The line, character and markup thresholds are those of StarCoder (bigcode-dataset,
    preprocessing/filtering.py); those for encoded data are StarCoder2's.
    """

    max_line_chars: int = _number(1000, "the longest line that code may have", 1, 10**9)
    max_mean_line_chars: float = _number(100.0, "the longest mean line", 1, 10**9)
    min_alphanumeric_share: float = _number(0.25, "letters and digits among characters", 0, 1)
    max_encoded_run_chars: int = _number(1024, "the longest run of base64, hex, \\u", 1, 10**9)
    max_encoded_share: float = _number(0.5, "encoded characters among all", 0, 1)
    min_html_text_chars: int = _number(100, "visible characters that HTML must exceed", 0, 10**9)
    min_html_text_share: float = _number(0.2, "their share that it must exceed", 0, 1)
    min_data_chars: int = _number(100, "the shortest JSON or YAML file", 0, 10**9)
    max_data_chars: int = _number(5000, "the longest JSON or YAML file", 1, 10**9)
    min_data_alphabetic_share: float = _number(0.5, "letters in JSON and YAML", 0, 1)
    licenses: tuple[str, ...] = field(
        default=PERMISSIVE, metadata={"doc": "SPDX ids that may enter the corpus"}
    )
    shard_bytes: int = _number(64_000_000, "text in one shard", 1, 10**12)

    def digest(self) -> str:
        """Equal for equal configurations."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def parse_config(table: Mapping[str, Any], *, name: str = "configuration") -> CurateConfig:
    """The configuration that a table of some of its keys stands for.

    Raises:
        CurateConfigError: a key is unknown, or a value is of another type or out of its bounds.
    """
    known = {entry.name: entry for entry in fields(CurateConfig)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0)
            raise CurateConfigError(f"{name}: unknown key {key!r}; the nearest is {nearest[0]!r}")
        bounds = known[key].metadata.get("bounds")
        values[key] = (
            _licenses(value, name)
            if bounds is None
            else _checked(key, value, bounds, whole=isinstance(known[key].default, int), name=name)
        )
    return CurateConfig(**values)


def read_config(path: Path) -> CurateConfig:
    """Read a TOML file of some of the keys; the others keep their defaults.

    Raises:
        CurateConfigError: it cannot be read, or says what no configuration says.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CurateConfigError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CurateConfigError(f"{path} is no TOML file: {error}") from error
    return parse_config(table, name=str(path))


def _checked(
    key: str, value: Any, bounds: tuple[float, float], *, whole: bool, name: str
) -> int | float:
    low, high = bounds
    fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not fits or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise CurateConfigError(f"{name}: {key} is {value!r}, not {kind} from {low:g} to {high:g}")
    number: int | float = value if whole else float(value)
    return number


def _licenses(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(i, str) and i for i in value):
        raise CurateConfigError(f"{name}: licenses is {value!r}, not a list of SPDX ids")
    return tuple(sorted(set(value)))

"""Names tantivy's files by what they hold, so that equal documents give equal bytes.

What tantivy writes in one thread is always the same but for the UUID of each of its segments, which
is drawn at random: it names the segment's files and stands in `meta.json` and `.managed.json`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from uuid import UUID

_META_NAME = "meta.json"
_MANAGED_NAME = ".managed.json"


def name_by_content(folder: Path) -> None:
    """Rename the segments of a tantivy index that nobody writes or reads."""
    meta = json.loads((folder / _META_NAME).read_text(encoding="utf-8"))
    for segment in meta["segments"]:
        old = UUID(segment["segment_id"])
        files = sorted(folder.glob(f"{old.hex}.*"))
        new = UUID(hex=_digest(files)[:32])
        for file in files:
            file.rename(file.with_name(file.name.replace(old.hex, new.hex)))
        segment["segment_id"] = str(new)
    meta["segments"].sort(key=lambda segment: str(segment["segment_id"]))
    (folder / _META_NAME).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    kept = {UUID(segment["segment_id"]).hex for segment in meta["segments"]}
    managed = [_META_NAME]
    for file in sorted(folder.iterdir()):
        if file.name.partition(".")[0] in kept:
            managed.append(file.name)
        elif file.name != _META_NAME and not file.name.startswith("."):
            file.unlink()  # of a segment that was merged into another one
    (folder / _MANAGED_NAME).write_text(json.dumps(sorted(managed)) + "\n", encoding="utf-8")


def _digest(files: list[Path]) -> str:
    """Over the kind and the content of each file, not over its name."""
    lines = []
    for path in files:
        with path.open("rb") as file:
            lines.append(f"{path.suffix} {hashlib.file_digest(file, 'sha256').hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()

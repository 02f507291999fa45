"""The name of a corpus by what it holds: equal for equal sets of texts and places."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from indexer.source_file import Origin
from indexer.text.normalize import to_bytes


class CorpusDigest:
    """Collects texts with their origins; the order and the repetitions do not matter.

    The digest is the one in the manifest of an index of the same files: SHA-256 over the sorted
    lines of (text's SHA-256, package URL, path). About 200 bytes an origin are resident.
    """

    def __init__(self) -> None:
        self._lines: set[bytes] = set()

    def add(self, text: str, origins: Iterable[Origin]) -> None:
        """Add one text and the places where it was found; blank texts are no documents."""
        if not text.strip():
            return
        digest = hashlib.sha256(to_bytes(text)).hexdigest()
        self._lines.update(
            f"{digest}\0{origin.purl}\0{origin.path}\n".encode(errors="surrogatepass")
            for origin in origins
        )

    def lines(self) -> list[bytes]:
        """What is hashed, in order; parts of a corpus are merged by these."""
        return sorted(self._lines)

    def hexdigest(self) -> str:
        """The digest of what was added so far."""
        return hashlib.sha256(b"".join(self.lines())).hexdigest()

"""Software Heritage's names of contents: what git calls a blob.

Source: SWHID specification 1.2, section 5 (core identifiers), and git's object format.
"""

from __future__ import annotations

import hashlib

PREFIX = "swh:1:cnt:"


def sha1_git(data: bytes) -> str:
    """The name that git gives to a file of these bytes."""
    # git's name for a content, not a defence against anyone
    digest = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def swhid_of(data: bytes) -> str:
    """The core SWHID of a content."""
    return PREFIX + sha1_git(data)

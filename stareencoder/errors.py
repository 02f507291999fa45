"""What can go wrong with an encoder; a message holds the value and the next step."""

from __future__ import annotations


class EncoderError(Exception):
    """The top of this package's tree."""


class EncoderFolderError(EncoderError):
    """A folder of weights or of a served encoder is missing, damaged or of another kind."""

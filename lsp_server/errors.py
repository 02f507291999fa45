"""Every error that this package raises; a message holds the value and the next step."""

from __future__ import annotations


class StarciteServerError(Exception):
    """The base of all errors of the language server."""


class SettingsError(StarciteServerError):
    """A setting is unknown or holds a value that it cannot take."""


class ProtocolError(StarciteServerError):
    """A message of ours lacks a field or holds the wrong type."""


class ModelError(StarciteServerError):
    """A completion model cannot be used."""


class ModelUsageError(ModelError):
    """What was asked for cannot be: an unknown or taken name, no such file, an unknown family."""


class ModelMissingError(ModelError):
    """There is no model of that name, or its manifest is absent."""


class ModelDamagedError(ModelError):
    """A model's file is missing, truncated or not what its manifest says."""


class ModelFetchError(ModelError):
    """A model could not be downloaded."""


class WorkerError(StarciteServerError):
    """The model's worker process could not be started or does not answer."""

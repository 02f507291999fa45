"""Keystroke → context → prompt → engine → postprocess → attribution → editor."""

__all__: list[str] = []  # the top of the house: nothing builds on it

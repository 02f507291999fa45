"""Keystroke → context → prompt → engine → postprocess → attribution → editor."""

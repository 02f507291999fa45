"""Engines run models; the pipeline knows only the `Engine` protocol."""

from lsp_server.engine.base import Engine, EngineState, GenerateRequest, State, StateListener
from lsp_server.engine.llamacpp import open_engine
from lsp_server.engine.scripted import ScriptedEngine

__all__ = [
    "Engine",
    "EngineState",
    "GenerateRequest",
    "ScriptedEngine",
    "State",
    "StateListener",
    "open_engine",
]

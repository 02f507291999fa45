"""Where things lie in a checkout. All outputs are in folders that git ignores."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "vscode-ext"
VSIX = EXTENSION / "dist" / "starcite.vsix"
DEMO_FILES = Path(__file__).resolve().parent / "demo"

VENV = ROOT / ".venv"
STARCITE = VENV / "bin" / "starcite"

TOOLS = ROOT / ".tools"
NODE_VENV = TOOLS / "nodevenv"
TOOLS_BIN = TOOLS / "bin"
NODE = TOOLS_BIN / "node"
CODE_SERVER = TOOLS / "node_modules" / "code-server"

DATA_HOME = ROOT / ".starcite"
INDEX = DATA_HOME / "index" / "default"
ARTIFACTS = ROOT / ".artifacts"
LOGS = ARTIFACTS / "logs"

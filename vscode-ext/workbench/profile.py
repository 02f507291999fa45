"""A VS Code profile made from nothing: quiet, offline, with our extension and its server."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from workbench.paths import CODE_SERVER, NODE
from workbench.step import StepFailedError

ENTRY = CODE_SERVER / "out" / "node" / "entry.js"

# What a person would want in the demo, too: no welcome pages, no update checks, no chat panel.
USER_SETTINGS: dict[str, object] = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.tips.enabled": False,
    "workbench.colorTheme": "Default Light Modern",
    "workbench.editor.enablePreview": False,
    "git.enabled": False,
    "git.autoRepositoryDetection": False,
    "editor.inlineSuggest.enabled": True,
    "editor.minimap.enabled": False,
    # The suggest widget would hide ghost text and take the Tab key away from it.
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A folder with the settings and extensions of one code-server."""

    folder: Path

    @property
    def arguments(self) -> list[str]:
        """The command-line arguments that make code-server use this profile and nothing else."""
        return [
            *("--user-data-dir", str(self.folder / "data")),
            *("--extensions-dir", str(self.folder / "extensions")),
            # Without this it writes one, with a password, into the home folder.
            *("--config", str(self.folder / "config.yaml")),
        ]


def make_profile(
    folder: Path, *, vsix: Path, server_command: list[str], settings: dict[str, object]
) -> Profile:
    """Make a fresh profile in `folder`, replacing what is there, with the extension installed.

    Args:
        folder: Where the profile is written.
        vsix: The packaged extension.
        server_command: How the extension starts the language server.
        settings: Settings on top of the quiet ones and of the server's command.

    Raises:
        StepFailedError: code-server or the extension's package is missing or damaged.
    """
    for needed, target in ((NODE, "setup"), (ENTRY, "setup"), (vsix, "vsix")):
        if not needed.exists():
            raise StepFailedError(f"{needed} is missing. Next: run make {target}.")
    shutil.rmtree(folder, ignore_errors=True)
    # Settings of machine scope are filtered out of User/ once the extension's schema is known: ours
    # have to stand in Machine/, or they vanish seconds after the start, now and then.
    ours = {"starcite.server.command": server_command} | settings
    machine = {key: value for key, value in ours.items() if key.startswith("starcite.")}
    user = {key: value for key, value in settings.items() if key not in machine}
    for name, values in {"User": USER_SETTINGS | user, "Machine": machine}.items():
        file = folder / "data" / name / "settings.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values, indent=2))
    (folder / "config.yaml").touch()
    profile = Profile(folder=folder)
    install = [str(NODE), str(ENTRY), *profile.arguments, "--install-extension", str(vsix)]
    result = subprocess.run([*install, "--force"], check=False, capture_output=True, text=True)
    if result.returncode != 0:
        reason = (result.stderr or result.stdout).strip().splitlines()[-1:]
        raise StepFailedError(f"{vsix.name} was refused: {reason}. Next: run make clean vsix.")
    return profile

"""The settings, declared once: the editor's settings page and the server both read this file.

`lsp_server.settings_schema` writes the block in `vscode-ext/package.json` from these classes. A bad
value never stops the server: it is named, and the default stands in for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsp_server.errors import SettingsError

SECTION = "starcite"


def setting(doc: str, *, default: Any, **facts: Any) -> Any:
    """A field with its doc and facts: `minimum`, `maximum`, `scope`, `enum_docs`."""
    return field(default=default, metadata={"doc": doc, **facts})


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionSettings:
    """What the editor offers while typing."""

    enabled: bool = setting("Offer completions while typing.", default=True)
    model: str = setting(
        "The completion model: a name from `starcite model list`, or the path of a GGUF file. "
        "`starcite-tiny` comes with Starcite; `smollm2-135m` writes better and is slower to begin "
        "in a file (`starcite model fetch`).",
        default="starcite-tiny",
        scope="machine-overridable",
    )
    max_tokens: int = setting(
        "The most tokens that the model may write for a line; three times as many for a block.",
        default=32,
        minimum=1,
        maximum=512,
    )
    multiline: Literal["auto", "always", "never"] = setting(
        "Whether a completion may span several lines.",
        default="auto",
        enum_docs=(
            "A block where the cursor opens one, else the rest of the line.",
            "Always as much as the model writes.",
            "Never more than the rest of the line.",
        ),
    )
    debounce_ms: int = setting(
        "Milliseconds of rest to wait for before the model is asked; cached answers never wait.",
        default=75,
        minimum=0,
        maximum=1000,
    )
    copy_lane: bool = setting(
        "Also offer what continued the same text elsewhere in the open files.", default=True
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributionSettings:
    """Where code came from."""

    enabled: bool = setting("Mark code that is also in the index.", default=True)
    index: str = setting(
        "The folder of the attribution index; empty means the default one.",
        default="",
        scope="machine-overridable",
    )
    debounce_ms: int = setting(
        "Milliseconds of rest after an edit before the document is traced again.",
        default=300,
        minimum=0,
        maximum=10_000,
    )
    service: str = setting(
        "The address of a `starcite serve` to ask instead of an index on this machine, such as "
        "`https://starcite.example`. The text of open documents is sent there, unless "
        "`#starcite.attribution.fingerprintsOnly#` is on.",
        default="",
        scope="machine",
    )
    service_token_file: str = setting(
        "The file that holds the token of that service.", default="", scope="machine"
    )
    fingerprints_only: bool = setting(
        "Send hashes instead of text to that service, and compare its candidates here. Copies that "
        "are known only by their words or comments are not found then.",
        default=False,
        scope="machine",
    )
    service_timeout_ms: int = setting(
        "Milliseconds that one trace may wait for that service; then it is unknown, not unmatched.",
        default=2_000,
        minimum=100,
        maximum=60_000,
        scope="machine",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """How the extension finds and starts this server; the server itself reads none of it."""

    command: tuple[str, ...] = setting(
        "The command that starts the language server, as it stands; empty means: look for it.",
        default=(),
        scope="machine-overridable",
    )
    python: str = setting(
        "The Python interpreter that has Starcite installed; empty means: look for it.",
        default="",
        scope="machine-overridable",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceSettings:
    """What the extension writes into its log; the server itself reads none of it."""

    server: Literal["off", "messages", "verbose"] = setting(
        "Log the messages between the editor and the language server.",
        default="off",
        scope="window",
        enum_docs=("Nothing.", "Names of messages.", "Messages with their content."),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings under `starcite.`."""

    completion: CompletionSettings = field(default_factory=CompletionSettings)
    attribution: AttributionSettings = field(default_factory=AttributionSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    trace: TraceSettings = field(default_factory=TraceSettings)


def json_name(name: str) -> str:
    """The camelCase key of a field: `max_tokens` is `maxTokens` in the editor."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def read_settings(raw: object) -> tuple[Settings, list[str]]:
    """The settings in `raw` (nested, dotted or under "starcite") and one line per refused key.

    Every refused value is replaced by its default; the lines are meant for the user.
    """
    problems: list[str] = []
    tree = _nested(raw, problems)
    sections: dict[str, Any] = {}
    known = {json_name(part.name): part for part in fields(Settings)}
    problems += _unknown_keys(SECTION, tree, known)
    for key, part in known.items():
        sections[part.name] = _read_section(key, part.default_factory, tree.get(key), problems)
    return Settings(**sections), sorted(problems)


def _nested(raw: object, problems: list[str]) -> dict[str, Any]:
    """`raw` as a tree of sections: {"completion.model": x} becomes {"completion": {"model": x}}."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        problems.append(f"{SECTION} holds {raw!r}, which is not an object; the defaults are used")
        return {}
    if set(raw) == {SECTION}:
        return _nested(raw[SECTION], problems)
    tree: dict[str, Any] = {}
    for key, value in raw.items():
        section, dot, name = str(key).removeprefix(f"{SECTION}.").partition(".")
        if not dot and not isinstance(tree.get(section), dict):
            tree[section] = dict(value) if isinstance(value, Mapping) else value
        elif dot and isinstance(tree.setdefault(section, {}), dict):
            tree[section][name] = value
        elif isinstance(value, Mapping):
            tree[section].update(value)
    return tree


def _read_section(key: str, section: Any, raw: object, problems: list[str]) -> Any:
    prefix = f"{SECTION}.{key}"
    if raw is None:
        return section()
    if not isinstance(raw, Mapping):
        problems.append(f"{prefix} holds {raw!r}, which is not an object; the defaults are used")
        return section()
    hints = get_type_hints(section)
    known = {json_name(part.name): part for part in fields(section)}
    problems += _unknown_keys(prefix, raw, known)
    values = {}
    for name, part in known.items():
        if raw.get(name) is None:  # an editor sends null for a setting that was never touched
            continue
        try:
            values[part.name] = _checked(raw[name], hints[part.name], part)
        except SettingsError as error:
            shown = list(part.default) if isinstance(part.default, tuple) else part.default
            problems.append(f"{prefix}.{name} {error}; the default {shown!r} is used")
    return section(**values)


def _unknown_keys(prefix: str, raw: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    names = sorted(f"{prefix}.{name}" for name in known)
    lines = []
    for key in sorted(f"{prefix}.{name}" for name in set(raw) - set(known)):
        close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
        lines.append(f"{key} is not a setting of Starcite; {hint}")
    return lines


def _checked(value: object, hint: Any, part: Field[Any]) -> Any:
    """`value` if it has the field's type and lies in its bounds. Raises: SettingsError if not."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            choices = ", ".join(repr(choice) for choice in get_args(hint))
            raise SettingsError(f"is {value!r}, which is none of {choices}")
        return value
    if hint == tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise SettingsError(f"is {value!r}, which is not a list of strings")
        return tuple(value)
    if type(value) is not hint:  # not isinstance: True is an int to Python, not to a user
        raise SettingsError(f"is {value!r}, which is not {_TYPE_NAMES[hint]}")
    if isinstance(value, int) and "minimum" in part.metadata:
        low, high = part.metadata["minimum"], part.metadata["maximum"]
        if not low <= value <= high:
            raise SettingsError(f"is {value}, which is not between {low} and {high}")
    return value


_TYPE_NAMES = {bool: "true or false", int: "a whole number", str: "a string"}

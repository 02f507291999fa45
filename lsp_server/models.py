"""Models on disk: a folder each, with a manifest that is written last.

`$STARCITE_HOME/models/<name>/manifest.json` names the model's file (inside the folder, or by an
absolute path where `starcite model add` refers to a file elsewhere), its size and its sha256.
Models that come with the package lie in `SHIPPED` in the same form; a user's model of the same name
goes before them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from indexer import data_home
from lsp_server.errors import ModelDamagedError, ModelMissingError, ModelUsageError
from lsp_server.gguf import read_header
from lsp_server.model_folder import model_files, read_folder
from lsp_server.prompt import FAMILIES, detect_family

MANIFEST, CONFIG, GRAPH = "manifest.json", "config.json", "model.onnx"
SHIPPED = Path(__file__).with_name("shipped")
DEFAULT_MODEL = "starcite-tiny"  # comes with the package
FETCHED_MODEL = "smollm2-135m"  # what `starcite model fetch` fetches
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """What is known of a model; the JSON of `manifest.json`."""

    name: str
    file: str
    bytes: int
    sha256: str
    family: str  # a key of `lsp_server.prompt.FAMILIES`
    license: str  # SPDX; "unknown" where nobody said
    source: str  # where the file came from
    context_length: int  # tokens
    fim: str | None  # "psm", or None for a model that reads only forwards
    claim: str = "indexed"  # the most that can be said; `trained_on` also needs the same corpus
    corpus_digest: str = ""  # of the corpus that it was trained on, where that is known
    # the sha256 of every file of the model by its name beside `file`; empty: of `file` alone
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model whose file is there and has the size that its manifest says."""

    manifest: ModelManifest
    path: Path


def models_path() -> Path:
    """The folder in which each model has a folder of its own."""
    return data_home() / "models"


def open_model(name_or_path: str) -> Model:
    """Find a model by its name, its folder or its GGUF file, and check that it is whole.

    Raises:
        ModelMissingError: there is no such model.
        ModelDamagedError: a file of it is missing or has another size than the manifest says.
    """
    path = Path(name_or_path).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelMissingError(f"{path} is not a file; give a GGUF file or a model's name")
        return Model(manifest=describe_gguf(path, name=path.stem, sha256=""), path=path.absolute())
    folder = path if path.is_absolute() else _folder_of(name_or_path)
    if not folder.is_dir():
        raise ModelMissingError(f"there is no model {name_or_path!r}; {_how_to_get(name_or_path)}")
    if (folder / CONFIG).is_file() and not (folder / GRAPH).is_file():
        manifest = describe_folder(folder, name=folder.name, sha256="")
        return Model(manifest=manifest, path=Path(manifest.file))
    manifest = read_manifest(folder)
    file = folder / manifest.file  # an absolute `file` stays itself
    if not file.is_file():
        raise ModelDamagedError(
            f"{file}, the file of model {manifest.name!r}, is missing; {_how_to_get(manifest.name)}"
        )
    n_bytes = file.stat().st_size
    if n_bytes != manifest.bytes:
        raise ModelDamagedError(
            f"{file} has {n_bytes:,} bytes and its manifest says {manifest.bytes:,}; "
            f"{_how_to_get(manifest.name)}"
        )
    return Model(manifest=manifest, path=file)


def verify_model(model: Model, progress: Progress | None = None) -> None:
    """Compare the sha256 of each of its files with the manifest's.

    Raises:
        ModelDamagedError: one differs or is missing.
    """
    manifest = model.manifest
    expected = {model.path.name: manifest.sha256} | dict(manifest.files)
    for name, wanted in expected.items():
        path = model.path.parent / name
        if Path(name).name != name or not path.is_file():
            raise ModelDamagedError(
                f"{path}, a file of model {manifest.name!r}, is missing; "
                f"{_how_to_get(manifest.name)}"
            )
        actual = sha256_of(path, progress)
        if actual != wanted:
            raise ModelDamagedError(
                f"{path} has sha256 {actual} and its manifest says {wanted}; "
                f"{_how_to_get(manifest.name)}"
            )


def installed_models() -> list[str]:
    """The names of the models that have a manifest, sorted; they may still be damaged."""
    return sorted({*_names_in(models_path()), *_names_in(SHIPPED)})


def read_manifest(folder: Path) -> ModelManifest:
    """Read a model folder's manifest.

    Raises:
        ModelDamagedError: it is missing, is no JSON, or lacks a field.
    """
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text("utf-8"))
        names = {field.name for field in fields(ModelManifest)}
        manifest = ModelManifest(**{key: values[key] for key in names & values.keys()})
        _check_files(manifest.files)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelDamagedError(
            f"{path} cannot be read ({error}); {_how_to_get(folder.name)}"
        ) from error
    if manifest.family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ModelDamagedError(f"{path}: family {manifest.family!r} is unknown; known: {known}")
    return manifest


def write_manifest(folder: Path, manifest: ModelManifest) -> None:
    """Write the manifest atomically; this is the last step that makes a folder a model."""
    partial = folder / (MANIFEST + ".partial")
    partial.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    partial.replace(folder / MANIFEST)


def describe_gguf(
    path: Path, *, name: str, sha256: str, family: str = "", source: str = ""
) -> ModelManifest:
    """Make a manifest from what a GGUF file says about itself.

    Raises:
        ModelUsageError: `family` is not known.
        ModelDamagedError: the file is not GGUF.
    """
    header = read_header(path)
    family = family or detect_family(header.special_tokens)
    if family not in FAMILIES:
        raise ModelUsageError(f"family {family!r} is unknown; known: {', '.join(FAMILIES)}")
    return ModelManifest(
        name=name,
        file=str(path.absolute()),
        bytes=path.stat().st_size,
        sha256=sha256,
        family=family,
        license=header.license or "unknown",
        source=source or "added by hand",
        context_length=header.context_length,
        fim="psm" if FAMILIES[family].sentinels else None,
    )


def describe_folder(folder: Path, *, name: str, sha256: str, family: str = "") -> ModelManifest:
    """Make a manifest from what a folder for `transformers` says about itself.

    Raises:
        ModelUsageError: `family` is not known.
        ModelDamagedError: a file of the folder is missing or cannot be read.
    """
    facts = read_folder(folder)
    family = family or detect_family(facts.special_tokens)
    if family not in FAMILIES:
        raise ModelUsageError(f"family {family!r} is unknown; known: {', '.join(FAMILIES)}")
    return ModelManifest(
        name=name,
        file=str(facts.weights.absolute()),
        bytes=facts.weights.stat().st_size,
        sha256=sha256,
        family=family,
        license="unknown",
        source=f"added by hand, {facts.architecture}",
        context_length=facts.context_length,
        fim="psm" if FAMILIES[family].sentinels else None,
        claim="trained_on" if facts.corpus_digest else "indexed",
        corpus_digest=facts.corpus_digest,
    )


def add_model(path: Path, name: str = "", family: str = "") -> ModelManifest:
    """Register a GGUF file or a model folder where it lies, under a name.

    A folder is one that `starcite train export` wrote, or one that `transformers` can load.

    Raises:
        ModelUsageError: there is no such file, or the name or the family cannot be used.
        ModelDamagedError: the file is not GGUF, or the folder holds no whole model.
    """
    if not path.is_file() and not (path / CONFIG).is_file():
        raise ModelUsageError(
            f"{path} is neither a GGUF file nor a folder of a model, with {CONFIG}; check the path"
        )
    name = name or re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")
    if not NAME.fullmatch(name):
        raise ModelUsageError(
            f"{name!r} cannot be a model's name; use letters, digits, '.', '_', '-'"
        )
    if name in installed_models():
        raise ModelUsageError(f"there is a model {name!r} already; choose another with --name")
    if path.is_dir() and not (path / GRAPH).is_file():
        files = {file.name: sha256_of(file) for file in model_files(path)}
        weights = read_folder(path).weights
        manifest = describe_folder(path, name=name, sha256=files[weights.name], family=family)
        manifest = replace(manifest, files=files)
    elif path.is_dir():
        manifest = replace(open_model(str(path.absolute())).manifest, name=name)
        manifest = replace(manifest, file=str(path.absolute() / manifest.file))
    else:
        manifest = describe_gguf(path, name=name, sha256=sha256_of(path), family=family)
    folder = models_path() / name
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, manifest)
    return manifest


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """Hash a file in pieces, telling `progress` how far it is."""
    digest, total, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            done += len(piece)
            if progress:
                progress(done, total)
    return digest.hexdigest()


def _check_files(files: object) -> None:
    """Raises: TypeError if a manifest's `files` is no table of texts."""
    if not isinstance(files, dict) or not all(isinstance(one, str) for one in files.values()):
        raise TypeError(f"files is {files!r}, not a table of names and digests")


def _folder_of(name: str) -> Path:
    own = models_path() / name
    return SHIPPED / name if not own.is_dir() and name in _names_in(SHIPPED) else own


def _names_in(folder: Path) -> list[str]:
    names = (path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    return [name for name in names if not name.endswith(".partial")]


def _how_to_get(name: str) -> str:
    if (SHIPPED / name).is_dir():
        return "install Starcite again"
    if name == FETCHED_MODEL:
        return "run: starcite model fetch"
    return "see `starcite model list`, or run: starcite model add PATH"

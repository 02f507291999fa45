"""Where Starcite keeps its data; the only place in this package that reads the environment."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

HOME_VARIABLE = "STARCITE_HOME"
ELASTIC_NAME = "starcite"  # the alias of the index in a cluster
ELASTIC_LOGIN_VARIABLE = "STARCITE_ELASTICSEARCH_LOGIN"
ELASTIC_LOGIN_FILE_VARIABLE = "STARCITE_ELASTICSEARCH_LOGIN_FILE"
ELASTIC_CA_VARIABLE = "STARCITE_ELASTICSEARCH_CA"


def data_home() -> Path:
    """The folder that holds corpora, indexes and models: $STARCITE_HOME or the platform's own."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else user_data_path("starcite")


def default_corpus_path() -> Path:
    """The folder that `starcite corpus fetch` fills and `starcite index build` reads."""
    return data_home() / "corpus" / "default"


def frozen_corpus_path() -> Path:
    """The folder of shards that `starcite corpus freeze` fills and that models are trained on."""
    return data_home() / "corpus" / "frozen"


def library_corpus_path() -> Path:
    """The folder of shards of the running Python's own library, which differs among machines."""
    return data_home() / "corpus" / "library"


def default_index_path() -> Path:
    """The folder that `starcite index build` writes and every query reads."""
    return data_home() / "index" / "default"


def elastic_login() -> str:
    """NAME:PASSWORD for Elasticsearch, of the environment or of the file that it names; or "".

    Raises:
        OSError: the file cannot be read.
    """
    file = os.environ.get(ELASTIC_LOGIN_FILE_VARIABLE)
    if file:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    return os.environ.get(ELASTIC_LOGIN_VARIABLE, "")


def elastic_ca_file() -> str:
    """The file of certificates that Elasticsearch's is checked with; "" means the usual ones."""
    return os.environ.get(ELASTIC_CA_VARIABLE, "")

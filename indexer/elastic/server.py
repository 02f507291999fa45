"""A connection to Elasticsearch: addresses, login, and whether what answers there will do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from elastic_transport.client_utils import DEFAULT
from elasticsearch import Elasticsearch

from indexer.config import ELASTIC_NAME, elastic_ca_file, elastic_login
from indexer.elastic.errors import ElasticError, ElasticSettingError, asking

_MAJOR = 8  # the client and the server must be of one major version
_NAME = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}")
_REQUEST_S = 30.0
_MAX_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Server:
    """A cluster that has answered, and the alias under which its index goes."""

    client: Elasticsearch
    where: str  # for messages: addresses without a login
    name: str
    version: str
    n_nodes: int

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def connect(
    urls: Sequence[str],
    *,
    name: str = ELASTIC_NAME,
    request_s: float = _REQUEST_S,
    max_retries: int = _MAX_RETRIES,
) -> Server:
    """The cluster at these addresses, one or several nodes of it.

    Args:
        urls: of its nodes.
        name: the alias of the index.
        request_s: after so many seconds a request is given up, or
        max_retries: sent again as often as this, to another node where there are several.

    Raises:
        ElasticSettingError: an address, the name or the login cannot be used.
        ElasticError: nobody answers, or not an Elasticsearch of a version that will do.
    """
    hosts, login = check_settings(urls, name=name)
    where, ca_file = ", ".join(hosts), elastic_ca_file()
    client = Elasticsearch(
        hosts,
        basic_auth=login,
        request_timeout=request_s,
        retry_on_timeout=True,
        max_retries=max_retries,
        ca_certs=ca_file or DEFAULT,
    )
    try:
        with asking(where):
            version, n_nodes = _look_at(client, where)
    except BaseException:
        client.close()
        raise
    return Server(client, where, name, version, n_nodes)


def check_settings(urls: Sequence[str], *, name: str) -> tuple[list[str], tuple[str, str] | None]:
    """The addresses in one form, and the login, if there is one; nobody is asked.

    Raises:
        ElasticSettingError: an address, the name or the login cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise ElasticSettingError(
            f"{name!r} is no name for an index: use lower-case letters, digits, _ and ."
        )
    hosts = [_checked(url) for url in urls]
    if not hosts:
        raise ElasticSettingError("no address of Elasticsearch was given: http://127.0.0.1:9200")
    return hosts, _login()


def _login() -> tuple[str, str] | None:
    try:
        login = elastic_login()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ElasticSettingError(f"cannot read the login for Elasticsearch: {reason}") from error
    user, colon, password = login.partition(":")
    if login and not colon:
        raise ElasticSettingError("the login for Elasticsearch is not NAME:PASSWORD")
    return (user, password) if login else None


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 9200)
    except ValueError:
        is_address = False
    if not is_address:
        raise ElasticSettingError(
            f"{url.rpartition('@')[2]!r} is no address of Elasticsearch: http://127.0.0.1:9200"
        )
    if parts.username is not None or parts.password is not None:
        raise ElasticSettingError(
            "an address with a login in it ends up in logs and lists of processes: set "
            "STARCITE_ELASTICSEARCH_LOGIN instead"
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def _look_at(client: Elasticsearch, where: str) -> tuple[str, int]:
    """The version of the cluster's nodes, and how many hold data."""
    nodes = client.nodes.info(metric="http", filter_path=["nodes.*.version"])["nodes"].values()
    versions = sorted({str(node["version"]) for node in nodes})
    for version in versions:
        if version.partition(".")[0] != str(_MAJOR):
            raise ElasticError(
                f"{where} runs Elasticsearch {version}, this client speaks to {_MAJOR}.x; "
                f"run a server of version {_MAJOR}"
            )
    health = client.cluster.health()
    if health["status"] == "red":
        raise ElasticError(
            f"the cluster on {where} is red: parts of its data are missing. Start the nodes that "
            "hold them, or look at GET _cluster/allocation/explain"
        )
    return ", ".join(versions), int(health["number_of_data_nodes"])

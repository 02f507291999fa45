"""What can go wrong with an index in Elasticsearch; no message holds a login or a text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError, AuthenticationException, AuthorizationException
from elasticsearch import UnsupportedProductError as NotElasticsearch

from indexer.errors import IndexerError, IndexReplacedError


class ElasticError(IndexerError):
    """Elasticsearch cannot be asked, or refuses."""


class ElasticSettingError(ElasticError):
    """An address, a name or a login cannot be used."""

    exit_code = 2


@contextlib.contextmanager
def asking(where: str) -> Iterator[None]:
    """Say in one line what went wrong, and what to do.

    Raises:
        IndexReplacedError: there is no such index any more.
        ElasticError: anything else.
    """
    try:
        yield
    except NotElasticsearch as error:
        raise ElasticError(
            f"what answers on {where} is no Elasticsearch (OpenSearch is another server)"
        ) from error
    except AuthenticationException as error:
        raise ElasticError(
            f"{where} wants a login, or another one: set STARCITE_ELASTICSEARCH_LOGIN to "
            "NAME:PASSWORD, or STARCITE_ELASTICSEARCH_LOGIN_FILE to a file that holds it"
        ) from error
    except AuthorizationException as error:
        raise ElasticError(
            f"the login may not do this on {where}: it needs the privileges monitor of the cluster "
            "and all of the index"
        ) from error
    except ApiError as error:
        if error.error == "index_not_found_exception":
            raise IndexReplacedError(where) from error
        raise ElasticError(
            f"{where} refuses with {error.status_code}: {error.error!s:.200}"
        ) from error
    except ConnectionTimeout as error:
        raise ElasticError(f"{where} did not answer in time; is the cluster overloaded?") from error
    except TransportError as error:
        raise ElasticError(
            f"{where} cannot be reached ({type(error).__name__}); is Elasticsearch running there?"
        ) from error

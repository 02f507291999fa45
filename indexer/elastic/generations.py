"""The indices behind one alias: a rebuild fills a new one, then the alias is moved in one step."""

from __future__ import annotations

from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from indexer.elastic.errors import ElasticError, asking
from indexer.elastic.layout import Facts, facts_of
from indexer.elastic.server import Server

_FIRST_CHUNKS = {"term": {"chunk": 0}}


def newest(server: Server) -> str | None:
    """The index that the alias stands for; None: there is none yet.

    Raises:
        ElasticError: it cannot be asked, or the name is taken by something else.
    """
    with asking(server.where):
        try:
            names = sorted(server.client.indices.get_alias(name=server.name))
        except NotFoundError:
            return None
    if len(names) != 1:
        raise ElasticError(
            f"{server.name} on {server.where} stands for {len(names)} indices: {', '.join(names)}; "
            "point the alias to one of them"
        )
    return names[0]


def following(server: Server) -> str:
    """The name of the next index: the highest number there is, and one."""
    with asking(server.where):
        names = server.client.indices.get(
            index=f"{server.name}-*", features="aliases", expand_wildcards="all"
        )
    numbers = [name.removeprefix(f"{server.name}-") for name in names]
    number = max((int(one) for one in numbers if one.isdigit()), default=0) + 1
    return f"{server.name}-{number:06d}"


def move_alias(server: Server, index: str, *, before: str | None) -> None:
    """Let the alias stand for another index; whoever asks sees the one or the other."""
    actions: list[dict[str, Any]] = [{"add": {"index": index, "alias": server.name}}]
    if before is not None:
        actions.append({"remove": {"index": before, "alias": server.name}})
    with asking(server.where):
        server.client.indices.update_aliases(actions=actions)


def facts(client: Elasticsearch, index: str, *, where: str) -> Facts:
    """How an index was made, and how many documents it has.

    Raises:
        ElasticError: it is no index of Starcite, or of another version.
    """
    with asking(where):
        meta = client.indices.get_mapping(index=index)[index]["mappings"].get("_meta", {})
        n_documents = client.count(index=index, query=_FIRST_CHUNKS)["count"]
    try:
        return facts_of(meta, n_documents=int(n_documents))
    except (ValueError, KeyError, TypeError) as error:
        raise ElasticError(
            f"the index {index} on {where} cannot be read: {error}; run: starcite elastic push"
        ) from error

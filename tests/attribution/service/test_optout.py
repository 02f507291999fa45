"""Asking the service to be left out: who may, what is kept, and what is never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from attribution.service import Service, create_app
from indexer.optout.intake import intake_path, read_intake, settle, waiting
from tests.attribution.service.asgi_client import Answer, ask, post

TOKEN = "0123456789abcdef-of-the-team"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def team(own_index: Path) -> Starlette:
    """The service for those who hold the token."""
    return create_app(Service(index=own_index, token=TOKEN))


def ask_out(app: Starlette, record: object) -> Answer:
    return post(app, "/v1/optout", record, **BEARER)


def test_a_request_is_on_the_disk_when_it_is_acknowledged(team: Starlette) -> None:
    """202 comes with a key; the queue holds what was asked, and the key tells what became of it."""
    answer = ask_out(team, {"repo": "octocat/hello", "path": ["src/*.py", "docs/*"]})
    (queued,) = waiting(intake_path())
    key = answer.record["key"]
    before = ask(team, f"/v1/optout/{key}", **BEARER).record["status"]
    settle(intake_path(), key)
    after = ask(team, f"/v1/optout/{key}", **BEARER).record["status"]

    assert answer.status == 202
    assert queued.selector.repositories == ("octocat/hello",)
    assert queued.selector.paths == ("docs/*", "src/*.py")
    assert (before, after) == ("waiting", "settled")
    assert ask(team, "/v1/optout/0", **BEARER).status == 404


def test_nobody_is_taken_out_by_asking(team: Starlette) -> None:
    """Until the keeper has carried it out, what is in the index is found."""
    ask_out(team, {"owner": "shop"})
    found = ask(team, "/sources", "owner=shop&format=json", **BEARER).record

    assert found["counts"]["n_documents"] == 1


def test_only_those_with_a_token_may_ask(app: Starlette, team: Starlette) -> None:
    """A service that asks nobody for a token takes no requests, and queues nothing."""
    unknown = post(app, "/v1/optout", {"owner": "shop"})
    without = post(team, "/v1/optout", {"owner": "shop"})

    assert (unknown.status, without.status) == (403, 401)
    assert "--token-file" in unknown.record["error"]
    assert ask(app, "/v1/optout/0").status == 403
    assert read_intake(intake_path()) == []


@pytest.mark.parametrize(
    ("record", "part"),
    [
        ({}, "nothing is asked for"),
        ({"owner": ""}, "nothing is asked for"),
        ({"owner": 7}, "give texts"),
        ({"ower": "a"}, "'ower' cannot be asked for"),
        ({"repo": "alone"}, "repo 'alone' is not owner/name"),
    ],
)
def test_what_cannot_be_read_is_not_queued(team: Starlette, record: object, part: str) -> None:
    """The reason is in the words of the request."""
    answer = ask_out(team, record)

    assert answer.status == 400
    assert part in answer.record["error"]
    assert read_intake(intake_path()) == []


def test_a_queue_that_cannot_be_written_is_a_503(team: Starlette) -> None:
    """Without room or right to write nothing is acknowledged, and the client may come back."""
    path = intake_path()
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("a file where the folder should be")
    answer = ask_out(team, {"owner": "shop"})

    assert answer.status == 503
    assert answer.headers["retry-after"] == "2"
    assert "cannot write" in answer.record["error"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    body=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(
            st.sampled_from(["owner", "repo", "path", "swhid", "x"]),
            st.text(max_size=12) | st.lists(st.text(max_size=8), max_size=3) | st.integers(),
        ).map(lambda one: json.dumps(one).encode()),
    )
)
def test_no_request_makes_it_fail(team: Starlette, body: bytes) -> None:
    """Whatever is sent is queued or refused, and the queue stays readable."""
    named = {"content-type": "application/json", **BEARER}
    before = len(read_intake(intake_path()))
    answer = ask(team, "/v1/optout", method="POST", body=body, **named)

    assert answer.status in {202, 400}
    assert len(read_intake(intake_path())) - before == (answer.status == 202)

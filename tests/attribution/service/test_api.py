"""What programs ask the service: trace, membership, search, documents, fingerprints, overlap."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from attribution import Tracer
from attribution.cli import trace as trace_command
from attribution.config import ServiceConfig
from attribution.overlap import overlap
from attribution.service import Service, create_app
from indexer import lex, winnow
from indexer.add import add_segment
from indexer.embed import embed_index
from indexer.tombstones import forget_documents
from tests.attribution.conftest import CART, source_file
from tests.attribution.service.asgi_client import ask, post

# As llm-vscode sends it (huggingface/llm-vscode, highlightStackAttributions.ts), but for the text.
LLM_VSCODE = {
    "content-type": "application/json",
    "accept": "*/*",
    "user-agent": "node-fetch",
    "accept-encoding": "gzip, deflate, br",
}


def unpacked(text: str) -> list[int]:
    values: list[int] = np.frombuffer(base64.b64decode(text), dtype="<i8").tolist()
    return values


def test_a_trace_is_what_the_command_prints(app: Starlette, own_index: Path) -> None:
    """The service gives the document of `starcite trace --json`, to the last field."""
    text = "# mine\n" + CART[:900]
    answer = post(app, "/v1/trace", {"text": text, "path": "<stdin>", "leads": True}).record
    arguments = ["-", "--index", str(own_index), "--json", "--leads"]
    printed = json.loads(CliRunner().invoke(trace_command, arguments, input=text).stdout)
    for one in (answer, printed):
        del one["results"][0]["elapsed_ms"]

    assert answer["results"][0]["matches"][0]["tier"] == "E1"
    assert answer == printed


def test_every_answer_is_strict_json(app: Starlette) -> None:
    """A browser reads it: no Infinity, no NaN, also where a match was renamed."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    renamed = CART.replace("article", "thing").replace("owner", "holder").replace("cart", "bag")
    answer = json.loads(post(app, "/v1/trace", {"text": renamed}).text, parse_constant=refuse)

    assert answer["results"][0]["matches"][0]["tier"] == "E3"


def test_absence_is_proved_on_request(app: Starlette) -> None:
    """What was not found can be asked for as a proof that nothing is shared."""
    strange = "".join(f"zeta_{n} = omega_{n} + {n}\n" for n in range(40))
    plain = post(app, "/v1/trace", {"text": strange}).record["results"][0]
    proved = post(app, "/v1/trace", {"text": strange, "absence": True}).record["results"][0]

    assert plain["absence"] is None
    assert (proved["verdict"], proved["absence"]["is_proved"]) == ("none", True)


def test_membership_is_a_first_look(app: Starlette) -> None:
    """An indexed text has a chain of tiles; a strange one has none."""
    member = post(app, "/v1/membership", {"text": CART}).record
    stranger = post(app, "/v1/membership", {"text": "q = 7\n" * 90}).record

    assert (member["is_worth_a_look"], stranger["is_worth_a_look"]) == (True, False)
    assert member["longest_chain"] > 20 > stranger["longest_chain"]


def test_search_finds_by_words(app: Starlette) -> None:
    """BM25 brings the chunk with its lines and origins."""
    asked = {"text": "discount quantity articles", "view": "bm25", "top_k": 1}
    (found,) = post(app, "/v1/search", asked).record["results"]

    assert [one["name"] for one in found["origins"]] == ["market", "shop"]
    assert (found["start_line"], found["end_line"]) == (0, len(CART.split("\n")))


@pytest.mark.parametrize("view", ["dense", "hybrid"])
def test_a_view_that_is_not_there_is_said_so(app: Starlette, view: str) -> None:
    """Nobody is told "nothing found" by a view that the index does not have."""
    answer = post(app, "/v1/search", {"text": "discount", "view": view})

    assert answer.status == 422
    assert "no dense view" in answer.record["error"]


@pytest.mark.parametrize("view", ["dense", "hybrid"])
def test_search_by_vectors(app: Starlette, own_index: Path, view: str) -> None:
    """Once the index has a dense view, the next question can ask for it; code leads to itself."""
    embed_index(own_index)
    answer = post(app, "/v1/search", {"text": CART, "view": view, "top_k": 3}).record
    first, second, _ = answer["results"]

    assert (answer["view"], answer["missing_views"]) == (view, [])
    assert [one["name"] for one in first["origins"]] == ["market", "shop"]
    assert first["score"] > 0.9
    assert first["score"] >= second["score"]


def test_a_document_comes_whole_or_by_lines(app: Starlette, tracer: Tracer) -> None:
    """Lines count from 0, half-open, and are cut at the document's end."""
    (number,) = {
        source.document_id for match in tracer.trace(CART).matches for source in match.sources
    }
    where = f"/v1/documents/{number}"
    whole, some = ask(app, where).record, ask(app, where, "start_line=2&end_line=4").record
    beyond = ask(app, where, "start_line=9999&end_line=99999").record

    assert whole["text"] == CART
    assert some["text"] == "".join(CART.splitlines(keepends=True)[2:4])
    assert (some["start_line"], some["end_line"], some["n_lines"]) == (2, 4, whole["n_lines"])
    assert (beyond["text"], beyond["start_line"]) == ("", whole["n_lines"])
    assert [one["purl"] for one in whole["origins"]] == [
        "pkg:pypi/market@1.2.3", "pkg:pypi/shop@1.2.3",
    ]  # fmt: skip


def test_a_document_of_another_digest_is_not_shown(app: Starlette) -> None:
    """Who asks by the digest that a trace named never gets another text of the same number."""
    digest = ask(app, "/v1/documents/0").record["document_sha256"]

    assert ask(app, "/v1/documents/0", f"sha256={digest}").status == 200
    assert ask(app, "/v1/documents/0", f"sha256={'0' * 64}").status == 409


def test_what_is_forgotten_is_shown_by_no_answer(app: Starlette, own_index: Path) -> None:
    """Tombstones count from the next question on: trace, search, lookup and document."""
    before = post(app, "/v1/trace", {"text": CART}).record["results"][0]
    number = before["matches"][0]["sources"][0]["document_id"]
    forget_documents(own_index, [number])
    trace = post(app, "/v1/trace", {"text": CART}).record["results"][0]
    found = post(app, "/v1/search", {"text": "discount articles quantity"}).record["results"]
    held = winnow(lex(CART.encode(), "python").hashes, k=10, w=8).values.tolist()
    postings = post(app, "/v1/lookup", {"fingerprints": held}).record

    assert (before["verdict"], trace["verdict"]) == ("found", "none")
    assert number not in {one["document_id"] for one in found}
    assert number not in unpacked(postings["document_id"])
    assert ask(app, f"/v1/documents/{number}").status == 404


def test_what_is_added_is_found_at_once(app: Starlette, own_index: Path) -> None:
    """A new segment counts from the next question on."""
    text = "".join(f"def f{n}(a{n}, b{n}):\n    return a{n} * {n} - b{n}\n" for n in range(12))
    before = post(app, "/v1/trace", {"text": text}).record["results"][0]["verdict"]
    add_segment([source_file(text, "new.py", name="new")], own_index)
    after = post(app, "/v1/trace", {"text": text}).record["results"][0]["verdict"]

    assert (before, after) == ("none", "found")


@pytest.mark.parametrize("view", ["e", "p"])
def test_a_lookup_is_that_of_the_index(app: Starlette, tracer: Tracer, view: str) -> None:
    """Fingerprints alone bring the postings that the index has of them."""
    wanted = winnow(lex(CART.encode(), "python").hashes, k=10, w=8).values
    answer = post(app, "/v1/lookup", {"fingerprints": wanted.tolist(), "view": view}).record
    expected = tracer.index.lookup(wanted, view="e" if view == "e" else "p")

    assert unpacked(answer["document_id"]) == expected.document_id.tolist()
    assert unpacked(answer["offset"]) == expected.offset.tolist()
    assert unpacked(answer["query_index"]) == expected.query_index.tolist()
    assert view == "p" or len(expected) > 20


def test_the_starcoder_demos_client_gets_its_spans(app: Starlette, tracer: Tracer) -> None:
    """Its own request, byte for byte, is answered with spans that it can lay over its text."""
    document = "mine = 1\n" + CART[:700]
    body = json.dumps({"document": document}, separators=(",", ":")).encode()
    answer = ask(app, "/overlap", method="POST", body=body, **LLM_VSCODE)

    assert answer.status == 200
    assert set(answer.record) == {"spans", "segments", "raw_segments"}
    assert answer.record["spans"] == [list(one) for one in overlap(tracer.index, document)["spans"]]
    for (start, end), segment in zip(
        answer.record["spans"], answer.record["segments"], strict=True
    ):
        assert document[start:end] == segment
    assert len("".join(answer.record["segments"])) >= 600


def batch(app: Starlette, *lines: str) -> tuple[int, list[dict[str, object]]]:
    body = "\n".join(lines).encode()
    named = {"content-type": "application/x-ndjson"}
    answer = ask(app, "/v1/trace/batch", method="POST", body=body, **named)
    return answer.status, [json.loads(line) for line in answer.text.splitlines()]


def test_a_batch_answers_line_by_line(app: Starlette) -> None:
    """Each line has an answer of its own, in order, also one that cannot be read."""
    good, none = json.dumps({"text": CART}), json.dumps({"text": "x = 1"})
    status, lines = batch(app, good, "{", "", none, '{"text": 7}', good)

    assert status == 200
    assert [one["line"] for one in lines] == [0, 1, 2, 3, 4]
    assert [one["status"] for one in lines] == [200, 400, 200, 400, 200]
    verdicts = [one["results"][0]["verdict"] for one in lines if "results" in one]  # type: ignore[index]
    assert verdicts == ["found", "none", "found"]


def test_a_batch_that_takes_too_long_says_where_it_stopped(own_index: Path) -> None:
    """Lines that were not looked up are told so, each by its number."""
    config = replace(ServiceConfig(), max_batch_s=-1.0)
    app = create_app(Service(index=own_index, config=config))
    status, lines = batch(app, *[json.dumps({"text": CART})] * 9)

    assert status == 200
    assert [(one["line"], one["status"]) for one in lines] == [(n, 503) for n in range(9)]


def test_a_batch_has_limits(own_index: Path) -> None:
    """No lines, too many of them or too many bytes are refused as a whole."""
    config = replace(ServiceConfig(), max_batch_lines=3, max_batch_bytes=200)
    app = create_app(Service(index=own_index, config=config))

    assert batch(app, "", " ")[0] == 400
    assert batch(app, *["{}"] * 4)[0] == 400
    assert batch(app, "x" * 201)[0] == 413
    assert batch(app, *["{}"] * 3)[0] == 200


@pytest.mark.parametrize(
    ("path", "record", "part"),
    [
        ("/v1/trace", {}, "text is missing"),
        ("/v1/trace", {"text": 1}, "text is no text"),
        ("/v1/trace", {"text": "a", "langauge": "c"}, "did you mean language?"),
        ("/v1/trace", {"text": "a", "leads": 1}, "neither true nor false"),
        ("/v1/trace", {"text": "a", "language": "a" * 513}, "513 characters"),
        ("/v1/trace", [], "no JSON object"),
        ("/v1/search", {"text": "a", "top_k": 101}, "top_k is no whole number from 1 to 100"),
        ("/v1/search", {"text": "a", "top_k": True}, "top_k is no whole number"),
        ("/v1/search", {"text": "a", "view": ["bm25"]}, "view is none of bm25"),
        ("/v1/lookup", {"fingerprints": "1"}, "no list of whole numbers"),
        ("/v1/lookup", {"fingerprints": [1.0]}, "no list of whole numbers"),
        ("/v1/lookup", {"fingerprints": [-1]}, "is not between"),
        ("/v1/lookup", {"fingerprints": [2**32]}, "is not between"),
        ("/v1/lookup", {"fingerprints": [1] * 1025}, "ask for 1,024"),
        ("/overlap", {"documents": "a"}, "document is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    app: Starlette, path: str, record: object, part: str
) -> None:
    """The message names the field and what it should be."""
    answer = post(app, path, record)

    assert answer.status == 400
    assert part in answer.record["error"]


@pytest.mark.parametrize(
    "query",
    ["start_line=-1", "end_line=x", "start_line=99999999999", "lines=1", "frequencies=1", "sha256="
     + "a" * 65],
)  # fmt: skip
def test_a_documents_query_is_read_strictly(app: Starlette, query: str) -> None:
    """What is no line, and what is not known, is refused."""
    assert ask(app, "/v1/documents/0", query).status == 400


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "9" * 5000, "%D9%A3", "4294967295"])
def test_a_documents_number_is_read_strictly(app: Starlette, number: str) -> None:
    """What is no number, and what no index has, never ends in a failure."""
    assert ask(app, f"/v1/documents/{number}").status in {400, 404}


POSTED = ("/v1/trace", "/v1/membership", "/v1/search", "/v1/lookup", "/overlap")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
_FIELDS = st.dictionaries(
    st.sampled_from(["text", "document", "language", "view", "top_k", "fingerprints", "leads"]),
    _JSON,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    path=st.sampled_from(POSTED),
    body=st.one_of(
        st.binary(max_size=60),
        _JSON.map(lambda one: json.dumps(one).encode()),
        _FIELDS.map(lambda one: json.dumps(one).encode()),
    ),
)
@example(path="/v1/trace", body=b"[" * 200_000)
@example(path="/v1/trace", body=b'{"text": ' + b"1" * 6_000 + b"}")
@example(path="/v1/trace", body=b'{"text": "\\ud800 \\u0000 \\udfff", "language": "\\ud800"}')
@example(path="/v1/membership", body=b'{"text": "\\ud800\\ud800' + b"a" * 90 + b'"}')
@example(path="/v1/search", body=b'{"text": "\\ud800 a"}')
@example(path="/overlap", body=b'{"document": "\\udc00' + b"b" * 90 + b'"}')
@example(path="/v1/trace", body=b"\xff\xfe{\x00}\x00")
def test_no_body_makes_it_fail(app: Starlette, path: str, body: bytes) -> None:
    """Whatever is sent is answered or refused; nothing is a failure of the service."""
    named = {"content-type": "application/json"}
    answer = ask(app, path, method="POST", body=body, **named)

    assert answer.status in {200, 400, 422}
    assert answer.record is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(body=st.lists(st.binary(max_size=30), min_size=1, max_size=5).map(b"\n".join))
def test_no_batch_makes_it_fail(app: Starlette, body: bytes) -> None:
    """Each line of garbage is refused by itself."""
    named = {"content-type": "application/x-ndjson"}
    answer = ask(app, "/v1/trace/batch", method="POST", body=body, **named)
    n_lines = sum(bool(line.strip()) for line in body.split(b"\n"))

    assert answer.status == (200 if n_lines else 400)
    if n_lines:
        assert [json.loads(one)["status"] for one in answer.body.splitlines()] == [400] * n_lines

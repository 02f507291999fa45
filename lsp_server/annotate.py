"""Traces the open documents in the background and keeps what was found for marks and hovers.

Tracing runs in threads of its own, after a rest in typing; only the newest version of a document is
ever published. The index is opened in the background, and again when its manifest changes: an index
that was built, rebuilt or repaired while the editor is open needs no restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeVar

from attribution import AttributionFailure
from attribution.license_policy import Decision
from attribution.policy_file import PolicyError
from attribution.types import Match, Trace, Verdict
from indexer import IndexerError
from lsp_server import protocol
from lsp_server.config import AttributionSettings
from lsp_server.documents import Document, DocumentStore
from lsp_server.index_source import IndexSource, index_source
from lsp_server.match_json import claim_of_all, is_objection, match_json, origin_json
from lsp_server.open_policies import OpenPolicies

if TYPE_CHECKING:
    from lsp_server.index_source import AnyTracer

log = logging.getLogger(__name__)

SWITCHED_OFF = "starcite.attribution.enabled is off"

R = TypeVar("R")
Publish = Callable[[protocol.MatchesParams], None]


class Annotator:
    """Holds the tracer and, for each open document, the matches of its newest version."""

    def __init__(
        self,
        documents: DocumentStore,
        *,
        publish: Publish,
        on_state: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        self.status: protocol.IndexStatus = {"state": "missing", "name": "", "detail": ""}
        self.is_opening = False
        self._documents = documents
        self._publish = publish
        self._on_state = on_state
        self._warn = warn
        self._policies = OpenPolicies()
        self._warned: set[str] = set()
        self._settings = AttributionSettings()
        self._model_corpus = ""
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="starcite-trace")
        self._opening: asyncio.Task[AnyTracer | None] | None = None
        self._opened_from: IndexSource | None = None
        self._newest: dict[str, protocol.MatchesParams] = {}
        self._n_changes = 0  # of the index, the model or a policy
        self._published: dict[str, protocol.MatchesParams] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def configure(self, settings: AttributionSettings) -> None:
        """Take over the settings and trace what is open anew if they have changed."""
        changed = settings != self._settings
        self._settings = settings
        if settings.enabled:
            self._tracer()
        else:
            self._opening = self._opened_from = None
            self.is_opening = False
            self.status = {"state": "missing", "name": "", "detail": SWITCHED_OFF}
            self._on_state()
        if changed:
            self._trace_all()

    def take_model(self, corpus_digest: str) -> None:
        """Take over which corpus the model in use was trained on; "" for one that does not say.

        What is open is traced anew: the same match may now be `trained_on`, or no longer be.
        """
        if corpus_digest != self._model_corpus:
            self._model_corpus = corpus_digest
            self._trace_all()

    def policy_changed(self) -> None:
        """A policy was written, changed or removed: what is open is judged anew."""
        self._trace_all()

    def touch(self, uri: str, *, at_once: bool = False) -> None:
        """The document was opened or edited: trace it after a rest."""
        self._stop_timer(uri)
        delay_s = 0 if at_once else self._settings.debounce_ms / 1000
        loop = asyncio.get_running_loop()
        self._timers[uri] = loop.call_later(delay_s, self._start, uri)

    def forget(self, uri: str) -> None:
        """The document was closed: nothing of it is kept."""
        self._stop_timer(uri)
        self._newest.pop(uri, None)
        self._published.pop(uri, None)

    async def matches(self, uri: str) -> protocol.MatchesParams | None:
        """The matches of the newest version, or None if it was closed or edited meanwhile."""
        document = self._documents.get(uri)
        if document is None:
            return None
        if self._settings.enabled:
            self._tracer()  # what was found in an index that has changed since is no answer
        version, known = document.version, self._newest.get(uri)
        if known is not None and known["version"] == version:
            return known
        trace, n_changes = None, 0
        while trace is None or n_changes != self._n_changes:  # it may have changed meanwhile
            n_changes = self._n_changes
            trace = await self.trace(document)
            if self._documents.get(uri) is not document or document.version != version:
                return None
        params: protocol.MatchesParams = {
            "uri": uri,
            "version": version,
            "verdict": trace["verdict"],
            "reason": trace["reason"],
            "matches": trace["matches"],
        }
        self._newest[uri] = params
        return params

    async def trace(
        self, document: Document, start: int = 0, end: int | None = None
    ) -> protocol.TraceResult:
        """Trace `[start, end)` of a document, in code points; ranges are those of the document."""
        lines = document.snapshot()
        text = lines.text[start:end]
        found = await self._look(text, document.language_id)
        decisions = await self._decide(document.uri, found.matches)
        matches = [
            match_json(match, decision, lines.range_of(*_place(match, start)), self._model_corpus)
            for match, decision in zip(found.matches, decisions, strict=True)
            if match.is_alarm or is_objection(decision)
        ]
        return {
            "verdict": found.verdict.value,
            "reason": found.reason,
            "claim": claim_of_all(matches),
            "corpusDigest": found.corpus_digest,
            "elapsedMs": round(found.elapsed_ms, 3),
            "matches": matches,
        }

    async def source(self, document_id: int) -> protocol.SourceResult:
        """The stored text of an indexed document. Raises: IndexerError if there is none."""
        tracer = await self._tracer()
        if tracer is None:
            raise IndexerError(self.status["detail"])
        try:
            document, text = await self._run(tracer.source, document_id)
        except IndexError as error:
            raise IndexerError(str(error)) from error
        return {
            "documentId": document_id,
            "text": text,
            "languageId": document.language,
            "origins": [origin_json(origin) for origin in document.origins],
        }

    def close(self) -> None:
        """Stop the timers; a trace that is running ends by itself within milliseconds."""
        for uri in list(self._timers):
            self._stop_timer(uri)
        for task in self._tasks:
            task.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _look(self, text: str, language: str) -> Trace:
        if not self._settings.enabled:
            return Trace(verdict=Verdict.UNKNOWN, reason=SWITCHED_OFF)
        tracer = await self._tracer()
        if tracer is None:
            return Trace(verdict=Verdict.UNKNOWN, reason=self.status["detail"])
        try:
            found = await self._run(lambda: tracer.trace(text, language=language))
        except (IndexerError, AttributionFailure) as error:
            log.warning("trace_failed error=%s", type(error).__name__)
            found = Trace(verdict=Verdict.UNKNOWN, reason=str(error))
        self._note(found)
        return found

    async def _decide(self, uri: str, matches: Sequence[Match]) -> list[Decision | None]:
        """What the team's policy says of each match; one that cannot be read is told once."""
        try:
            return await self._run(self._policies.decisions, uri, matches)
        except PolicyError as error:
            problem = str(error)
            if problem not in self._warned:
                self._warned.add(problem)
                self._warn(problem)
            return [None] * len(matches)

    def _note(self, found: Trace) -> None:
        """A service is ready when it answers: only a trace can tell."""
        source = self._opened_from
        if source is None or not source.is_remote:
            return
        is_unknown = found.verdict is Verdict.UNKNOWN
        state: Literal["ready", "error"] = "error" if is_unknown else "ready"
        if self.status["state"] != state:
            self.status = {"state": state, "name": source.name, "detail": found.reason}
            self._on_state()

    def _tracer(self) -> asyncio.Future[AnyTracer | None]:
        """The tracer, opened in the background; anew when the manifest is another one."""
        seen = index_source(self._settings)
        if self._opening is None or seen != self._opened_from:
            self._opened_from = seen
            self._forget_answers()
            self.is_opening = True
            work = self._open(seen, is_first=self._opening is None)
            self._opening = asyncio.get_running_loop().create_task(work)
        return asyncio.shield(self._opening)

    async def _open(self, source: IndexSource, *, is_first: bool) -> AnyTracer | None:
        tracer: AnyTracer | None = None
        state: Literal["missing", "ready", "error"] = "error"
        detail = f"the index in {source.name} could not be opened; run: starcite index verify"
        try:
            tracer = await self._run(source.open)
            state, detail = "ready", ""
        except (IndexerError, OSError) as error:
            is_there = source.changed_at or source.is_remote
            state, detail = ("error" if is_there else "missing"), str(error)
        finally:
            if self._opened_from == source:  # else a newer one is being opened
                self.is_opening = False
                self.status = {"state": state, "name": source.name, "detail": detail}
                self._on_state()
                if not is_first:  # what is traced for the first time is waiting for this
                    self._trace_all()
        return tracer

    def _forget_answers(self) -> None:
        """What was found, and what is being looked for, no longer holds."""
        self._newest.clear()
        self._n_changes += 1

    def _trace_all(self) -> None:
        self._forget_answers()
        for document in self._documents:
            self.touch(document.uri, at_once=True)

    def _start(self, uri: str) -> None:
        self._timers.pop(uri, None)
        task = asyncio.get_running_loop().create_task(self._annotate(uri))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _annotate(self, uri: str) -> None:
        params = await self.matches(uri)
        if params is not None and params is not self._published.get(uri):
            self._published[uri] = params
            self._publish(params)

    def _stop_timer(self, uri: str) -> None:
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()

    async def _run(self, function: Callable[..., R], *arguments: object) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, *arguments)


def _place(match: Match, offset: int) -> tuple[int, int]:
    return offset + match.query.start, offset + match.query.end

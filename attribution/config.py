"""The thresholds of a trace and the limits of the service, each with its reason."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

TOKEN_VARIABLE = "STARCITE_SERVE_TOKEN"  # noqa: S105 - the variable's name


def token_of_environment() -> str:
    """The token of `starcite serve` where no file holds it; empty if there is none."""
    return os.environ.get(TOKEN_VARIABLE, "").strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceConfig:
    """How long a shared run must be to be claimed, and how much work one trace may do."""

    min_lexemes: int = field(
        default=30,
        metadata={"doc": "a shared run of this length is claimed, whatever surrounds it"},
    )
    min_covering_lexemes: int = field(
        default=17,
        metadata={"doc": "a shorter run is claimed if it covers enough of the query (k + w - 1)"},
    )
    min_coverage: float = field(
        default=0.5, metadata={"doc": "the part of the query that a shorter run must cover"}
    )
    min_whole_lexemes: int = field(
        default=5,
        metadata={"doc": "a still shorter run is claimed if it is nearly all of the query"},
    )
    min_whole_coverage: float = field(
        default=0.9, metadata={"doc": "the part of the query that so short a run must cover"}
    )
    max_short_lexemes: int = field(
        default=40,
        metadata={"doc": "a query of so few may have no fingerprint: its words bring documents"},
    )
    min_distinct_pairs: int = field(
        default=10,
        metadata={"doc": "distinct pairs of neighbours in a run; a table of zeros has fewer"},
    )
    min_chain: int = field(
        default=2, metadata={"doc": "consecutive tiles that make a text worth a closer look"}
    )
    min_renamed_lexemes: int = field(
        default=40,
        metadata={"doc": "a run that is equal under a renaming is claimed from this length on"},
    )
    min_renamed_whole: int = field(
        default=28,
        metadata={"doc": "a shorter one is claimed if it is nearly all of the query"},
    )
    min_renamed_pairs: int = field(
        default=16, metadata={"doc": "distinct pairs of neighbours in it, names taken away"}
    )
    min_renamed_coverage: float = field(
        default=0.6, metadata={"doc": "the part of the query that it must cover"}
    )
    min_equal_numbers: float = field(
        default=0.5,
        metadata={"doc": "the part of its numbers that must be equal: code of one mould differs"},
    )
    min_edited_lexemes: int = field(
        default=30, metadata={"doc": "equal lexemes in an alignment with edits"}
    )
    min_edited_piece: int = field(
        default=10, metadata={"doc": "lexemes in the longest run of an alignment with edits"}
    )
    min_edited_density: float = field(
        default=0.5,
        metadata={"doc": "equal lexemes in its stretch of the query; the rest are gaps"},
    )
    min_edited_coverage: float = field(
        default=0.5, metadata={"doc": "the part of the query that its equal lexemes must be"}
    )
    min_edited_bits: float = field(
        default=12.0,
        metadata={"doc": "surprisal of the equal words; code of one mould shares signs only"},
    )
    min_told_bits: float = field(
        default=35.0,
        metadata={"doc": "surprisal, times coverage, from which on fewer lexemes are enough"},
    )
    min_told_lexemes: int = field(
        default=12, metadata={"doc": "equal lexemes that are enough where the words are rare"}
    )
    min_told_coverage: float = field(
        default=0.4,
        metadata={"doc": "the part of the query, and of its stretch, that they must be, then"},
    )
    min_told_piece: int = field(
        default=5, metadata={"doc": "the longest run of an alignment with edits, then"}
    )
    min_common_owners: int = field(
        default=4, metadata={"doc": "owners that hold a run, from which on it is an idiom"}
    )
    min_vendored_lexemes: int = field(
        default=120,
        metadata={"doc": "a run of this length is no idiom: who has it has taken it from somebody"},
    )
    min_bits: float = field(
        default=20.0, metadata={"doc": "surprisal of a run's words; with less it says too little"}
    )
    min_own_bits: float = field(
        default=80.0, metadata={"doc": "surprisal from which on even imports are somebody's own"}
    )
    min_boilerplate_share: float = field(
        default=0.8, metadata={"doc": "the part of its words that make a run boilerplate"}
    )
    rare_chunks: int = field(
        default=4, metadata={"doc": "a word that no more chunks of the index hold is rare"}
    )
    max_inexact_bytes: int = field(
        default=20_000,
        metadata={"doc": "of a longer text no leads are listed"},
    )
    min_left_lexemes: int = field(
        default=5,
        metadata={"doc": "lexemes that exact runs must leave for E3 and E4 to be looked for"},
    )
    min_block_lexemes: int = field(
        default=8, metadata={"doc": "a shorter stretch between matches is not looked up by itself"}
    )
    max_block_lexemes: int = field(
        default=600,
        metadata={"doc": "a longer text is searched for E3 and E4 in blocks of about so many"},
    )
    max_blocks: int = field(
        default=48, metadata={"doc": "blocks of one text looked up; the answer names the rest"}
    )
    max_inexact: int = field(
        default=5, metadata={"doc": "documents aligned for E3 and E4, in the order of the fusion"}
    )
    max_query_bytes: int = field(
        default=4_000_000, metadata={"doc": "a longer text is refused (UNKNOWN), not cut"}
    )
    max_fragment_bytes: int = field(
        default=20_000,
        metadata={"doc": "a longer text is taken to start in code, not inside a string or comment"},
    )
    max_chains: int = field(
        default=512, metadata={"doc": "chains of fingerprint hits looked at, longest first"}
    )
    max_per_region: int = field(
        default=8, metadata={"doc": "documents aligned for one region of the query"}
    )
    max_documents: int = field(default=96, metadata={"doc": "documents aligned for one query"})
    max_leads: int = field(default=8, metadata={"doc": "documents that full-text search may add"})
    max_short_leads: int = field(
        default=16, metadata={"doc": "the same of a text that may have no fingerprint"}
    )
    max_snippet_bytes: int = field(
        default=4_000,
        metadata={
            "doc": "a longer text is not looked up by its comments, and its head gives the leads"
        },
    )
    max_diagonals: int = field(
        default=64, metadata={"doc": "alignments tried in one document, best supported first"}
    )
    max_recounted: int = field(
        default=96, metadata={"doc": "further documents looked at to count who holds a run"}
    )
    max_sources: int = field(default=8, metadata={"doc": "sources listed with one match"})
    max_matches: int = field(default=256, metadata={"doc": "matches in one trace, longest first"})
    n_cached_documents: int = field(
        default=32, metadata={"doc": "lexed documents kept in memory between traces"}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceConfig:
    """How much one client may ask of the service, and how long an answer may take."""

    max_value_chars: int = field(
        default=512, metadata={"doc": "a longer value of a query is refused; names are shorter"}
    )
    max_query_bytes: int = field(
        default=8_000, metadata={"doc": "a longer query string is refused before it is parsed"}
    )
    max_wildcards: int = field(
        default=4,
        metadata={"doc": "stars in one glob; each multiplies what matching a long path may cost"},
    )
    max_running: int = field(
        default=4, metadata={"doc": "questions that threads look up at a time, without workers"}
    )
    max_waiting: int = field(
        default=32, metadata={"doc": "questions that wait for a worker; the next one gets a 429"}
    )
    max_body_bytes: int = field(
        default=1_000_000, metadata={"doc": "a longer body is refused with a 413, unread"}
    )
    max_batch_bytes: int = field(
        default=16_000_000, metadata={"doc": "the same of a batch, which is read before it runs"}
    )
    max_batch_lines: int = field(
        default=1_000, metadata={"doc": "texts in one batch; each has the time of one question"}
    )
    max_batch_s: float = field(
        default=300.0, metadata={"doc": "a batch that takes longer ends with a line that says so"}
    )
    max_read_s: float = field(
        default=10.0, metadata={"doc": "a request that trickles in for longer ends in a 408"}
    )
    max_trace_s: float = field(
        default=10.0,
        metadata={"doc": "a text that takes longer is given up with a 503, its worker replaced"},
    )
    max_answer_s: float = field(
        default=30.0, metadata={"doc": "the same of looking through all documents"}
    )
    retry_after_s: int = field(
        default=2, metadata={"doc": "when a client that got a 429 is asked to come back"}
    )
    max_head_bytes: int = field(
        default=16_384, metadata={"doc": "a longer request line with its headers ends in a 400"}
    )
    max_head_s: float = field(
        default=10.0, metadata={"doc": "a connection on which no request comes is closed"}
    )
    max_connections: int = field(
        default=256, metadata={"doc": "open connections; the next one is answered with a 503"}
    )
    stop_s: int = field(
        default=10, metadata={"doc": "how long a stop waits for the answers that are under way"}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteConfig:
    """Which service to ask, and how long to wait for it."""

    url: str = field(metadata={"doc": "the service's address, such as https://starcite.example"})
    token: str = field(default="", repr=False, metadata={"doc": "what it asks everybody for"})
    fingerprints_only: bool = field(
        default=False, metadata={"doc": "send hashes instead of text, and compare texts here"}
    )
    timeout_ms: int = field(
        default=2_000, metadata={"doc": "the budget of one trace, all its questions together"}
    )
    max_answer_bytes: int = field(
        default=32_000_000, metadata={"doc": "a longer answer is not read"}
    )
    max_failures: int = field(
        default=3, metadata={"doc": "failures in a row after which the service is left alone"}
    )
    min_rest_s: float = field(
        default=5.0, metadata={"doc": "for how long, at first; doubled with each failed probe"}
    )
    max_rest_s: float = field(default=60.0, metadata={"doc": "for how long at most"})
    n_kept_documents: int = field(
        default=128, metadata={"doc": "fetched documents kept in memory between traces"}
    )
    max_kept_words: int = field(
        default=200_000, metadata={"doc": "words whose frequency is kept between traces"}
    )

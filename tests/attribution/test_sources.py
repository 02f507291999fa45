"""Who else holds a run: counted, listed, and looked at letter for letter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attribution import Tier, Tracer
from attribution.config import TraceConfig
from indexer import Origin, SourceFile
from indexer.build import build_index

RUN = "".join(f"    total_{n} = first_{n} + second_{n} * third\n" for n in range(6)).strip() + "\n"
COMMENT = "# the sums of all columns\n"


def holder(number: int, text: str) -> SourceFile:
    origin = Origin(
        source="pypi",
        name=f"holder{number}",
        version="1",
        path="a.py",
        spdx_id="MIT",
        license_evidence="metadata: MIT",
    )
    return SourceFile(text=text, language="python", origin=origin)


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Tracer:
    """Twenty holders of a run: ten under a comment, five without, three re-indented, two near."""
    texts = [f"import m{n}\n{COMMENT}{RUN}print(m{n})\n" for n in range(10)]
    texts += [f"import m{n}\n{RUN}print(m{n})\n" for n in range(10, 15)]
    texts += [f"import m{n}\n{RUN.replace('    ', '  ')}print(m{n})\n" for n in range(15, 18)]
    texts += [f"import m{n}\nsub{RUN}print(m{n})\n" for n in range(18, 20)]
    out = tmp_path_factory.mktemp("sources") / "index"
    build_index([holder(n, text) for n, text in enumerate(texts)], out)
    return Tracer.open(out)


def test_near_duplicates_are_no_source(tmp_path: Path) -> None:
    """An origin whose text only resembles the stored one is not said to hold the match."""
    stored = holder(1, f"import m1\n{RUN}print(m1)\n")
    twin = replace(holder(2, "").origin, relation="near")
    build_index([replace(stored, twins=(twin,))], tmp_path / "index")

    [match] = Tracer.open(tmp_path / "index").trace(RUN).matches

    assert [origin.name for origin in match.sources[0].origins] == ["holder1"]
    assert match.n_packages == 1


def test_all_holders_are_counted_and_only_the_best_are_listed(tracer: Tracer) -> None:
    """With the comment ten files are verbatim; the other holders of the code are counted."""
    tracer = Tracer(tracer.index, TraceConfig(max_leads=0))

    [match] = tracer.trace("mine()\n" + COMMENT + RUN).matches

    assert match.tier is Tier.E1
    assert [one.document_id for one in match.sources] == list(range(8))
    # Holders that were not aligned are found by their text, whatever its layout.
    assert match.n_sources == match.n_packages == 18


def test_holders_that_were_aligned_count_in_whatever_tier(tracer: Tracer) -> None:
    """If all are aligned, the re-indented ones count too; a longer first word is another run."""
    tracer = Tracer(tracer.index, TraceConfig(max_per_region=50, max_sources=50))

    [match] = tracer.trace(COMMENT + RUN).matches

    assert [one.document_id for one in match.sources] == list(range(10))
    assert match.n_sources == 18


def test_code_without_the_comment_is_verbatim_in_more_places(tracer: Tracer) -> None:
    """What the query does not have is not asked of the sources."""
    tracer = Tracer(tracer.index, TraceConfig(max_sources=50, max_leads=0))

    [match] = tracer.trace(RUN).matches

    assert match.n_sources == 18
    assert {one.document_id for one in match.sources} == set(range(15))


def test_every_listed_source_holds_the_text(tracer: Tracer) -> None:
    """The span of a source is the matched text, also where it was found by search."""
    tracer = Tracer(tracer.index, TraceConfig(max_per_region=1, max_sources=50))

    [match] = tracer.trace(COMMENT + RUN).matches

    for source in match.sources:
        text = tracer.source(source.document_id)[1]
        assert text[source.span.start : source.span.end] == COMMENT + RUN
        assert (source.span.start_line, source.span.end_line) == (1, 8)
    assert len(match.sources) == 10

"""The order of curation, stated once: cheap rules about one file, then stages over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from indexer.curate.config import CurateConfig
from indexer.curate.data_files import check_data_file
from indexer.curate.decontaminate import decontaminate
from indexer.curate.encoded import check_encoded
from indexer.curate.exact import exact_dedup
from indexer.curate.generated import check_generated
from indexer.curate.languages import check_language
from indexer.curate.license_gate import check_license
from indexer.curate.markup import check_html, check_xml
from indexer.curate.near_dedup import near_dedup
from indexer.curate.opt_out import opt_out
from indexer.curate.pipeline import Stage, Step
from indexer.curate.quality import check_quality
from indexer.curate.redact import Tagger, redaction_step
from indexer.optout.ledger_filter import LedgerFilter

MakeSteps = Callable[[CurateConfig, Path], tuple[Step | Stage, ...]]


def make_steps(
    config: CurateConfig,
    scratch: Path,
    *,
    benchmarks: Sequence[Path] = (),
    tagger: Tagger | None = None,
) -> tuple[Step | Stage, ...]:
    """All steps in the order in which they run; stages keep what they spill under `scratch`.

    Files that hold a problem of one of `benchmarks` leave the corpus. The tagger, which must be
    picklable, finds what is personal beside the rules.

    Raises:
        CurateError: a benchmark cannot be read.
        LedgerBrokenError: the ledger of opt-outs is not what was written.
    """
    return (
        Step("language", check_language),
        Step("quality", partial(check_quality, config=config)),
        Step("encoded", partial(check_encoded, config=config)),
        Step("xml", check_xml),
        Step("html", partial(check_html, config=config)),
        Step("data", partial(check_data_file, config=config)),
        Step("generated", check_generated),
        Step("licence", partial(check_license, config=config)),
        decontaminate(benchmarks),  # before the stages: like all above it can be done in parallel
        opt_out(LedgerFilter.open()),
        exact_dedup(scratch),
        near_dedup(scratch),
        redaction_step(tagger),
    )

"""The statistics of a corpus as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from indexer.curate.charts import bar_chart
from indexer.curate.shards import write_text
from indexer.curate.statistics import CorpusStatistics

_MOST_BARS = 20
_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --soft: #59636e;
  --line: #d1d9e0; --bar: #2f6fbb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1;
  --line: #3d444d; --bar: #5b9bea; } }
body { margin: 2rem auto; max-width: 760px; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.note { color: var(--soft); margin: .25rem 0 1rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 1rem;
  margin: 1.5rem 0; } dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; } .n { text-align: right; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 13px;
  dominant-baseline: central; } svg .label { text-anchor: end; } svg .value { fill: var(--soft); }
svg .bar { fill: var(--bar); }
"""


def html_report(name: str, counted: CorpusStatistics) -> str:
    """The page; `name` is what its title calls the corpus."""
    charts = [
        _chart(f"By {title}", tally.rows())
        for title, tally in counted.tallies()
        if len(tally.n_files) > 1 or title != "kind"
    ]
    body = [
        f"<h1>{escape(name)}</h1>",
        f'<p class="note">corpus digest {escape(counted.corpus_digest)}</p>',
        _figures(counted),
        *charts,
        _drops(counted),
        _skipped(counted),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}</title><style>{_STYLE}</style></head><body>"
        f"{''.join(body)}</body></html>\n"
    )


def write_report(path: Path, name: str, counted: CorpusStatistics) -> None:
    """Write the page to a file.

    Raises:
        CurateError: it cannot be written.
    """
    write_text(path, html_report(name, counted))


def step_title(name: str) -> str:
    """What a step is called in a table: what it was set to do stands behind a colon."""
    return name.partition(":")[0]


def megabytes(n_bytes: int) -> str:
    """A size for people: "1.5 MB", "12 kB"."""
    if n_bytes >= 1_000_000:
        return f"{n_bytes / 1e6:,.1f} MB"
    return f"{n_bytes / 1e3:,.1f} kB"


def _figures(counted: CorpusStatistics) -> str:
    figures = [
        ("files", f"{counted.n_files:,}"),
        ("text", megabytes(counted.n_bytes)),
        ("owners", f"{len(counted.by_owner.n_files):,}"),
        ("exact twins", f"{counted.n_exact_twins:,} ({counted.exact_share:.2%})"),
        ("near twins", f"{counted.n_near_twins:,} ({counted.near_share:.2%})"),
    ]
    if counted.n_read:
        figures.insert(1, ("files before curation", f"{counted.n_read:,}"))
    return f"<dl>{''.join(f'<div><dt>{k}</dt><dd>{v}</dd></div>' for k, v in figures)}</dl>"


def _chart(title: str, rows: Sequence[tuple[str, int, int]]) -> str:
    bars = [
        (key, float(size), f"{megabytes(size)}, {n:,} files") for key, n, size in rows[:_MOST_BARS]
    ]
    rest = rows[_MOST_BARS:]
    n_files, n_bytes = sum(row[1] for row in rest), sum(row[2] for row in rest)
    more = f"and {len(rest):,} more: {megabytes(n_bytes)}, {n_files:,} files" if rest else ""
    note = f'<p class="note">{more}</p>' if rest else ""
    return f"<h2>{escape(title)}</h2>{bar_chart(title, bars)}{note}"


def _drops(counted: CorpusStatistics) -> str:
    if not counted.drops:
        return ""
    most = sorted(counted.drops, key=lambda row: -row.n_files)
    bars = [(row.reason, float(row.n_files), f"{row.n_files:,} files") for row in most]
    rows = "".join(
        f'<tr><td>{escape(step_title(row.step))}</td><td>{escape(row.reason)}</td><td class="n">'
        f'{row.n_files:,}</td><td class="n">{megabytes(row.n_bytes)}</td></tr>'
        for row in counted.drops
    )
    return (
        f"<h2>Dropped by curation</h2>{bar_chart('Dropped by curation', bars[:_MOST_BARS])}"
        '<table><thead><tr><th>step</th><th>reason</th><th class="n">files</th>'
        f'<th class="n">text</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _skipped(counted: CorpusStatistics) -> str:
    if not counted.skipped:
        return ""
    ordered = sorted(counted.skipped.items(), key=lambda row: (-row[1], row[0]))
    bars = [(reason, float(n), f"{n:,} files") for reason, n in ordered]
    return f"<h2>Left out while reading</h2>{bar_chart('Left out while reading', bars)}"

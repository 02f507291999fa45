"""The answer to "am I in it?" as one page of HTML that needs nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from indexer.optout.resolve import Found, Resolution, Tally, tally
from indexer.source_file import Origin

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --faint: #59636e; --paper: #fff; --line: #d1d9e0;
  --accent: #0a6b5d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --paper: #0d1117;
  --line: #3d444d; --accent: #4fd1bd; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.asked, .note, footer { color: var(--faint); }
.number { color: var(--accent); font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td.count { text-align: right; font-variant-numeric: tabular-nums; width: 6rem; }
a { color: var(--accent); }
code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .75rem; }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageContext:
    """What the page says besides the answer."""

    answered_at: str  # ISO 8601
    is_kept_out: bool  # somebody asked for just this to be left out before
    ask_again: str = ""  # where the page links to for another question; empty: it links nowhere
    max_listed: int = 500


def render_page(resolution: Resolution, context: PageContext) -> str:
    """A whole HTML document; every value in it is escaped, and it holds no script."""
    counts = tally(resolution.found)
    asked = str(resolution.selector)
    link = f'<p><a href="{escape(context.ask_again)}">Ask something else</a></p>'
    body = [
        *([link] if context.ask_again else []),
        f'<p class="asked">Asked for: {escape(asked)}</p>',
        f"<h1>{_headline(counts, resolution.n_live)}</h1>",
        *_notes(counts, context),
    ]
    if resolution.found:
        for title, rows in (
            ("By owner or package", counts.by_owner),
            ("By licence", counts.by_license),
            ("By language", counts.by_language),
        ):
            body.append(_table_of_counts(title, rows))
        body.append(_list_of_files(resolution.found, context.max_listed))
    body.append(_footer(resolution, context))
    return page_of(f"Am I in it? {asked}", body)


def page_of(title: str, body: Iterable[str], *, style: str = "") -> str:
    """A whole HTML document of these parts, which are escaped already, and this plain title."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _headline(counts: Tally, n_live: int) -> str:
    if not counts.n_documents:
        return f"No. None of the {n_live:,} documents of this index."
    noun = "document" if counts.n_documents == 1 else "documents"
    return (
        f'Yes: <span class="number">{counts.n_documents:,}</span> {noun} of {n_live:,}, '
        f'<span class="number">{counts.n_bytes:,}</span> bytes of text.'
    )


def _notes(counts: Tally, context: PageContext) -> list[str]:
    notes = []
    if context.is_kept_out:
        notes.append(
            "A request to leave this out is in the ledger; nothing of it is indexed again."
        )
    if counts.n_twins:
        notes.append(
            f"{counts.n_twins:,} of them stand for a near-duplicate: the text that is kept was "
            "published elsewhere, and what was asked for is nearly the same."
        )
    if counts.n_shared:
        notes.append(f"{counts.n_shared:,} of them were published in other places, too.")
    return [f'<p class="note">{escape(note)}</p>' for note in notes]


def _table_of_counts(title: str, rows: Mapping[str, int]) -> str:
    lines = [
        f'<tr><td>{escape(name)}</td><td class="count">{n:,}</td></tr>' for name, n in rows.items()
    ]
    return f"<h2>{escape(title)}</h2>\n<table>{''.join(lines)}</table>"


def _list_of_files(found: Sequence[Found], max_listed: int) -> str:
    places = [(one, origin) for one in found for origin in one.because]
    head = "<tr><th>Where</th><th>File</th><th>Licence, and what it was read from</th></tr>"
    lines = [_row(one, origin) for one, origin in places[:max_listed]]
    rest = len(places) - len(lines)
    more = f'<p class="note">{rest:,} more are not listed here.</p>' if rest > 0 else ""
    table = f'<div class="scroll"><table>{head}{"".join(lines)}</table></div>'
    return f"<h2>Files</h2>\n{table}{more}"


def _row(one: Found, origin: Origin) -> str:
    where = f"{origin.repository} {origin.revision}".strip() or origin.purl
    mark = " (near-duplicate)" if origin.relation == "near" else ""
    return (
        f"<tr><td>{escape(where)}{mark}</td>"
        f"<td>{escape(origin.path)}<br><code>sha256:{escape(one.document.sha256)}</code></td>"
        f"<td>{escape(origin.spdx_id)}<br>"
        f'<span class="note">{escape(origin.license_evidence)}</span></td></tr>'
    )


def _footer(resolution: Resolution, context: PageContext) -> str:
    return (
        f"<footer>Corpus <code>{escape(resolution.corpus_digest)}</code>, asked "
        f"{escape(context.answered_at)}. To be left out, ask whoever runs this index; they answer "
        "with a signed receipt that you can check yourself: "
        "<code>starcite index verify-receipt FILE</code>.</footer>"
    )

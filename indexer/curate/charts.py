"""Bar charts as SVG text: readable in light and dark, with no script and nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _ROW, _BAR = 720, 26, 16
_LABEL, _VALUE = 220, 180  # pixels kept for the words on either side


def bar_chart(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars of (label, value, what stands behind the bar), in the order given."""
    largest = max((value for _, value, _ in rows), default=0) or 1
    room = _WIDTH - _LABEL - _VALUE
    height = _ROW * len(rows)
    parts = [
        f'<svg role="img" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>'
    ]
    for number, (label, value, shown) in enumerate(rows):
        middle = number * _ROW + _ROW / 2
        length = max(1.0, room * value / largest) if value else 0
        parts.append(
            f'<text class="label" x="{_LABEL - 10}" y="{middle:.0f}">{escape(_short(label))}'
            f"<title>{escape(label)}</title></text>"
            f'<rect class="bar" x="{_LABEL}" y="{middle - _BAR / 2:.0f}" width="{length:.1f}" '
            f'height="{_BAR}" rx="2"/>'
            f'<text class="value" x="{_LABEL + length + 8:.1f}" y="{middle:.0f}">'
            f"{escape(shown)}</text>"
        )
    return "".join([*parts, "</svg>"])


def _short(label: str, most: int = 32) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"

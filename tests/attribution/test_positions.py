"""Byte offsets as code points and lines."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from attribution.positions import Positions
from attribution.types import Span

TEXTS = st.text(alphabet=st.sampled_from("ab é€𝄞\n\r\f\v\u2028\x85"), min_size=1, max_size=30)


@given(text=TEXTS, data=st.data())
def test_a_span_counts_code_points_and_lines(text: str, data: st.DataObject) -> None:
    r"""Offsets are those of str; lines break at \n, \r\n and \r and nowhere else."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    breaks = [found.end() for found in re.finditer(r"\r\n|\n|\r", text)]

    span = Positions(text.encode()).span(len(text[:start].encode()), len(text[:end].encode()))

    assert span == Span(
        start=start,
        end=end,
        start_line=sum(at <= start for at in breaks),
        end_line=sum(at <= end - 1 for at in breaks) + 1,
    )

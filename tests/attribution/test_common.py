"""What is labelled common, and what is not."""

from __future__ import annotations

import math

import pytest

from attribution import Tracer
from attribution.common import boilerplate_share, commonness_of
from attribution.config import TraceConfig
from attribution.explain import explained
from attribution.types import Commonness

CONFIG = TraceConfig()
BOILERPLATE = (
    "from __future__ import annotations\n\nimport os\nimport sys\nfrom typing import Any\n",
    "from a.b import (\n    first,\n    second,\n    third,\n)\nimport logging\n",
    "logger = logging.getLogger(__name__)\n\n__all__ = [\n    'one',\n    'two',\n]\n",
    'if __name__ == "__main__":\n    sys.exit(main(sys.argv))\n',
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nimport re\n",
    "try:\n    import json\nexcept ImportError:\n    import simplejson as json\n",
    "#include <stdio.h>\n#include <stdlib.h>\n#define LIMIT 3\n",
    "import React from 'react';\nimport { useState } from 'react';\n",
)


@pytest.mark.parametrize("text", BOILERPLATE)
def test_boilerplate_is_labelled(text: str) -> None:
    """Imports, guards, headers: whatever their number of owners."""
    label, reasons = commonness_of(
        text.encode(), n_owners=1, n_lexemes=40, bits=CONFIG.min_own_bits - 1, config=CONFIG
    )

    assert label is Commonness.BOILERPLATE
    assert [one.rule for one in reasons] == ["boilerplate_share"]


@pytest.mark.parametrize(
    ("n_owners", "bits", "expected"),
    [
        (1, CONFIG.min_own_bits, Commonness.RARE),
        (CONFIG.min_common_owners, 900.0, Commonness.BOILERPLATE),
        (1, math.inf, Commonness.BOILERPLATE),  # of renamed code nobody asks for its words
    ],
)
def test_imports_that_few_have_are_their_own(
    n_owners: int, bits: float, expected: Commonness
) -> None:
    """Where the words are rare and the owners few, a copied block of imports raises an alarm."""
    text = b"from shop.cart import Cart, total_of\nfrom shop.prices import discount_of\n"

    label, _ = commonness_of(text, n_owners=n_owners, n_lexemes=20, bits=bits, config=CONFIG)

    assert label is expected


def test_a_notice_is_boilerplate_however_rare_its_words_are() -> None:
    """Nobody is told to look at a licence notice."""
    notice = b"# Licensed under the Apache License, Version 2.0 (the 'License'); you may not use\n"

    label, _ = commonness_of(notice, n_owners=1, n_lexemes=20, bits=900.0, config=CONFIG)

    assert label is Commonness.BOILERPLATE


def test_comments_that_are_no_notice_are_no_boilerplate() -> None:
    """What somebody explains is his own."""
    text = b"    # Each basket is weighed twice, as one reading may be off.\n    weight = 2\n"

    assert boilerplate_share(text) == 0


@pytest.mark.parametrize("text", BOILERPLATE)
def test_boilerplate_beside_code_is_not_all_of_it(text: str) -> None:
    """As much code again makes it a match like others."""
    code = "def order(items, price):\n    return sum(price[one] for one in items if one)\n" * 3

    assert boilerplate_share((text + code).encode()) < CONFIG.min_boilerplate_share


@pytest.mark.parametrize(
    ("n_owners", "n_lexemes", "bits", "expected"),
    [
        (1, 40, 100.0, Commonness.RARE),
        (3, 40, 100.0, Commonness.RARE),
        (4, 40, 100.0, Commonness.IDIOM),
        (4, 120, 900.0, Commonness.RARE),  # so much in many places is vendored code
        (1, 40, 19.0, Commonness.IDIOM),
    ],
)
def test_idioms_are_told_by_owners_and_by_surprisal(
    n_owners: int, n_lexemes: int, bits: float, expected: Commonness
) -> None:
    """Many owners, or words that say nothing."""
    code = b"def order(items, price):\n    return sum(price[one] for one in items)\n"

    label, _ = commonness_of(code, n_owners=n_owners, n_lexemes=n_lexemes, bits=bits, config=CONFIG)

    assert label is expected


def test_an_idiom_is_shown_with_its_counts_and_raises_no_alarm(
    tracer: Tracer, texts: dict[str, str]
) -> None:
    """Ten owners hold it: labelled, counted, explained."""
    trace = tracer.trace(texts["idiom"])

    assert [(one.commonness, one.n_owners) for one in trace.matches] == [(Commonness.IDIOM, 10)]
    assert trace.alarms == ()
    assert any("n_owners 10 ≥ 4" in line for line in explained(trace.matches[0]))

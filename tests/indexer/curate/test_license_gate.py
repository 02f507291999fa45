from __future__ import annotations

import pytest

from indexer.curate.config import PERMISSIVE, CurateConfig
from indexer.curate.license_gate import check_license
from indexer.curate.pipeline import Drop

CONFIG = CurateConfig()


@pytest.mark.parametrize(
    "spdx_id",
    [
        *PERMISSIVE,
        "MIT OR GPL-3.0-only",
        "MIT AND BSD-3-Clause",
        "(MIT AND (GPL-2.0-only OR ISC)) OR LGPL-3.0-only",
        "Apache-2.0 WITH LLVM-exception",
        "GPL-3.0-only AND MIT OR ISC",
    ],
)
def test_what_allowed_licences_can_meet_stays(make_record, spdx_id: str) -> None:
    """OR needs one allowed side, AND needs both, an exception only adds to its licence."""
    file = make_record("x", spdx_id=spdx_id)

    assert check_license(file, config=CONFIG) is file


@pytest.mark.parametrize(
    ("spdx_id", "reason"),
    [
        ("", "no licence"),
        ("NOASSERTION", "no licence"),
        ("GPL-3.0-only", "licence not allowed"),
        ("MIT AND GPL-3.0-only", "licence not allowed"),
        ("MIT AND (GPL-3.0-only OR MPL-2.0)", "licence not allowed"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "licence not allowed"),
        ("LicenseRef-scancode-unknown", "licence not allowed"),
        ("mit license", "licence is no SPDX expression"),
        ("(MIT", "licence is no SPDX expression"),
        ("MIT OR", "licence is no SPDX expression"),
        ("MIT, BSD", "licence is no SPDX expression"),
        ("(" * 5000 + "MIT", "licence is no SPDX expression"),
    ],
)
def test_every_other_licence_goes_with_its_reason(make_record, spdx_id: str, reason: str) -> None:
    """No licence, one that is not on the list, and what cannot be read are told apart."""
    outcome = check_license(make_record("x", spdx_id=spdx_id), config=CONFIG)

    assert isinstance(outcome, Drop)
    assert outcome.reason == reason


def test_a_licence_needs_evidence(make_record) -> None:
    """A claim that nothing supports is not enough."""
    outcome = check_license(make_record("x", license_evidence=" "), config=CONFIG)

    assert outcome == Drop("no evidence of the licence", "MIT")


def test_the_list_of_licences_can_be_changed(make_record) -> None:
    """The configuration decides what is allowed."""
    file = make_record("x", spdx_id="MPL-2.0")

    assert check_license(file, config=CurateConfig(licenses=("MPL-2.0",))) is file

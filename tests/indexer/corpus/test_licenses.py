from __future__ import annotations

from email.message import Message

import pytest

from indexer.corpus.license_texts import detect_licenses
from indexer.corpus.licenses import Accepted, Refused, judge_license

MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this\n"
    "software ... The above copyright notice and this permission notice shall be included in all"
)
BSD2 = (
    " * Redistributions of source code must retain the above copyright\n   notice.\n"
    " * Redistributions in binary form must reproduce the above copyright notice.\n"
)
BSD3 = BSD2 + " * Neither the name of the copyright holder nor the names of its contributors\n"
APACHE = "Apache License\n  Version 2.0, January 2004\n ... Derivative Works ..."
ISC_GRANT = (
    "Permission to use, copy, modify, and/or distribute this software for any purpose with or\n"
    "without fee is hereby granted"
)
ISC = ISC_GRANT + (
    ", provided that the above copyright notice and this permission notice appear in all copies."
)
ZERO_BSD = ISC_GRANT + '.\n\nTHE SOFTWARE IS PROVIDED "AS IS"'
PSF = (
    "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\nNotwithstanding the foregoing, with regard to\n"
    "material previously distributed under the GNU General Public License (GPL), the law of ..."
)
UNLICENSE = "This is free and unencumbered software released into the public domain."
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007"
LGPL = "GNU LESSER GENERAL PUBLIC LICENSE"
MPL = "Mozilla Public License Version 2.0"


def metadata(*headers: tuple[str, str]) -> Message:
    message = Message()
    for key, value in headers:
        message[key] = value
    return message


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (MIT, {"MIT"}),
        (BSD2, {"BSD-2-Clause"}),
        (BSD3, {"BSD-3-Clause"}),
        (APACHE, {"Apache-2.0"}),
        (ISC, {"ISC"}),
        (ZERO_BSD, {"0BSD"}),
        (PSF, {"PSF-2.0"}),
        (UNLICENSE, {"Unlicense"}),
        (GPL, {"GPL"}),
        (LGPL, {"GPL"}),
        (MPL, {"MPL"}),
        (MIT + "\n\n" + GPL, {"MIT", "GPL"}),
        ("\n".join("# " + line for line in MIT.splitlines()), {"MIT"}),
        ("All rights reserved.", set()),
        ("", set()),
    ],
)
def test_a_licence_is_known_by_its_operative_words(text: str, ids: set[str]) -> None:
    """Layout, case and comment signs do not hide a licence, and no licence is read as another."""
    assert ids == detect_licenses(text)


@pytest.mark.parametrize(
    ("headers", "texts", "spdx_id"),
    [
        ([("License-Expression", "MIT")], {"LICENSE": MIT}, "MIT"),
        ([("License", "MIT")], {"LICENSE": MIT}, "MIT"),
        ([("License", "Apache License, Version 2.0")], {"COPYING": APACHE}, "Apache-2.0"),
        ([("License", MIT)], {"LICENSE": MIT}, "MIT"),
        ([("License", "BSD")], {"LICENSE": BSD3}, "BSD-3-Clause"),
        ([("License", "BSD")], {"LICENSE": BSD2}, "BSD-2-Clause"),
        (
            [("Classifier", "License :: OSI Approved :: BSD License")],
            {"LICENSE": BSD3},
            "BSD-3-Clause",
        ),
        (
            [("License-Expression", "MIT OR Apache-2.0")],
            {"LICENSE.MIT": MIT, "LICENSE.APACHE": APACHE},
            "MIT OR Apache-2.0",
        ),
        (
            [("License-Expression", "MIT AND PSF-2.0")],
            {"LICENSE": MIT, "LICENSE.python": PSF},
            "MIT AND PSF-2.0",
        ),
        # Permissive licences of parts do not stand in the way; they are recorded.
        ([("License-Expression", "MIT")], {"LICENSE": MIT, "NOTICE": BSD3}, "MIT"),
    ],
)
def test_a_package_whose_papers_agree_enters(
    headers: list[tuple[str, str]], texts: dict[str, str], spdx_id: str
) -> None:
    """The gate opens where metadata and licence files say the same permissive licence."""
    verdict = judge_license(metadata(*headers), texts)

    assert isinstance(verdict, Accepted)
    assert spdx_id == verdict.spdx_id
    for path in texts:
        assert f"{path}: " in verdict.evidence


@pytest.mark.parametrize(
    ("headers", "texts", "reason"),
    [
        ([("License-Expression", "GPL-3.0-only")], {"LICENSE": GPL}, "not permissive: GPL"),
        ([("License-Expression", "MPL-2.0")], {"LICENSE": MPL}, "not permissive: MPL"),
        ([("License-Expression", "MIT")], {"LICENSE": BSD3}, "say BSD-3-Clause"),
        ([("License-Expression", "MIT")], {}, "no known licence"),
        ([("License-Expression", "MIT")], {"LICENSE": "see the web site"}, "no known licence"),
        ([("License-Expression", "MIT")], {"LICENSE": MIT, "lib/COPYING": GPL}, "lib/COPYING"),
        ([("License-Expression", "MIT AND Zlib")], {"LICENSE": MIT}, "MIT AND Zlib is not"),
        ([("License-Expression", "Apache-2.0 AND MIT")], {"LICENSE": MIT}, "Apache-2.0 AND MIT"),
        ([("License-Expression", "MIT with love")], {"LICENSE": MIT}, "no SPDX expression"),
        ([("License", "Proprietary")], {"LICENSE": MIT}, "Proprietary"),
        ([("License", "BSD")], {"LICENSE": MIT}, "say MIT"),
        ([("License", "BSD")], {"A": BSD2, "B": BSD3}, "BSD-2-Clause or BSD-3-Clause"),
        (
            [
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("Classifier", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"),
            ],
            {"LICENSE": MIT},
            "names no known licence",
        ),
        ([], {"LICENSE": MIT}, "names no known licence"),
    ],
)
def test_a_package_in_doubt_is_left_out_with_the_reason(
    headers: list[tuple[str, str]], texts: dict[str, str], reason: str
) -> None:
    """Anything but agreement on a permissive licence keeps a package out."""
    verdict = judge_license(metadata(*headers), texts)

    assert isinstance(verdict, Refused)
    assert reason in verdict.reason

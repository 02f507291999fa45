"""Tables that read licences: free-text names, classifiers, and phrases of the licence texts.

The phrases are the operative words of each licence, as published in the SPDX licence list.
"""

from __future__ import annotations

import re

_BSD = frozenset({"BSD-2-Clause", "BSD-3-Clause"})
_APACHE = frozenset({"Apache-2.0"})
_MIT = frozenset({"MIT"})
_ISC = frozenset({"ISC"})
_PSF = frozenset({"PSF-2.0"})
_UNLICENSE = frozenset({"Unlicense"})

# What the `License` field says in lower case, without a final full stop.
FREE_TEXT = {
    "apache": _APACHE,
    "apache 2": _APACHE,
    "apache 2.0": _APACHE,
    "apache-2.0": _APACHE,
    "apache license 2.0": _APACHE,
    "apache license, version 2.0": _APACHE,
    "apache license version 2.0": _APACHE,
    "apache software license": _APACHE,
    "apache software license 2.0": _APACHE,
    "asl 2": _APACHE,
    "bsd": _BSD,
    "bsd license": _BSD,
    "new bsd": frozenset({"BSD-3-Clause"}),
    "new bsd license": frozenset({"BSD-3-Clause"}),
    "modified bsd license": frozenset({"BSD-3-Clause"}),
    "3-clause bsd": frozenset({"BSD-3-Clause"}),
    "bsd 3-clause": frozenset({"BSD-3-Clause"}),
    "bsd-3-clause": frozenset({"BSD-3-Clause"}),
    "bsd 3-clause license": frozenset({"BSD-3-Clause"}),
    "simplified bsd": frozenset({"BSD-2-Clause"}),
    "bsd 2-clause": frozenset({"BSD-2-Clause"}),
    "bsd-2-clause": frozenset({"BSD-2-Clause"}),
    "isc": _ISC,
    "isc license": _ISC,
    "mit": _MIT,
    "mit license": _MIT,
    "the mit license": _MIT,
    "psf": _PSF,
    "psf-2.0": _PSF,
    "python software foundation license": _PSF,
    "unlicense": _UNLICENSE,
    "the unlicense": _UNLICENSE,
}

_OSI = "License :: OSI Approved :: "
CLASSIFIERS = {
    f"{_OSI}Apache Software License": _APACHE,
    f"{_OSI}BSD License": _BSD,
    f"{_OSI}ISC License (ISCL)": _ISC,
    f"{_OSI}MIT License": _MIT,
    f"{_OSI}Python Software Foundation License": _PSF,
    f"{_OSI}The Unlicense (Unlicense)": _UNLICENSE,
    f"{_OSI}Zero-Clause BSD (0BSD)": frozenset({"0BSD"}),
    f"{_OSI}GNU General Public License v2 (GPLv2)": frozenset({"GPL"}),
    f"{_OSI}GNU General Public License v3 (GPLv3)": frozenset({"GPL"}),
    f"{_OSI}Mozilla Public License 2.0 (MPL 2.0)": frozenset({"MPL"}),
}

_GRANT_MIT = (
    r"permission is hereby granted, free of charge, to any person obtaining a copy .{0,900}?"
    r"the above copyright notice and this permission notice .{0,40}?shall be included"
)
_GRANT_ISC = (
    r"permission to use, copy, modify,? and/?(?:or)? distribute this software .{0,60}?"
    r"for any purpose with or without fee is hereby granted"
)
_NOTICE_KEPT = (
    r", provided that the above copyright notice and this permission notice appear in all"
)
_GRANT_BSD = r"redistributions? of source code must retain .{0,200}?copyright"
_BINARY_BSD = r"redistributions? in binary form must reproduce"
_NO_ENDORSEMENT = (
    r"(?:neither the names? of|the names? of .{0,120}? may not be used to endorse"
    r"|may be used to endorse or promote products)"
)

# (id, phrases that all have to occur, phrases that must not). Ids outside the permissive list are
# families: enough to leave a package out.
_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("MIT", (_GRANT_MIT,), ()),
    ("BSD-3-Clause", (_GRANT_BSD, _BINARY_BSD, _NO_ENDORSEMENT), ()),
    ("BSD-2-Clause", (_GRANT_BSD, _BINARY_BSD), (_NO_ENDORSEMENT,)),
    ("Apache-2.0", (r"apache license,? version 2\.0", r"derivative works|licensed under the"), ()),
    ("ISC", (_GRANT_ISC + _NOTICE_KEPT,), ()),
    ("0BSD", (_GRANT_ISC + r"\.? ?the software is provided",), ()),
    ("PSF-2.0", (r"python software foundation license version 2",), ()),
    ("Unlicense", (r"this is free and unencumbered software released into the public domain",), ()),
    ("GPL", (r"gnu (?:affero |lesser |library )?general public license",), ()),
    ("MPL", (r"mozilla public license",), ()),
    ("EPL", (r"eclipse public license",), ()),
    ("CDDL", (r"common development and distribution license",), ()),
    ("EUPL", (r"european union public licen[cs]e",), ()),
    ("OFL", (r"sil open font license",), ()),
    ("CC", (r"creative commons attribution|creativecommons\.org/licenses",), ()),
    ("BUSL", (r"business source license",), ()),
    ("SSPL", (r"server side public license",), ()),
    ("Commons-Clause", (r"commons clause",), ()),
)
_COMPILED = tuple(
    (spdx_id, tuple(map(re.compile, needed)), tuple(map(re.compile, forbidden)))
    for spdx_id, needed, forbidden in _RULES
)
MAX_LICENSE_CHARS = 400_000
# Python's own licence speaks of the GPL without being under it.
_HARMLESS = ("previously distributed under the gnu general public license (gpl)",)


def detect_licenses(text: str) -> frozenset[str]:
    """The SPDX ids (or the families that are not permissive) whose words a text holds."""
    plain = re.sub(r"[\s#*>|_\"'`]+", " ", text[:MAX_LICENSE_CHARS].lower())
    for phrase in _HARMLESS:
        plain = plain.replace(phrase, "")
    return frozenset(
        spdx_id
        for spdx_id, needed, forbidden in _COMPILED
        if all(phrase.search(plain) for phrase in needed)
        and not any(phrase.search(plain) for phrase in forbidden)
    )

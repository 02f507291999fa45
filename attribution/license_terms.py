"""What well-known licences ask of whoever passes code on, in our own words; not legal advice."""

from __future__ import annotations

_KEEP = "Keep the copyright line and the text of the licence with every copy of the code."
_BINARY = "With a program that is passed on without source, ship the same text beside it."
_NAMES = "Do not use the authors' names to promote what you make of it."
_NOTICE = (
    "Pass on a copy of the licence and what the NOTICE file of the work says, and mark the files "
    "that you changed."
)
_FILE = "Files that hold this code stay under the same licence, with their source on offer."
_WORK = "A work that holds this code may be passed on only under the same licence, with its source."
_NETWORK = "That counts too for a service whose users reach the code over a network."
_LIBRARY = "Keep the code replaceable by its users, and offer the source of this part."
_NOTHING = "Nothing is asked."

TERMS: dict[str, tuple[str, ...]] = {
    "0BSD": (_NOTHING,),
    "AGPL-3.0-only": (_WORK, _NETWORK),
    "AGPL-3.0-or-later": (_WORK, _NETWORK),
    "Apache-2.0": (_KEEP, _NOTICE),
    "BSD-2-Clause": (_KEEP, _BINARY),
    "BSD-3-Clause": (_KEEP, _BINARY, _NAMES),
    "CC0-1.0": (_NOTHING,),
    "GPL-2.0-only": (_WORK,),
    "GPL-2.0-or-later": (_WORK,),
    "GPL-3.0-only": (_WORK,),
    "GPL-3.0-or-later": (_WORK,),
    "HPND": (_KEEP,),
    "ISC": (_KEEP,),
    "LGPL-2.1-only": (_LIBRARY,),
    "LGPL-2.1-or-later": (_LIBRARY,),
    "LGPL-3.0-only": (_LIBRARY,),
    "LGPL-3.0-or-later": (_LIBRARY,),
    "MIT": (_KEEP,),
    "MIT-0": (_NOTHING,),
    "MPL-2.0": (_FILE,),
    "PSF-2.0": (_KEEP, "Say in short what you changed."),
    "Python-2.0": (_KEEP, "Say in short what you changed."),
    "Unlicense": (_NOTHING,),
    "Zlib": ("Do not claim that you wrote it, and mark changed versions as such.",),
}


def obligations_of(spdx_id: str) -> tuple[str, ...]:
    """What a licence asks; of an expression or an unknown licence, that it has to be read."""
    known = TERMS.get(spdx_id)
    return known or (f"Read the licence: nothing is known here of {spdx_id or 'its terms'}.",)
